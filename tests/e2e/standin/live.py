"""The live events of the stand-in: a test says that something changed, or cuts the streams."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

from fastapi import APIRouter
from starlette.responses import StreamingResponse

from tests.e2e.standin.rules import STATE, Refused, need

routes = APIRouter()

_News = asyncio.Queue[list[str] | None]
_STREAMS: list[tuple[asyncio.AbstractEventLoop, _News]] = []


def announce(*topics: str) -> None:
    """Tell every open stream."""
    for loop, news in tuple(_STREAMS):
        loop.call_soon_threadsafe(news.put_nowait, list(topics))


def cut() -> None:
    """End every open stream."""
    for loop, news in tuple(_STREAMS):
        loop.call_soon_threadsafe(news.put_nowait, None)


def streams() -> int:
    """How many streams are open."""
    return len(_STREAMS)


class _EventStream(StreamingResponse):
    media_type = "text/event-stream"


@routes.get("/api/live", response_class=_EventStream)
async def live() -> _EventStream:
    """Live events."""
    need("orders.read")
    if STATE["mute"]:
        raise Refused(429, "too_many_streams", "实时连接过多", "Too many live connections")
    return _EventStream(_events())


async def _events() -> AsyncIterator[bytes]:
    news: _News = asyncio.Queue()
    mine = (asyncio.get_running_loop(), news)
    _STREAMS.append(mine)
    try:
        yield b"event: hello\ndata: {}\n\n"
        while (topics := await news.get()) is not None:
            yield f"event: changed\ndata: {json.dumps({'topics': topics})}\n\n".encode()
    finally:
        _STREAMS.remove(mine)
