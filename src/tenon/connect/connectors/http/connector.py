"""The HTTP connector: systems with a REST interface, read only.

Where a stream's definition says nothing of `http`, a page is
`GET path?updated_since=…&after=…&limit=…` → `{"items": […], "next": null | "token"}`, ordered by
(cursor, key). Nested objects and lists that are not exploded travel as JSON text.

A list that is read whole and came in one page is asked for with what its system said of its
version (ETag, Last-Modified): when it has not changed, nothing is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from email.utils import parsedate_to_datetime
from hashlib import blake2b
from itertools import chain
from typing import Any, Final

import httpx
import pyarrow as pa

from tenon.connect.connectors.http import rows
from tenon.connect.connectors.http.client import SHAPE, Client
from tenon.connect.connectors.http.discovery import found_at
from tenon.connect.connectors.http.pages import Page, Walk, rank
from tenon.connect.contract import (
    Capabilities,
    ConnectorSettings,
    CursorValue,
    Found,
    StreamUnchanged,
    Version,
)
from tenon.define.models import StreamDef
from tenon.kernel.errors import Stop
from tenon.kernel.text import Text

CAPABILITIES: Final = Capabilities(
    kind="http",
    detects=frozenset({"watermark", "full"}),
    encodings=("utf-8", "gb18030"),
    page_rows=500,
)
_MOST_UNORDERED: Final = 200_000
_MOST_LEFT: Final = 0.8
# Within the second of a change its time says nothing of what came after it.
_SURE: Final = timedelta(seconds=60)

_TOO_MANY = Text(
    "来源“{source}”的“{path}”没有排序（ordered: false），一次读到的超过 {most} 条，已停止。"
    "请让对方按时间排序，再去掉 ordered: false。",
    "“{path}” of the source “{source}” comes without order (ordered: false) and has over {most} "
    "items in one reading; it has stopped. Have it ordered by time, then drop ordered: false.",
)


class HttpConnector:
    """One REST system."""

    capabilities = CAPABILITIES

    def __init__(self, settings: ConnectorSettings) -> None:
        self._source, self._calls = settings.source, settings.calls
        self._client = Client(settings)
        self._paths = [str(path) for path in settings.values.get("paths") or ()]
        self.address = self._client.address
        self._read: dict[str, Version | None] = {}  # to be kept once it is written

    def check(self) -> None:
        """Ask for the path named in the settings, or only whether the system lets us in."""
        path = self._client.settings.check_path
        self._client.hurry()
        with self._client.trying():
            if path is None:
                self._client.reach()
            else:
                self._client.get(self._client.url(path, {"limit": 1}))

    def discover(self) -> list[Found]:
        """What the paths named in the settings hold: such systems do not describe themselves."""
        found: list[Found] = []
        for path in self._paths:
            first = next(self.read(StreamDef(name="sample", path=path, key=()), None), None)
            found += found_at(path, first)
        return found

    def read(self, stream: StreamDef, since: CursorValue | None) -> Iterator[pa.RecordBatch]:
        """The stream's pages; StreamUnchanged when it is as it was read last."""
        with self._client.trying():
            yield from self._batches(stream, since)

    @property
    def finish(self) -> Callable[[StreamDef], None] | None:
        """Keeps what was said of the version of a stream that is written now.

        None when nothing was said: then the runner need not wait for the disk.
        """
        return self._keep if self._read else None

    def fetch(self, path: str) -> dict[str, Any]:
        """The item at a path."""
        with self._client.trying():
            item = self._client.get(self._client.url(path)).value
        if not isinstance(item, dict):
            raise self._client.garbage(SHAPE)
        return item

    def batch(self, stream: StreamDef, item: Mapping[str, Any]) -> pa.RecordBatch | None:
        """The item's rows as `read` gives them."""
        return rows.batch(stream, self._source, _path(stream), [item], doubled=True)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _batches(self, stream: StreamDef, since: CursorValue | None) -> Iterator[pa.RecordBatch]:
        walk, path = Walk(self._client, stream, _path(stream)), _path(stream)
        url = walk.first(since)
        known = self._calls.version(stream.name) if stream.cursor is None else None
        if known is not None and known.asked != _asked(stream, url):
            known = None
        pages = walk.pages(url, _unless(known))
        ordered = pages if _in_order(stream) else self._ordered(stream, path, pages)
        for number, page in enumerate(ordered, 1):
            if page.told.answer.status == httpx.codes.NOT_MODIFIED:
                raise StreamUnchanged
            batch = rows.batch(stream, self._source, path, page.items, doubled=page.told.doubled)
            if stream.cursor is None and page.last:
                self._note(stream, known, _version(stream, url, page) if number == 1 else None)
            if batch is not None:
                yield batch

    def _note(self, stream: StreamDef, known: Version | None, version: Version | None) -> None:
        """Remember the version of a list that came whole, in one page; forget any other."""
        # Much that is gone is not believed at once: it is looked at again each time.
        if version and known and version.rows < known.rows * _MOST_LEFT:
            version = None
        if version != known:
            self._read[stream.name] = version

    def _keep(self, stream: StreamDef) -> None:
        if stream.name in self._read:
            self._calls.keep(stream.name, self._read.pop(stream.name))

    def _ordered(self, stream: StreamDef, path: str, pages: Iterable[Page]) -> Iterator[Page]:
        """All pages read first, then their items by the cursor; those without one come first."""
        found = list(self._bounded(path, pages))
        items = list(chain.from_iterable(page.items for page in found))
        column = stream.cursor.column if stream.cursor else ""
        places = rows.named(items, [column])
        order = sorted(range(len(items)), key=lambda i: rank(places[i][0]) or (-1, 0))
        size = self._client.settings.page_rows
        doubled = next((p.told for p in found if p.told.doubled), found[0].told)
        for start in range(0, len(order), size):
            part = [items[i] for i in order[start : start + size]]
            yield Page(part, doubled, last=start + size >= len(order))

    def _bounded(self, path: str, pages: Iterable[Page]) -> Iterator[Page]:
        count = 0
        for page in pages:
            count += len(page.items)
            if count > _MOST_UNORDERED:
                raise Stop(
                    "too_many_unordered", _TOO_MANY, source=self._source, path=path,
                    most=_MOST_UNORDERED,
                )  # fmt: skip
            yield page


def _path(stream: StreamDef) -> str:
    return stream.path or f"/{stream.name}"


def _in_order(stream: StreamDef) -> bool:
    return stream.cursor is None or stream.http is None or stream.http.ordered


def _asked(stream: StreamDef, url: httpx.URL) -> str:
    said = f"{url}\n{stream.model_dump_json()}"
    return blake2b(said.encode(), digest_size=16).hexdigest()


def _unless(known: Version | None) -> dict[str, str]:
    if known is None:
        return {}
    if known.etag:
        return {"If-None-Match": known.etag}
    return {"If-Modified-Since": known.modified} if known.modified else {}


def _version(stream: StreamDef, url: httpx.URL, page: Page) -> Version | None:
    headers = page.told.answer.headers
    etag, modified = headers.get("ETag"), headers.get("Last-Modified")
    if not etag and (not modified or not _is_sure(modified, headers.get("Date", ""))):
        return None
    if not all(len(one) <= 400 and one.isascii() for one in (etag, modified) if one):
        return None
    return Version(_asked(stream, url), etag or None, modified or None, len(page.items))


def _is_sure(modified: str, date: str) -> bool:
    """Whether a change after that moment would have another time."""
    try:
        return parsedate_to_datetime(date) - parsedate_to_datetime(modified) >= _SURE
    except (ValueError, TypeError):
        return False
