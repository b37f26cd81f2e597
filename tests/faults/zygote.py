"""A process that has imported everything and forks servers and workers on demand.

Starting Python with all of Tenon takes two seconds, a fork a few milliseconds: two hundred kills
become affordable. Nothing is open when it forks: no database, no thread, no socket.

Commands come as JSON lines: `{"do": "server"|"worker", "home", "port", "fault", "jobs", "lease"}`
is answered by `{"pid"}`; `{"do": "wait", "pid", "seconds"}` by `{"status"}` (None when it lives
on); `{"do": "kill", "pid", "signal"}` by `{}`.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import uvicorn

from tenon.assembly import open_tenon, working
from tenon.jobs import worker
from tenon.kernel import faults
from tenon.server.app import create_app
from tenon.store import Hub

_log = logging.getLogger(__name__)


class Patient(worker.Worker):
    """A worker that blames no job for its death: here the killing comes from outside."""

    def __init__(self, hub: Hub, kinds: Sequence[worker.Kind], **more: Any) -> None:
        super().__init__(hub, [replace(one, max_tries=1000) for one in kinds], **more)


def main() -> None:
    """Fork what is asked for until the pipe closes."""
    vars(working)["Worker"] = Patient
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    children: set[int] = set()
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(_answer(asked, children)), flush=True)
    for pid in children:
        os.kill(pid, signal.SIGKILL)


def _answer(asked: dict[str, Any], children: set[int]) -> dict[str, Any]:
    if asked["do"] == "wait":
        status = _wait(asked["pid"], asked["seconds"])
        if status is not None:
            children.discard(asked["pid"])
        return {"status": status}
    if asked["do"] == "kill":
        os.kill(asked["pid"], asked["signal"])
        return {}
    pid = os.fork()
    if pid == 0:
        _live(asked)
    children.add(pid)
    return {"pid": pid}


def _wait(pid: int, seconds: float) -> int | None:
    until = time.monotonic() + seconds
    while True:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > until:
            return None
        time.sleep(0.005)


def _live(asked: dict[str, Any]) -> None:
    """Be a server or a worker until killed; a child never returns to the loop above."""
    try:
        log = Path(asked["log"]).open("a", buffering=1)  # noqa: SIM115  for as long as it lives
        os.dup2(log.fileno(), 2)
        os.dup2(log.fileno(), 1)
        logging.basicConfig(level=logging.INFO, stream=log, force=True)
        logging.getLogger("httpx").setLevel(logging.WARNING)
        with open_tenon(Path(asked["home"])) as opened:
            faults.arm(asked.get("fault"))
            work = opened.at_work(
                jobs=asked.get("jobs", True), sync=asked.get("sync", True),
                lease_seconds=asked.get("lease", 30.0),
            )  # fmt: skip
            with work:
                if asked["do"] == "worker":
                    threading.Event().wait()
                config = uvicorn.Config(
                    create_app(opened), port=asked["port"], log_level="warning",
                    access_log=False, lifespan="off",
                )  # fmt: skip
                uvicorn.Server(config).run()
    except BaseException:  # noqa: BLE001  a child must not fall back into the loop
        _log.exception("the child ended")
        os._exit(3)
    os._exit(0)


if __name__ == "__main__":
    main()
