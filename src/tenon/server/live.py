"""Live events: pages hear that something changed, and read it again under their own permissions.

A stream carries topics and nothing else. Topics are gathered for a moment and sent together;
of records only those whose entity the role may read. One watch for all streams ends those whose
session was revoked or whose role changed.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from starlette.concurrency import run_in_threadpool

from tenon.access import sessions
from tenon.access.errors import TooMany
from tenon.assembly import Tenon
from tenon.kernel.errors import NotAllowed
from tenon.kernel.text import Text
from tenon.records.ports import Actor
from tenon.store.signals import EVERYTHING

GATHER: Final = 0.2
HEARTBEAT: Final = 15.0
WATCH: Final = 0.5
OF_USER: Final = 20
OF_PROCESS: Final = 500

_FULL = Text(
    "实时连接过多；请关闭一些页面，{seconds} 秒后再试。",
    "There are too many live connections. Close some pages and try again in {seconds} s.",
)
_RECORD: Final = "record:"
_TOLD: Final = frozenset(
    {"flow_run", "sync_run", "task", "notice", "hook_event", "report", EVERYTHING}
)


@dataclass(eq=False)
class Stream:
    """One page that listens."""

    actor: Actor
    token: str
    loop: asyncio.AbstractEventLoop
    topics: set[str] = field(default_factory=set)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    ended: bool = False

    def tell(self, topics: frozenset[str]) -> None:
        """Take topics in, on the loop's own thread."""
        self.topics |= topics
        self.news.set()

    def end(self) -> None:
        """Let the stream end."""
        self.ended = True
        self.news.set()


class Live:
    """The streams of this process."""

    def __init__(self, tenon: Tenon) -> None:
        self._tenon = tenon
        self._streams: set[Stream] = set()
        self._watch: asyncio.Task[None] | None = None
        tenon.hub.signals.subscribe(self._hear)

    def open(self, actor: Actor, token: str) -> Stream:
        """A new stream; TooMany when this user, or this process, has too many."""
        counts = Counter(stream.actor.id for stream in self._streams)
        if counts[actor.id] >= OF_USER or len(self._streams) >= OF_PROCESS:
            raise TooMany("too_many_streams", _FULL, seconds=10)
        stream = Stream(actor, token, asyncio.get_running_loop())
        self._streams.add(stream)
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._watching())
        return stream

    async def events(self, stream: Stream) -> AsyncIterator[bytes]:
        """The stream's events until its session ends or its reader leaves."""
        try:
            yield _event("hello", {})
            while not stream.ended:
                with suppress(TimeoutError):
                    await asyncio.wait_for(stream.news.wait(), HEARTBEAT)
                if stream.ended:
                    break
                if not stream.news.is_set():
                    yield b": still here\n\n"
                    continue
                await asyncio.sleep(GATHER)
                topics, stream.topics = stream.topics, set()
                stream.news.clear()
                if told := self._allowed(stream.actor, topics):
                    yield _event("changed", {"topics": told})
        finally:
            self._streams.discard(stream)

    def _hear(self, topics: frozenset[str]) -> None:
        """Hand topics to every stream; called on whichever thread has committed."""
        if not self._streams:
            return
        told = frozenset(t for t in topics if t in _TOLD or t.startswith(_RECORD))
        if told:
            for stream in list(self._streams):
                with suppress(RuntimeError):  # its loop has just been closed
                    stream.loop.call_soon_threadsafe(stream.tell, told)

    def _allowed(self, actor: Actor, topics: set[str]) -> list[str]:
        """The topics that this actor may hear of: names of hidden entities are data too."""
        return sorted(t for t in topics if not t.startswith(_RECORD) or self._may(actor, t))

    def _may(self, actor: Actor, topic: str) -> bool:
        try:
            self._tenon.policy.check_read(actor, topic.removeprefix(_RECORD))
        except NotAllowed:
            return False
        return True

    async def _watching(self) -> None:
        """End the streams of sessions that are no more; one look for all of them."""
        while self._streams:
            await asyncio.sleep(WATCH)
            streams = list(self._streams)
            tokens = {stream.token for stream in streams}
            with suppress(Exception):  # the database is away: the next look will tell
                alive = await run_in_threadpool(self._alive, tokens)
                for stream in streams:
                    if alive.get(stream.token) != stream.actor:
                        stream.end()

    def _alive(self, tokens: set[str]) -> dict[str, Actor]:
        with self._tenon.hub.read() as connection:
            found = {token: sessions.find(connection, token) for token in tokens}
        return {token: who.actor for token, who in found.items() if who is not None}


def _event(name: str, data: dict[str, object]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()
