"""Writing into tables of a source, in one transaction: look, compare, insert or change.

A row that is there is never written over blindly: its columns are compared with ours first, so
that doing the same again changes nothing, and what somebody else wrote is not lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.connect.connectors.sql.query import found_of, tables_of
from tenon.connect.contract import ColumnAbsent, StreamAbsent, WriteRow, Written
from tenon.kernel.decimals import plain
from tenon.kernel.text import Text

_NO_TABLE = Text("没有这个表或视图", "no such table or view")
_AT_ONCE: Final = 200
# What an untyped column may hold for a number that we write.
_NUMERIC: Final = re.compile(r"-?[0-9]+\.[0-9]+")
_FRACTION: Final = re.compile(r"(?<=:[0-9]{2})\.[0-9]+$")  # of a second

Key = tuple[str, ...]
There = Mapping[str, Any]


class TableWriter:
    """Writes over one connection; tables are looked up once."""

    def __init__(self, connection: Connection, source: str, encoding: str) -> None:
        self._connection, self._source, self._encoding = connection, source, encoding
        self._dialect = connection.dialect.name
        self._known: dict[str, tuple[sa.TableClause, dict[str, str]]] = {}

    def write(
        self, groups: Sequence[Sequence[WriteRow]], *, dry: bool = False
    ) -> list[list[Written]]:
        """Write the groups; of one that meets a conflict no row is written."""
        for row in (row for group in groups for row in group):
            self._table(row)
        with self._connection.begin() as transaction:
            there = self._look(groups)
            answers = [[self._compare(row, there) for row in group] for group in groups]
            good = [
                (row, said)
                for group, own in zip(groups, answers, strict=True)
                if all(one.state != "conflict" for one in own)
                for row, said in zip(group, own, strict=True)
            ]
            self._insert([row for row, said in good if said.state == "sent"])
            for row, said in good:
                if said.state == "changed":
                    self._change(row)
            if dry:
                transaction.rollback()
        return answers

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _table(self, row: WriteRow) -> sa.TableClause:
        """The table by its real name; StreamAbsent or ColumnAbsent when it is not as we say."""
        if row.table not in self._known:
            inspector = sa.inspect(self._connection.engine)
            real = tables_of(inspector).get(row.table.casefold())
            if real is None:
                raise StreamAbsent(self._source, row.table, _NO_TABLE)
            names = [c.name for c in found_of(inspector, real).columns]
            clause = sa.table(real, *(sa.column(name) for name in names))
            self._known[row.table] = (clause, {name.casefold(): name for name in names})
        clause, names_of = self._known[row.table]
        wanted = [*row.values, *row.only_if, *([row.number] if row.number else [])]
        absent = [name for name in wanted if name.casefold() not in names_of]
        if absent:
            raise ColumnAbsent(self._source, row.table, absent, sorted(names_of))
        return clause

    def _column(self, row: WriteRow, name: str) -> sa.ColumnClause[Any]:
        clause, names = self._known[row.table]
        return clause.c[names[name.casefold()]]

    def _look(self, groups: Sequence[Sequence[WriteRow]]) -> dict[tuple[str, Key], There]:
        """The rows that are there, locked, by table and key."""
        rows = [row for group in groups for row in group]
        found: dict[tuple[str, Key], There] = {}
        for table in dict.fromkeys(row.table for row in rows):
            for part in _parts([row for row in rows if row.table == table]):
                matches = [self._is(row) for row in part]
                query = sa.select(self._table(part[0])).where(sa.or_(*matches))
                if self._dialect != "sqlite":
                    query = query.with_for_update()
                for there in self._connection.execute(query).mappings():
                    lower = {name.casefold(): value for name, value in there.items()}
                    key = tuple(_text(lower[name.casefold()]) or "" for name in part[0].key)
                    found[table, key] = lower
        return found

    def _is(self, row: WriteRow) -> sa.ColumnElement[bool]:
        return sa.and_(
            *(self._column(row, name) == self._bound(row.values[name]) for name in row.key)
        )

    def _compare(self, row: WriteRow, found: Mapping[tuple[str, Key], There]) -> Written:
        key = tuple(_text(row.values[name]) or "" for name in row.key)
        there = found.get((row.table, key))
        if there is None:
            return Written("sent")
        for name in row.compare:
            if not _same(row.values[name], there[name.casefold()]):
                return _conflict(name, row.values[name], there)
        change = [n for n in row.change if not _same(row.values[n], there[n.casefold()])]
        if not change:
            return Written("same")
        for name, allowed in row.only_if.items():
            if _text(there[name.casefold()]) not in {str(one) for one in allowed}:
                return _conflict(name, "/".join(map(str, allowed)), there)
        return Written("changed")

    def _insert(self, rows: Sequence[WriteRow]) -> None:
        for table in dict.fromkeys(row.table for row in rows):
            own = [row for row in rows if row.table == table]
            clause, first = self._table(own[0]), own[0]
            number = 0
            if first.number:
                column = self._column(first, first.number)
                newest = sa.select(sa.func.max(column)).where(column >= first.number_from)
                number = int(self._connection.scalar(newest) or first.number_from - 1)
            for part in _parts(own):
                values = []
                for row in part:
                    one = {
                        self._column(row, name).name: self._bound(value)
                        for name, value in row.values.items()
                    }
                    if row.number:
                        number += 1
                        one[self._column(row, row.number).name] = sa.literal(number)
                    values.append(one)
                self._connection.execute(sa.insert(clause).values(values))

    def _change(self, row: WriteRow) -> None:
        values = {self._column(row, n).name: self._bound(row.values[n]) for n in row.change}
        self._connection.execute(sa.update(self._table(row)).where(self._is(row)).values(values))

    def _bound(self, value: Any) -> sa.ColumnElement[Any]:
        """A value in the form and encoding in which the source holds it."""
        if value is None:
            return sa.null()
        if isinstance(value, bool):
            value = int(value)
        if self._dialect != "sqlite":
            return sa.literal(value)
        if isinstance(value, datetime):
            value = value.isoformat(sep=" ", timespec="seconds")
        elif isinstance(value, date):
            value = value.isoformat()
        elif isinstance(value, Decimal):
            value = plain(value)  # the column's affinity makes a number of it
        if isinstance(value, str) and self._encoding != "utf-8" and not value.isascii():
            # The file holds these very bytes as TEXT; a plain bytes parameter would be a BLOB.
            return sa.cast(sa.literal(value.encode(self._encoding), sa.LargeBinary), sa.Text)
        return sa.literal(value)


def _conflict(name: str, ours: Any, there: There) -> Written:
    return Written("conflict", name, _text(ours), _text(there[name.casefold()]))


def _parts(rows: Sequence[WriteRow]) -> Iterator[Sequence[WriteRow]]:
    for at in range(0, len(rows), _AT_ONCE):
        yield rows[at : at + _AT_ONCE]


def _same(ours: Any, theirs: Any) -> bool:
    return _text(ours) == _text(theirs)


def _text(value: Any) -> str | None:
    """A value as it is compared.

    Numbers by their worth, times by the second, texts without the padding of CHAR columns; an
    empty text is no value.
    """
    if value is None:
        return None
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool | int | float | Decimal):
        return _number(Decimal(str(int(value) if isinstance(value, bool) else value)))
    text = str(value).rstrip()
    if _NUMERIC.fullmatch(text):
        return _number(text)
    return _FRACTION.sub("", text) or None


def _number(value: Decimal | str) -> str:
    try:
        return plain(Decimal(value).normalize())
    except InvalidOperation:
        return str(value)
