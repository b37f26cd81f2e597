"""A stream compiled to SQL: identifiers from reflection only, values bound, pages by keyset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.engine.reflection import Inspector

from tenon.connect.contract import Column, ColumnAbsent, CursorValue, Found, StreamAbsent
from tenon.define.models import StreamDef
from tenon.kernel.text import Text

# A column with its type and whether it may be empty.
_Known = tuple[sa.ColumnElement[Any], str, bool]
NO_TABLE: Final = Text("没有这个表或视图", "no such table or view")


@dataclass(frozen=True, slots=True)
class Plan:
    """A stream's statement: what is selected, from where, in which order."""

    names: tuple[str, ...]
    columns: tuple[sa.ColumnElement[Any], ...]
    source: sa.FromClause
    filters: tuple[sa.ColumnElement[bool], ...]
    cursor: sa.ColumnElement[Any] | None
    cursor_type: str
    cursor_nullable: bool
    key: tuple[sa.ColumnElement[Any], ...]
    order_at: tuple[int, ...]  # where (cursor, key…) stand in a row


def tables_of(inspector: Inspector) -> dict[str, str]:
    """Tables and views by their name without case."""
    names = inspector.get_table_names() + inspector.get_view_names()
    return {name.casefold(): name for name in names}


def found_of(inspector: Inspector, name: str) -> Found:
    """A table as discovery shows it."""
    columns = tuple(
        Column(c["name"], str(c["type"]), bool(c.get("nullable", True)))
        for c in inspector.get_columns(name)
    )
    key = inspector.get_pk_constraint(name).get("constrained_columns") or ()
    return Found(name, columns, tuple(key))


class Planner:
    """Compiles streams against one reflected database."""

    def __init__(self, connection: Connection, source: str, encoding: str) -> None:
        self._inspector = sa.inspect(connection)
        self._source = source
        self._encoding = encoding
        self._dialect = connection.dialect.name
        self._tables = tables_of(self._inspector)

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
            columns=tuple(columns[n.casefold()][0] for n in names),
            source=source,
            filters=tuple(
                columns[n.casefold()][0].in_([self.bound(v) for v in values])
                for n, values in stream.where.items()
            ),
            cursor=cursor[0] if cursor else None,
            cursor_type=cursor[1] if cursor else "",
            cursor_nullable=bool(cursor and cursor[2]),
            key=tuple(columns[k.casefold()][0] for k in stream.key),
            order_at=tuple(at[n.casefold()] for n in ordered),
        )

    def bound(self, value: Any) -> Any:
        """A value as a bound parameter in the source's own encoding."""
        if value is None:
            return None
        if self._dialect != "sqlite":
            return sa.literal(value)
        if isinstance(value, str) and self._encoding != "utf-8" and not value.isascii():
            value = value.encode(self._encoding)
        if isinstance(value, bytes):
            # The file holds these very bytes as TEXT; a plain bytes parameter would be a BLOB.
            return sa.cast(sa.literal(value, sa.LargeBinary), sa.Text)
        return sa.literal(value)

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

    def _table(self, name: str, alias: str, prefix: str) -> tuple[sa.FromClause, dict[str, _Known]]:
        real = self._tables.get(name.casefold())
        if real is None:
            raise StreamAbsent(self._source, name, NO_TABLE)
        found = found_of(self._inspector, real)
        clause: sa.FromClause = sa.table(real, *(sa.column(c.name) for c in found.columns)).alias(
            alias
        )
        columns: dict[str, _Known] = {
            (prefix + c.name).casefold(): (clause.c[c.name], c.type, c.nullable)
            for c in found.columns
        }
        return clause, columns


def first_page(plan: Plan, since: Any) -> sa.Select[Any]:
    """The rows with a cursor at or after `since`, in order."""
    query = _select(plan)
    if plan.cursor is None:
        return query.order_by(*plan.key)
    query = query.where(plan.cursor.is_not(None))
    if since is not None:
        query = query.where(plan.cursor >= since)
    return query.order_by(plan.cursor, *plan.key)


def without_cursor(plan: Plan) -> sa.Select[Any]:
    """The rows that have no cursor value."""
    if plan.cursor is None:
        message = "only streams with a cursor have rows without one"
        raise ValueError(message)
    return _select(plan).where(plan.cursor.is_(None)).order_by(*plan.key)


def after(columns: Sequence[sa.ColumnElement[Any]], values: Sequence[Any]) -> Any:
    """`(columns) > (values)`, spelled out: every dialect can use an index on the first column."""
    first, value = columns[0], values[0]
    # An empty key part sorts first where keys may have one (SQLite).
    beyond = first.is_not(None) if value is None else first > value
    if len(columns) == 1:
        return beyond
    rest = after(columns[1:], values[1:])
    return sa.and_(sa.true() if value is None else first >= value, sa.or_(beyond, rest))


def since_of(plan: Plan, since: CursorValue | None, dialect: str) -> Any:
    """The lower bound in the type of the source's own column."""
    if isinstance(since, datetime) and dialect == "sqlite":
        return since.isoformat(sep=" ", timespec="seconds")
    if isinstance(since, str) and dialect == "postgresql" and "TIME" in plan.cursor_type.upper():
        return datetime.fromisoformat(since)
    return since


def _select(plan: Plan) -> sa.Select[Any]:
    labelled = (c.label(f"c{i}") for i, c in enumerate(plan.columns))
    return sa.select(*labelled).select_from(plan.source).where(sa.true(), *plan.filters)
