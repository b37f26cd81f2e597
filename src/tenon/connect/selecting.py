"""A stream compiled to SQL: names from the catalogue only, values bound, pages by keyset.

What differs between databases (how a value is bound, how a column is read) are the connector's
`Terms`; what goes wrong with all of them alike stands here. A part of the connector contract for
those that read tables.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from tenon.connect.contract import Column, ColumnAbsent, Found, StreamAbsent
from tenon.define.models import StreamDef
from tenon.kernel.errors import NeedsUser, Retry, Stop, TenonError
from tenon.kernel.text import Text

# A column with its type and whether it may be empty.
_Known = tuple[sa.ColumnElement[Any], str, bool]
_PLACE: Final = re.compile(r"%\((\w+)\)s|(?<!:):(\w+)|\?")
NO_TABLE: Final = Text("没有这个表或视图", "no such table or view")


class Terms:
    """How one database wants columns to be read and values to be bound."""

    def shown(self, column: sa.ColumnElement[Any], kind: str) -> sa.ColumnElement[Any]:
        """A column of this type as it is selected."""
        return column

    def read(self, kind: str) -> Callable[[Any], Any] | None:
        """What makes a column's value of what the driver gives; None when nothing is to be done."""
        return None

    def bound(self, value: Any, kind: str = "") -> Any:
        """A value to be compared with a column of this type, as a bound parameter."""
        return None if value is None else sa.literal(value)

    def since(self, value: Any, kind: str) -> Any:
        """A cursor value that was kept, for a cursor column of this type."""
        return self.bound(value, kind)


_UNREACHABLE = Text(
    "连接不上来源“{source}”（{address}）：文件不存在或服务器没有应答。Tenon 会继续重试；"
    "请检查网络、服务和文件位置。",
    "The source “{source}” ({address}) cannot be reached: the file is not there or the server "
    "does not answer. Tenon keeps trying; check the network, the service and the file.",
)
_SLOW = Text(
    "来源“{source}”（{address}）的查询超过 {seconds} 秒，已取消。Tenon 会稍后重试；"
    "如反复出现，请为游标列建立索引。",
    "A query of the source “{source}” ({address}) took over {seconds} s and was cancelled. Tenon "
    "tries again later; if it happens again, index the cursor column.",
)
_LOGIN = Text(
    "来源“{source}”（{address}）拒绝登录：用户名或密码错误、已过期或被锁定。为避免锁死账号，"
    "已停止重试；请更正后点击“检查连接”。",
    "The source “{source}” ({address}) refused the login: wrong, expired or locked. Tenon has "
    "stopped trying so as not to lock the account. Correct it, then press Check.",
)
_DENIED = Text(
    "来源“{source}”（{address}）的账号没有读取权限；请授予只读权限后点击“检查连接”。",
    "The account of the source “{source}” ({address}) may not read this. Grant it read access, "
    "then press Check.",
)
_DAMAGED = Text(
    "来源“{source}”（{address}）不是有效的数据库文件，或已损坏。Tenon 没有改动它；请恢复该文件。",
    "The source “{source}” ({address}) is not a database file, or it is damaged. Tenon changed "
    "nothing in it. Restore the file.",
)
_CHANGED = Text(
    "来源“{source}”（{address}）的表或列在读取时消失了。同步已停止；请核对来源结构。",
    "A table or column of the source “{source}” ({address}) vanished while it was read. The sync "
    "has stopped; check the source's structure.",
)
# An error's class, its code and its words.
Fault = tuple[type[TenonError], str, Text]
UNREACHABLE: Final[Fault] = (Retry, "source_unreachable", _UNREACHABLE)
SLOW: Final[Fault] = (Retry, "source_slow", _SLOW)
LOGIN: Final[Fault] = (NeedsUser, "source_login", _LOGIN)
DENIED: Final[Fault] = (NeedsUser, "source_denied", _DENIED)
DAMAGED: Final[Fault] = (Stop, "source_damaged", _DAMAGED)
CHANGED: Final[Fault] = (Stop, "source_changed", _CHANGED)


