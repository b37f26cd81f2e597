"""Child processes that end with us, on POSIX and on Windows."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

from startup.console import Failure
from startup.paths import ROOT, WINDOWS

_PATIENCE = 15.0
_LOG_TAIL = 15


class Child:
    """A process of its own group, whose output goes to a log file."""

    def __init__(
        self,
        name: str,
        command: list[str],
        log: Path,
        *,
        more: dict[str, str] | None = None,
        user: str | None = None,
        yields: bool = False,
    ) -> None:
        self.name = name
        self._log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                _niced(command) if yields else command,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1", **(more or {})},
                user=user,
                **_own_group(),
            )

    def check(self) -> None:
        """Raise when the process has ended by itself."""
        status = self._process.poll()
        if status is not None:
            raise Failure(
                f"{self.name} ended with status {status}; {self._log} ends:\n{self.tail()}"
            )

    def tail(self) -> str:
        """Return the last lines of the log."""
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(f"    {line}" for line in lines[-_LOG_TAIL:])

    def stop(self) -> None:
        """Ask the process and its children to end, then make them."""
        self._signal(getattr(signal, "CTRL_BREAK_EVENT", signal.SIGTERM))
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_PATIENCE)
        if self._process.poll() is None:
            self._signal(None)
            self._process.wait(_PATIENCE)

    def _signal(self, number: int | None) -> None:
        if self._process.poll() is not None:
            return
        with suppress(OSError):
            if WINDOWS:
                self._process.kill() if number is None else self._process.send_signal(number)
            else:
                os.killpg(self._process.pid, signal.SIGKILL if number is None else number)


@contextmanager
def stopping(children: list[Child]) -> Iterator[None]:
    """Stop the children, last one first, however the block ends; SIGTERM counts as Ctrl-C."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        ignored = signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C waits too
        for child in reversed(children):
            child.stop()
        signal.signal(signal.SIGINT, ignored)
        signal.signal(signal.SIGTERM, before)


def wait_until(
    ready: Callable[[], bool], children: list[Child], what: str, seconds: float = 60.0
) -> None:
    """Wait until something is ready, as long as every child lives."""
    end = time.monotonic() + seconds
    while not ready():
        for child in children:
            child.check()
        if time.monotonic() > end:
            raise Failure(f"{what} is not ready after {seconds:.0f} s; see the logs")
        time.sleep(0.05)


def answers(url: str) -> bool:
    """Say whether a server answers, with whatever status."""
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def free_port(first: int, tries: int = 50) -> int:
    """Return the first free port from `first` on."""
    for port in range(first, first + tries):
        if is_free(port):
            return port
    raise Failure(f"The ports {first} to {first + tries - 1} are all taken; name one with --port")


def is_free(port: int) -> bool:
    """Say whether a server could listen on a port of 127.0.0.1."""
    with socket.socket() as probe:
        if not WINDOWS:  # a port in TIME_WAIT is free; on Windows the option means another thing
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def output_of(command: list[str], more: dict[str, str] | None = None) -> str:
    """Run a command to its end and return what it printed; its errors go to the terminal."""
    variables = {**os.environ, "PYTHONUTF8": "1", **(more or {})}
    done = subprocess.run(
        command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, encoding="utf-8", check=False
    )
    if done.returncode:
        sys.stdout.write(done.stdout)
        raise Failure(f"{' '.join(command)} ended with status {done.returncode} (see above)")
    return done.stdout


def read_json(path: Path) -> Any:
    """Read a JSON file that another process may be writing just now; None when not there yet."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _niced(command: list[str]) -> list[str]:
    """Let a process that calculates much leave the processor to those that people wait for."""
    nice = None if WINDOWS else shutil.which("nice")
    return [nice, "-n", "10", *command] if nice else command


def _own_group() -> dict[str, Any]:
    if WINDOWS:
        return {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
    return {"start_new_session": True}
