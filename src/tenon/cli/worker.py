"""`tenon worker`: jobs alone, beside servers that share one PostgreSQL."""

from __future__ import annotations

import gc
import signal
import threading
from typing import Annotated

import typer

from tenon.assembly import open_tenon
from tenon.cli.logs import begin_logging
from tenon.cli.options import HERE, Home
from tenon.cli.speech import plainly, tell
from tenon.kernel.errors import Config
from tenon.kernel.text import Text

_WORKING = Text("Tenon 工作进程已启动，按 Ctrl-C 结束。", "Tenon works; Ctrl-C ends it.")
_SQLITE = Text(
    "SQLite 数据库只能由一个进程使用：“tenon serve” 自己就会处理任务。"
    "要用多个进程，请把数据库换成 PostgreSQL（settings.yaml 的 hub）。",
    "A SQLite hub belongs to one process: `tenon serve` does the jobs itself. For several "
    "processes keep the hub in PostgreSQL (hub in settings.yaml).",
)


def worker(
    home: Home = HERE,
    threads: Annotated[int, typer.Option(min=1, max=64, help="并行线程 / side by side")] = 2,
    sync: Annotated[bool, typer.Option("--sync", help="也同步 / also sync the sources")] = False,
) -> None:
    """只处理任务（PostgreSQL）/ Do jobs beside other processes of one PostgreSQL."""
    begin_logging()
    with plainly(), open_tenon(home) as tenon:
        if tenon.hub.dialect == "sqlite":
            raise Config("sqlite_worker", _SQLITE)
        tenon.refuse_when_held()
        over = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: over.set())
        tell(_WORKING)
        gc.freeze()  # what was loaded stays: collections need not look through it
        with tenon.at_work(threads=threads, sync=sync):
            over.wait()
