"""Database servers for the tests: those that answer, else our own, in a temporary folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from startup.console import Failure, note
from startup.paths import WINDOWS, python
from startup.processes import Child, free_port, output_of, stopping, wait_until

_FIRST_PORT = 54320
_NAMES = {"TENON_TEST_POSTGRES": "PostgreSQL", "TENON_TEST_MARIADB": "MariaDB"}


@contextmanager
def for_tests() -> Iterator[tuple[dict[str, str], list[str]]]:
    """Give the variables that name the servers, and what is missing."""
    variables: dict[str, str] = {}
    missing: list[str] = []
    children: list[Child] = []
    with tempfile.TemporaryDirectory(prefix="tenon-servers-") as folder, stopping(children):
        Path(folder).chmod(0o755)  # the accounts that the servers run as come in here
        for variable, problem in _problems({}).items():
            name = _NAMES[variable]
            if problem is None:
                note(f"{name}: a server answers")
            elif url := _start(variable, Path(folder), children):
                variables[variable] = url
                wait_until(partial(_answers, variable, variables), children, name)
                note(f"{name}: started one at {url}")
            else:
                missing.append(f"{name}: {problem}")
        yield variables, missing


def _answers(variable: str, variables: dict[str, str]) -> bool:
    return _problems(variables)[variable] is None


def _problems(variables: dict[str, str]) -> dict[str, str | None]:
    answer: dict[str, str | None] = json.loads(
        output_of([python(), "-m", "tests.servers"], variables)
    )
    return answer


def _postgresql(folder: Path, children: list[Child]) -> str | None:
    found = [*Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    on_path = shutil.which("postgres")
    if not found and on_path is None:
        return None
    programs = max(found).parent if found else Path(on_path or "").parent
    data, owner = _data_folder(folder / "postgresql", "postgres")
    _run([programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-N"], owner)
    port = free_port(_FIRST_PORT)
    settings = ["listen_addresses=127.0.0.1", f"unix_socket_directories={data}", "fsync=off"]
    options = [word for setting in settings for word in ("-c", setting)]
    command = [str(programs / "postgres"), "-D", str(data), "-p", str(port), *options]
    children.append(Child("PostgreSQL", command, folder / "postgresql.log", user=owner))
    return f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"


def _mariadb(folder: Path, children: list[Child]) -> str | None:
    server = shutil.which("mariadbd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    install = shutil.which("mariadb-install-db")
    if server is None or install is None:
        return None
    data, owner = _data_folder(folder / "mariadb", "mysql")
    open_root = ["--auth-root-authentication-method=normal", "--skip-test-db"]
    _run([install, "--no-defaults", f"--datadir={data}", *open_root], owner)
    port = free_port(_FIRST_PORT + 100)
    where = [f"--datadir={data}", f"--socket={data}/s", f"--port={port}", f"--pid-file={data}/pid"]
    command = [server, "--no-defaults", "--bind-address=127.0.0.1", *where]
    children.append(Child("MariaDB", command, folder / "mariadb.log", user=owner))
    return f"mysql+pymysql://root@127.0.0.1:{port}/mysql"


def _start(variable: str, folder: Path, children: list[Child]) -> str | None:
    """Start a server of our own, unless another was named or its programs are not here."""
    if WINDOWS or os.environ.get(variable):
        return None
    starters = {"TENON_TEST_POSTGRES": _postgresql, "TENON_TEST_MARIADB": _mariadb}
    return starters[variable](folder, children)


def _data_folder(path: Path, account: str) -> tuple[Path, str | None]:
    """Make a data folder; database servers refuse to run as root, so root gives it away."""
    path.mkdir(mode=0o700)
    if os.geteuid() != 0:
        return path, None
    for owner in (account, "nobody"):
        with suppress(LookupError):
            shutil.chown(path, owner)
            return path, owner
    raise Failure(f"{account} cannot run as root, and there is no account {account} or nobody")


def _run(command: list[Any], owner: str | None) -> None:
    subprocess.run(
        list(map(str, command)), user=owner, cwd="/", check=True, stdout=subprocess.DEVNULL
    )
