"""The pages of a stream, one after the other, until its system says that was all.

Whoever lies is noticed: a page that comes again, fewer items than were announced, pages without
end, an order that is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final

import httpx

from tenon.connect.connectors.http.answer import Ambiguous, at
from tenon.connect.connectors.http.client import SHAPE, Client, Told
from tenon.connect.connectors.http.rows import Item, named
from tenon.connect.contract import CursorValue
from tenon.define.models import HttpDef, StreamDef
from tenon.kernel import clock
from tenon.kernel.errors import Retry, Stop, TenonError
from tenon.kernel.text import Text

_LONGEST_TOKEN: Final = 4096
_MOST_EMPTY: Final = 20

_REPEATS = Text(
    "来源“{source}”的“{path}”把同一页又给了一遍（第 {page} 页），已停止以免无休止地读。"
    "请核对流定义中的分页方式（http: pages、page_param）；本来就不分页的写 pages: none。",
    "“{path}” of the source “{source}” gave the same page again (page {page}); it has stopped "
    "rather than read for ever. Check how the definition asks for pages (http: pages, "
    "page_param); a list without pages has pages: none.",
)
_ENDLESS = Text(
    "来源“{source}”的“{path}”读了 {pages} 页还没有完，已停止。请核对分页方式；"
    "数据确实这么多时，在流定义中调大 http: max_pages 或每页数量 size。",
    "“{path}” of the source “{source}” has not ended after {pages} pages; it has stopped. Check "
    "how pages are asked for; if there really is so much, raise http: max_pages or size.",
)
_EMPTY = Text(
    "来源“{source}”的“{path}”连续给了 {pages} 个空页，却说还有下一页，已停止。请核对分页方式。",
    "“{path}” of the source “{source}” gave {pages} empty pages in a row and says there is more; "
    "it has stopped. Check how pages are asked for.",
)
_INCOMPLETE = Text(
    "来源“{source}”的“{path}”说共有 {total} 条，实际给了 {read} 条；读到的不完整，"
    "Tenon 会稍后重读。",
    "“{path}” of the source “{source}” says there are {total} and gave {read}; what was read is "
    "not whole. Tenon reads it again later.",
)
_TOO_LONG = Text(
    "来源“{source}”的“{path}”读了 {seconds} 秒还没有完，这一轮到此为止；已写入的保留，"
    "Tenon 会继续。需要更久时调大连接设置 read_seconds。",
    "Reading “{path}” of the source “{source}” has not ended after {seconds} s; this round ends "
    "here. What was written stays and Tenon goes on. Raise the setting read_seconds if it needs "
    "longer.",
)
_FAILED = Text(
    "来源“{source}”的“{path}”虽然返回 HTTP 200，却说失败了：{said}。Tenon 会稍后重试。",
    "“{path}” of the source “{source}” answered HTTP 200 and yet says that it failed: {said}. "
    "Tenon tries again later.",
)
_UNORDERED = Text(
    "来源“{source}”的“{path}”没有按“{column}”排序（{before} 之后出现了 {after}），"
    "中断时会漏行，已停止。请让对方排序，或在流定义中写 http: {ordered: false}。",
    "“{path}” of the source “{source}” is not ordered by “{column}” ({after} came after {before}): "
    "rows would be lost when a run is interrupted, so it has stopped. Have it ordered, or write "
    "http: {ordered: false} in the definition.",
)


@dataclass(frozen=True, slots=True)
class Page:
    """The items of a page, and what was told with them."""

    items: list[dict[str, Any]]
    told: Told
    last: bool


class Walk:
    """One reading of a stream, from its first page to its last."""

    def __init__(self, client: Client, stream: StreamDef, path: str) -> None:
        self._client, self._stream, self._path = client, stream, path
        self._http = stream.http or HttpDef()
        self._size = self._http.size or client.settings.page_rows
        self._seen: set[bytes] = set()
        self._read = self._empty = 0
        self._before: tuple[Any, Any] | None = None

    def first(self, since: CursorValue | None) -> httpx.URL:
        """The address of the first page."""
        http = self._http
        params: dict[str, str | int] = dict(http.params)
        if http.size_param:
            params[http.size_param] = self._size
        if http.since_param and since is not None:
            params[http.since_param] = since.isoformat() if isinstance(since, datetime) else since
        if http.pages in {"number", "offset"}:
            params[http.asked] = http.start
        return self._client.url(self._path, params)

    def pages(self, url: httpx.URL, unless: Mapping[str, str]) -> Iterator[Page]:
        """The pages; the first with status 304 and no items when it is as `unless` says."""
        until = clock.monotonic() + self._client.settings.read_seconds
        for number in range(1, self._http.max_pages + 1):
            if clock.monotonic() > until:
                seconds = f"{self._client.settings.read_seconds:g}"
                raise self._error(Retry, "read_too_long", _TOO_LONG, seconds=seconds)
            self._refuse_repeated(str(url), number)
            told = self._client.get(url, unless if number == 1 else None)
            if told.answer.status == 304:
                yield Page([], told, last=True)
                return
            items = self._items(told)
            if items:
                self._refuse_repeated(self._mark(items), number)
            self._refuse_unordered(items)
            self._read += len(items)
            following = self._next(url, told, items, number)
            yield Page(items, told, last=following is None)
            if following is None:
                return
            url = following
        raise self._error(Stop, "too_many_pages", _ENDLESS, pages=self._http.max_pages)

    def _items(self, told: Told) -> list[dict[str, Any]]:
        for place, good in self._http.ok.items():
            if not any(_alike(self._at(told, place), one) for one in good):
                where = self._http.error if self._http.error is not None else place
                raise self._error(
                    Retry, "source_failed", _FAILED, said=str(self._at(told, where))[:200]
                )
        items = self._at(told, self._http.items)
        if not isinstance(items, list) or not all(isinstance(i, dict) for i in items):
            raise self._client.garbage(SHAPE)
        return items

    def _at(self, told: Told, place: str) -> Any:
        try:
            return at(told.value, place)
        except Ambiguous:
            raise self._client.garbage(SHAPE) from None

    def _next(
        self, url: httpx.URL, told: Told, items: Sequence[Item], number: int
    ) -> httpx.URL | None:
        """The address of the next page; None when this was the last."""
        match self._http.pages:
            case "none":
                return None
            case "number" | "offset":
                if self._ended(told, items):
                    return None
                at_item = self._read if self._http.pages == "offset" else number
                return url.copy_set_param(self._http.asked, self._http.start + at_item)
            case "link":
                links = (to for relation, to in told.answer.links if relation == "next")
                link = next(links, None)
            case _:
                link = self._token(told)
        if link is None:
            return None
        self._refuse_empty(items)
        if self._http.pages == "token":
            return url.copy_set_param(self._http.asked, link)
        return self._client.follow(url, link)

    def _token(self, told: Told) -> str | None:
        token = self._at(told, self._http.next)
        if token is None or token == "":
            return None
        good = isinstance(token, str | int) and not isinstance(token, bool)
        if not good or len(str(token)) > _LONGEST_TOKEN:
            raise self._client.garbage(SHAPE)
        return str(token)

    def _ended(self, told: Told, items: Sequence[Item]) -> bool:
        if self._http.total is not None:
            total = _count(self._at(told, self._http.total))
            if total is None:
                raise self._client.garbage(SHAPE)
            if self._read > total or (self._read < total and not items):
                raise self._error(
                    Retry, "source_incomplete", _INCOMPLETE, total=total, read=self._read
                )
            return self._read == total
        return not items or (self._http.ends == "short" and len(items) < self._size)

    def _mark(self, items: Sequence[Item]) -> str:
        """What tells a page from any other: its keys with their cursor, whatever else differs."""
        cursor = self._stream.cursor
        keys = named(items, [*self._stream.key, *([cursor.column] if cursor else [])])
        return repr(keys if any(map(any, keys)) else items)

    def _refuse_repeated(self, mark: str, number: int) -> None:
        """Stop at an address that was asked before, or a page that came before."""
        digest = blake2b(mark.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        if digest in self._seen:
            raise self._error(Stop, "source_repeats", _REPEATS, page=number)
        self._seen.add(digest)

    def _refuse_empty(self, items: Sequence[Item]) -> None:
        self._empty = 0 if items else self._empty + 1
        if self._empty >= _MOST_EMPTY:
            raise self._error(Stop, "too_many_pages", _EMPTY, pages=self._empty)

    def _refuse_unordered(self, items: Sequence[Item]) -> None:
        cursor = self._stream.cursor
        if cursor is None or not self._http.ordered:
            return
        for (value,) in named(items, [cursor.column]):
            place = rank(value)
            if place is None:
                continue
            before, self._before = self._before, (place, value)
            if before is not None and before[0][0] == place[0] and before[0] > place:
                raise self._error(
                    Stop, "not_ordered", _UNORDERED, column=cursor.column,
                    before=str(before[1])[:60], after=str(value)[:60],
                )  # fmt: skip

    def _error(self, kind: type[TenonError], code: str, text: Text, **params: Any) -> TenonError:
        source = self._client.settings.source
        return kind(code, text, source=source, path=self._path, **params)


def rank(value: Any) -> tuple[int, Any] | None:
    """Where a cursor's value stands among others of its kind; None when it has no place."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal) or value == "":
        return None
    if not isinstance(value, str):
        return 0, value
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return 1, value
    return (2, moment) if moment.tzinfo is None else (3, moment.astimezone(UTC))


def _alike(found: Any, wanted: str | int) -> bool:
    return found is not None and str(found).casefold() == str(wanted).casefold()


def _count(value: Any) -> int | None:
    """A count, also of systems that write it as text."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else None
