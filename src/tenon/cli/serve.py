"""`tenon serve`: the web server, the sync cycle, the jobs."""

from __future__ import annotations

import gc
import signal
from contextlib import nullcontext, suppress
from typing import Annotated

import typer
import uvicorn

from tenon.assembly import open_tenon
from tenon.assembly.home import with_public_url
from tenon.cli.logs import begin_logging
from tenon.cli.options import HERE, Home
from tenon.cli.speech import plainly, tell
from tenon.connect.egress import keep_off
from tenon.kernel.text import Text
from tenon.server.app import create_app

_SERVING = Text("Tenon 已启动：http://{host}:{port}", "Tenon serves at http://{host}:{port}")
_HELD = Text(
    "此实例由备份恢复，尚未放行：不会同步，也不会与外部系统通信（tenon release 放行）。",
    "This instance was restored from a backup and is held: it neither syncs nor talks to other "
    "systems (tenon release lets it).",
)


def serve(
    home: Home = HERE,
    host: Annotated[str, typer.Option(help="监听地址 / listen at")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8420,
    public_url: Annotated[
        str | None,
        typer.Option(help="用户访问的网址，仅本次有效 / the address people use, this time only"),
    ] = None,
    no_sync: Annotated[bool, typer.Option("--no-sync", help="不同步 / do not sync")] = False,
    no_jobs: Annotated[
        bool, typer.Option("--no-jobs", help="不处理任务 / leave jobs to `tenon worker`")
    ] = False,
) -> None:
    """启动服务 / Serve the pages and keep the sources synced."""
    begin_logging()
    with plainly(), open_tenon(home) as tenon:
        if public_url:
            tenon.settings = with_public_url(tenon.settings, public_url)
        held = tenon.held_since is not None
        if held:
            tell(_HELD)
        server = uvicorn.Server(
            uvicorn.Config(
                create_app(tenon),
                host=host,
                port=port,
                log_level="warning",
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=5,
            )
        )
        # The web server ends on the signal and then raises it again: let it unwind us, in order.
        signal.signal(signal.SIGTERM, _end)
        keep_off(port)  # no source may be pointed at Tenon itself
        tell(_SERVING.format(host=host, port=port))
        gc.freeze()  # what was loaded stays: collections need not look through it
        working = nullcontext() if held else tenon.at_work(sync=not no_sync, jobs=not no_jobs)
        with working, suppress(KeyboardInterrupt):
            server.run()


def _end(*_signal: object) -> None:
    raise SystemExit(0)
