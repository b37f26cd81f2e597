"""start.py: children end with it, what is in place is whole, its messages say what to do."""

from __future__ import annotations

import ast
import os
import socket
import subprocess
import sys
import time
from argparse import Namespace
from pathlib import Path

import pytest

from startup import console, demo, paths, processes, system, webbuild

_PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks into /proc")
def test_children_and_their_children_end_with_the_block(tmp_path: Path) -> None:
    log = tmp_path / "child.log"
    children: list[processes.Child] = []
    with processes.stopping(children):
        children.append(processes.Child("child", [sys.executable, "-c", _PARENT], log))
        processes.wait_until(lambda: log.read_text().strip().isdigit(), children, "child")
    grandchild = int(log.read_text())
    end = time.monotonic() + 5
    while _alive(grandchild) and time.monotonic() < end:
        time.sleep(0.02)
    assert not _alive(grandchild)


def test_a_child_that_ends_by_itself_is_told_with_its_last_words(tmp_path: Path) -> None:
    script = "print('the disk is full'); raise SystemExit(3)"
    child = processes.Child("The plant", [sys.executable, "-c", script], tmp_path / "log")
    with pytest.raises(console.Failure, match=r"The plant ended with status 3[\s\S]*disk is full"):
        processes.wait_until(lambda: False, [child], "never", seconds=20)


def test_a_taken_port_is_passed_over_or_refused() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not processes.is_free(port)
        assert processes.free_port(port) > port
        with pytest.raises(console.Failure, match=f"Port {port} is taken"):
            demo._refuse_taken(port)


def _options(**changed: object) -> Namespace:
    given = dict.fromkeys(("seed", "profile", "wms", "mes", "kis", "hub"))
    return Namespace(**{**given, "fresh": False, **changed})


def test_a_home_made_with_other_options_is_refused_until_fresh(tmp_path: Path) -> None:
    home = tmp_path / "home"
    demo._prepare_home(home, _options(seed="7"))
    (home / "plant").mkdir()
    (home / "notes.txt").write_text("mine")
    demo._prepare_home(home, _options(seed="7"))
    with pytest.raises(console.Failure, match="--seed"):
        demo._prepare_home(home, _options(seed="8"))
    demo._prepare_home(home, _options(seed="8", fresh=True))
    assert not (home / "plant").exists()
    assert (home / "notes.txt").read_text() == "mine"


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_accounts_are_for_their_owner_alone(tmp_path: Path) -> None:
    demo._write_private(tmp_path / "accounts.json", {"accounts": []})
    assert (tmp_path / "accounts.json").stat().st_mode & 0o777 == 0o600


def test_the_built_pages_are_swapped_whole(tmp_path: Path) -> None:
    place, fresh = tmp_path / "static", tmp_path / "static.new"
    for folder, text in ((place, "old"), (fresh, "new")):
        folder.mkdir()
        (folder / "index.html").write_text(text)
    (place / "only-old.js").write_text("")
    webbuild._swap(fresh, place)
    assert (place / "index.html").read_text() == "new"
    assert [one.name for one in tmp_path.iterdir()] == ["static"]
    assert not (place / "only-old.js").exists()


def test_a_digest_sees_content_and_name() -> None:
    one, other = paths.ROOT / "start.py", paths.ROOT / "pyproject.toml"
    assert paths.digest([one, other]) == paths.digest([other, one])
    assert paths.digest([one]) != paths.digest([other])
    assert paths.digest([one], "3.11") != paths.digest([one], "3.12")


def test_start_py_needs_the_standard_library_only() -> None:
    known = {*sys.stdlib_module_names, "startup"}
    for path in [paths.ROOT / "start.py", *(paths.ROOT / "startup").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                assert {one.name.split(".")[0] for one in node.names} <= known, path
            elif isinstance(node, ast.ImportFrom) and node.module:
                assert node.module.split(".")[0] in known, path


def test_an_unknown_benchmark_is_told_with_the_known_ones() -> None:
    done = subprocess.run(
        [sys.executable, "start.py", "bench", "nonsense"],
        cwd=paths.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "no benchmark nonsense" in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="drivers come by apt on Linux")
def test_drivers_that_are_not_registered_are_named_by_their_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ODBCSYSINI", str(tmp_path))
    monkeypatch.setattr("ctypes.util.find_library", lambda _name: None)
    assert system.missing_drivers() == ["tdsodbc", "libsqliteodbc", "odbc-mariadb", "libodbc2"]
    monkeypatch.setattr("ctypes.util.find_library", lambda name: f"lib{name}.so.2")
    (tmp_path / "odbcinst.ini").write_text("[SQLite3]\nDriver=x\n[MariaDB Unicode]\nDriver=y\n")
    assert system.missing_drivers() == ["tdsodbc"]