@dataclass(frozen=True, slots=True)
class Plan:
    """A stream's statement: what is selected, from where, in which order."""

    names: tuple[str, ...]
    columns: tuple[sa.ColumnElement[Any], ...]
    reads: tuple[Callable[[Any], Any] | None, ...]
    source: sa.FromClause
    filters: tuple[sa.ColumnElement[bool], ...]
    cursor: sa.ColumnElement[Any] | None
    cursor_type: str
    cursor_nullable: bool
    key: tuple[sa.ColumnElement[Any], ...]
    order_at: tuple[int, ...]  # where (cursor, key…) stand in a row
    order_types: tuple[str, ...]

    def values(self, rows: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]]:
        """The rows with what the driver gave made into values."""
        if not any(self.reads):
            return rows
        return [
            [value if read is None or value is None else read(value)
             for read, value in zip(self.reads, row, strict=True)]
            for row in rows
        ]  # fmt: skip


class Planner:
    """Compiles streams against one database, whose tables it knows by their names without case."""

    def __init__(
        self,
        source: str,
        tables: Mapping[str, str],
        describe: Callable[[str], Found],
        terms: Terms | None = None,
    ) -> None:
        self._source, self._tables, self._describe = source, tables, describe
        self.terms = terms or Terms()

    def plan(self, stream: StreamDef) -> Plan:
        """The stream's statement, or StreamAbsent, or ColumnAbsent naming what is missing."""
        main, source, columns = self._joined(stream)
        joined = {(j.prefix + c).casefold() for j in stream.join for c in j.columns}
        names = [c for c in stream.columns or main.c.keys() if c.casefold() not in joined]
        names += [j.prefix + c for j in stream.join for c in j.columns]
        ordered = [stream.cursor.column] if stream.cursor else []
        ordered += stream.key
        have = {n.casefold() for n in names}
        names += [n for n in dict.fromkeys(ordered) if n.casefold() not in have]
        missing = [n for n in [*names, *stream.where] if n.casefold() not in columns]
        if missing:
            what = stream.table or stream.name
            raise ColumnAbsent(self._source, what, missing, sorted(columns))
        at = {n.casefold(): i for i, n in enumerate(names)}
        cursor = columns[stream.cursor.column.casefold()] if stream.cursor else None
        return Plan(
            names=tuple(names),
            columns=tuple(self.terms.shown(*columns[n.casefold()][:2]) for n in names),
            reads=tuple(self.terms.read(columns[n.casefold()][1]) for n in names),
            source=source,
            filters=tuple(
                self._one_of(columns[n.casefold()], values) for n, values in stream.where.items()
            ),
            cursor=cursor[0] if cursor else None,
            cursor_type=cursor[1] if cursor else "",
            cursor_nullable=bool(cursor and cursor[2]),
            key=tuple(columns[k.casefold()][0] for k in stream.key),
            order_at=tuple(at[n.casefold()] for n in ordered),
            order_types=tuple(columns[n.casefold()][1] for n in ordered),
        )

    def columns(self, stream: StreamDef) -> list[Column]:
        """The columns of the stream's table and those declared of joined ones, as they are."""
        found = list(self._described(stream.table or stream.name).columns)
        for join in stream.join:
            declared = {c.casefold() for c in join.columns}
            found += [
                Column(join.prefix + c.name, c.type, c.nullable)
                for c in self._described(join.table).columns
                if c.name.casefold() in declared
            ]
        return found

    def _one_of(self, known: _Known, values: Sequence[Any]) -> sa.ColumnElement[bool]:
        column, kind, _ = known
        return column.in_([self.terms.bound(value, kind) for value in values])

    def _joined(self, stream: StreamDef) -> tuple[sa.FromClause, sa.FromClause, dict[str, _Known]]:
        main, columns = self._table(stream.table or stream.name, "main", "")
        source: sa.FromClause = main
        declared: dict[str, _Known] = {}
        other_columns: dict[str, _Known] = {}
        for number, join in enumerate(stream.join):
            other, more = self._table(join.table, f"join_{number}", join.prefix)
            own = {c.name.casefold(): c for c in other.c}
            known = declared | columns  # a joined table may lead to a further one
            absent = [c for c in join.match if c.casefold() not in known]
            absent += [c for c in join.match.values() if c.casefold() not in own]
            if absent:
                raise ColumnAbsent(self._source, join.table, absent, sorted(own))
            on = [known[a.casefold()][0] == own[b.casefold()] for a, b in join.match.items()]
            source = source.outerjoin(other, sa.and_(*on))
            # A left join may leave any of these empty. What it declares goes before a column of
            # the same name elsewhere; what it does not may still be the cursor or a filter.
            wanted = {(join.prefix + c).casefold() for c in join.columns}
            for name, (column, kind, _) in more.items():
                found = declared if name in wanted else other_columns
                found.setdefault(name, (column, kind, True))
        return main, source, other_columns | columns | declared

    def _described(self, name: str) -> Found:
        real = self._tables.get(name.casefold())
        if real is None:
            raise StreamAbsent(self._source, name, NO_TABLE)
        return self._describe(real)

    def _table(self, name: str, alias: str, prefix: str) -> tuple[sa.FromClause, dict[str, _Known]]:
        found = self._described(name)
        clause: sa.FromClause = sa.table(
            found.name, *(sa.column(c.name) for c in found.columns)
        ).alias(alias)
        columns: dict[str, _Known] = {
            (prefix + c.name).casefold(): (clause.c[c.name], c.type, c.nullable)
            for c in found.columns
        }
        return clause, columns


