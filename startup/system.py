"""Packages of the operating system that only tests need (a browser, fonts, servers)."""

from __future__ import annotations

import ctypes.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from startup.console import Failure, note, step

_CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "msedge")
# ODBC drivers by the name under which their package registers them.
_DRIVERS = {
    "FreeTDS": "tdsodbc",
    "SQLite3": "libsqliteodbc",
    "MariaDB Unicode": "odbc-mariadb",
}
_CJK_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts")


def can_install() -> bool:
    """Say whether packages can be installed here: Debian or Ubuntu, as root, not forbidden."""
    return (
        os.name == "posix"
        and os.geteuid() == 0
        and shutil.which("apt-get") is not None
        and "TENON_NO_APT" not in os.environ
    )


def install(packages: list[str]) -> None:
    """Install packages by apt, saying so."""
    step(f"Installing {', '.join(packages)} by apt-get (TENON_NO_APT=1 forbids it)")
    quiet = ["apt-get", "-qq", "-o", "Dpkg::Use-Pty=0"]
    settings = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run([*quiet, "update"], env=settings, stdout=subprocess.DEVNULL, check=False)
    command = [*quiet, "install", "-y", "--no-install-recommends", *packages]
    if subprocess.run(command, env=settings, stdout=subprocess.DEVNULL, check=False).returncode:
        raise Failure(f"apt-get could not install {', '.join(packages)} (see above)")


def chromium() -> str | None:
    """Return the system's Chromium (TENON_CHROMIUM names another), if there is one."""
    named = os.environ.get("TENON_CHROMIUM")
    return named or next(filter(None, map(shutil.which, _CHROMIUM)), None)


def has_chinese_font() -> bool:
    """Say whether screenshots can show Chinese letters."""
    if os.name == "nt":
        return True
    folders = (Path(folder).expanduser() for folder in _CJK_FOLDERS)
    return any(next(folder.rglob("*CJK*"), None) for folder in folders if folder.is_dir())


def missing_drivers() -> list[str]:
    """Return the packages of ODBC (drivers, driver manager) that this Linux lacks."""
    if sys.platform != "linux":
        return []  # elsewhere they come with an installer of their own
    folder = Path(os.environ.get("ODBCSYSINI", "/etc"))
    registered = folder / "odbcinst.ini"
    text = registered.read_text("utf-8", "replace") if registered.is_file() else ""
    missing = [package for name, package in _DRIVERS.items() if f"[{name}]" not in text]
    # Some builds of pyodbc bring the driver manager along, others need the system's.
    return missing + (["libodbc2"] if ctypes.util.find_library("odbc") is None else [])


def ensure_for_tests(*, browser: bool, servers: bool) -> list[str]:
    """Install what tests need and what is missing, or return what a person must install."""
    missing = []
    if browser and chromium() is None:
        missing.append("chromium")
    if browser and not has_chinese_font():
        missing.append("fonts-noto-cjk")
    if servers and shutil.which("mariadbd") is None and not Path("/usr/sbin/mariadbd").exists():
        missing.append("mariadb-server")
    if servers and not any(Path("/usr/lib/postgresql").glob("*/bin/postgres")):
        missing.append("postgresql")
    if (browser or servers) and sys.platform == "linux" and shutil.which("strace") is None:
        missing.append("strace")
    if browser or servers:
        missing += missing_drivers()
    if missing and can_install():
        install(missing)
        return []
    for package in missing:
        note(f"missing: {package}; the tests that need it are skipped")
    return missing
