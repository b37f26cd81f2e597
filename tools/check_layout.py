"""Keep things findable: no grab-bag folders, the same files in every connector's folder.

A connector sees its contract, stream definitions, the kernel and itself; no room above it.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable
from pathlib import Path

from tools import sources

BANNED_FOLDERS = frozenset({"utils", "util", "helpers", "common", "misc", "base", "core"})
CONNECTORS = "src/tenon/connect/connectors"
CONNECTOR_FILES = frozenset({"__init__.py", "connector.py", "manifest.py"})
CONNECTOR_MAY_IMPORT = (
    "tenon.kernel",
    "tenon.connect.contract",
    "tenon.connect.manifest",  # what is asked of a person
    "tenon.connect.batches",  # what the contract's answers are made of
    "tenon.connect.selecting",  # streams compiled to SQL
    "tenon.define.models",  # a stream's definition
)


def banned_folders(names: Iterable[str]) -> list[str]:
    """Name the folders whose name says nothing about what is in them."""
    folders = {parent.as_posix() for name in names for parent in Path(name).parents}
    return [
        f"{folder}/: name the idea; folders called {', '.join(sorted(BANNED_FOLDERS))} are banned"
        for folder in sorted(folders)
        if Path(folder).name in BANNED_FOLDERS
    ]


def missing_connector_files(names: Iterable[str]) -> list[str]:
    """Name the files that a connector's folder lacks."""
    folders: dict[str, set[str]] = {}
    for name in names:
        parts = name.removeprefix(CONNECTORS + "/").split("/")
        if name.startswith(CONNECTORS + "/") and len(parts) == 2:
            folders.setdefault(parts[0], set()).add(parts[1])
    return [
        f"{CONNECTORS}/{kind}/{missing}: each connector's folder has this file"
        for kind, present in sorted(folders.items())
        for missing in sorted(CONNECTOR_FILES - present)
    ]


def forbidden_imports(name: str, text: str) -> list[str]:
    """Name the imports by which a connector looks beyond its contract."""
    if not name.startswith(CONNECTORS + "/"):
        return []
    kind = name.removeprefix(CONNECTORS + "/").split("/")[0]
    own = f"tenon.connect.connectors.{kind}"
    allowed = (*CONNECTOR_MAY_IMPORT, own)
    return [
        f"{name}:{line}: imports {module}; a connector may import {', '.join(allowed)}"
        for line, module in _imports(text)
        if module.split(".")[0] == "tenon"
        and not any(module == one or module.startswith(one + ".") for one in allowed)
    ]


def _imports(text: str) -> list[tuple[int, str]]:
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
    return found


def main() -> int:
    """Print what is out of place; return 1 when anything is."""
    paths = sources.files(".py", ".ts", ".tsx")
    names = [sources.shown(path) for path in paths]
    wrong = banned_folders(names) + missing_connector_files(names)
    for path, name in zip(paths, names, strict=True):
        if path.suffix == ".py":
            wrong += forbidden_imports(name, path.read_text(encoding="utf-8"))
    print("\n".join(wrong) or f"{len(names)} files are where one looks for them")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