def first_page(plan: Plan, since: Any, before: Any = None) -> sa.Select[Any]:
    """The rows with a cursor at or after `since` (and before `before`), in order."""
    query = _select(plan)
    if plan.cursor is None:
        return query.order_by(*plan.key)
    query = query.where(plan.cursor.is_not(None))
    if since is not None:
        query = query.where(plan.cursor >= since)
    if before is not None:
        query = query.where(plan.cursor < before)
    return query.order_by(plan.cursor, *plan.key)


def without_cursor(plan: Plan) -> sa.Select[Any]:
    """The rows that have no cursor value."""
    if plan.cursor is None:
        message = "only streams with a cursor have rows without one"
        raise ValueError(message)
    return _select(plan).where(plan.cursor.is_(None)).order_by(*plan.key)


def in_words(plan: Plan, rows: int, dialect: sa.Dialect) -> str:
    """The statement of a page as the database is asked it, its values written out."""
    since: Any = None if plan.cursor is None else sa.bindparam("since")
    page = first_page(plan, since).limit(rows)
    asked = page.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    values = {n: ":since" if n == "since" else _written(v) for n, v in asked.params.items()}
    in_order = iter(asked.positiontup or ())

    def shown(found: re.Match[str]) -> str:
        name = found[1] or found[2] or next(in_order, "")
        return values.get(name, found[0])

    return _PLACE.sub(shown, str(asked))


def _written(value: Any) -> str:
    if isinstance(value, int):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"


def counted(plan: Plan, since: Any) -> sa.Select[Any]:
    """How many rows a stream has with a cursor at or after `since`, or without one."""
    query = sa.select(sa.func.count()).select_from(plan.source).where(sa.true(), *plan.filters)
    if plan.cursor is None or since is None:
        return query
    return query.where(sa.or_(plan.cursor >= since, plan.cursor.is_(None)))


def after(columns: Sequence[sa.ColumnElement[Any]], values: Sequence[Any]) -> Any:
    """`(columns) > (values)`, spelled out: every dialect can use an index on the first column."""
    first, value = columns[0], values[0]
    # An empty key part sorts first where keys may have one (SQLite).
    beyond = first.is_not(None) if value is None else first > value
    if len(columns) == 1:
        return beyond
    rest = after(columns[1:], values[1:])
    return sa.and_(sa.true() if value is None else first >= value, sa.or_(beyond, rest))


def _select(plan: Plan) -> sa.Select[Any]:
    labelled = (c.label(f"c{i}") for i, c in enumerate(plan.columns))
    return sa.select(*labelled).select_from(plan.source).where(sa.true(), *plan.filters)
