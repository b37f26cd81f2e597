"""Writing into tables of a source, in one transaction: look, compare, insert or change.

A row that is there is never written over blindly: its columns are compared with ours first, so
that doing the same again changes nothing, and what somebody else wrote is not lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.connect.connectors.sql.fitting import Fitting
from tenon.connect.connectors.sql.reflection import tables_of
from tenon.connect.contract import ColumnAbsent, StreamAbsent, WriteRow, Written, comparable
from tenon.connect.selecting import NO_TABLE
from tenon.kernel.decimals import plain

_AT_ONCE: Final = 200

Place = tuple[str, tuple[str, ...]]  # a table, and the values of the key there
There = Mapping[str, Any]  # a row's values by their columns without case


@dataclass(slots=True)
class _Work:
    """What is to be done in one transaction, and what the rows will hold then."""

    there: dict[Place, There]
    inserts: list[WriteRow] = field(default_factory=list)
    changes: list[tuple[WriteRow, tuple[str, ...]]] = field(default_factory=list)

    def copy(self) -> _Work:
        """A copy for one group, to be dropped when the group may not be written."""
        return _Work(dict(self.there), list(self.inserts), list(self.changes))


class TableWriter:
    """Looks and writes over one connection; tables are looked up once."""

    def __init__(self, connection: Connection, source: str, encoding: str, zone: ZoneInfo) -> None:
        self._connection, self._source = connection, source
        self._encoding, self._zone = encoding, zone
        self._dialect = connection.dialect.name
        self._known: dict[str, tuple[sa.TableClause, Fitting]] = {}

    def write(self, groups: Sequence[Sequence[WriteRow]]) -> list[list[Written]]:
        """Write the groups; of one that meets a conflict no row, if one is refused none at all."""
        fitted = [[self._fitted(row) for row in group] for group in groups]
        with self._connection.begin() as transaction:
            work = _Work(self._look(fitted, lock=self._dialect != "sqlite"))
            answers, work = _decided(fitted, work)
            if any(one.state == "refused" for own in answers for one in own):
                transaction.rollback()
                return answers
            self._insert(work.inserts)
            for row, columns in work.changes:
                self._change(row, columns)
        return answers

    def look(self, groups: Sequence[Sequence[WriteRow]]) -> list[list[Written]]:
        """What writing the groups would come to; nothing is written."""
        fitted = [[self._fitted(row) for row in group] for group in groups]
        answers, _ = _decided(fitted, _Work(self._look(fitted, lock=False)))
        return answers

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _fitted(self, row: WriteRow) -> WriteRow:
        """The row with its values in the types of their columns."""
        _, fitting = self._table(row)
        values = {name: fitting.fit(name, value) for name, value in row.values.items()}
        number = row.number if row.number and not fitting.fills_itself(row.number) else None
        return replace(row, values=values, number=number)

    def _table(self, row: WriteRow) -> tuple[sa.TableClause, Fitting]:
        """The table by its real name; StreamAbsent or ColumnAbsent when it is not as we say."""
        if row.table not in self._known:
            inspector = sa.inspect(self._connection.engine)
            real = tables_of(inspector).get(row.table.casefold())
            if real is None:
                raise StreamAbsent(self._source, row.table, NO_TABLE)
            columns = {c["name"].casefold(): c for c in inspector.get_columns(real)}
            clause = sa.table(real, *(sa.column(c["name"]) for c in columns.values()))
            fitting = Fitting(self._source, real, self._zone, self._encoding, columns)
            self._known[row.table] = (clause, fitting)
        clause, fitting = self._known[row.table]
        wanted = [*row.values, *row.only_if, *([row.number] if row.number else [])]
        absent = [name for name in wanted if name.casefold() not in fitting.columns]
        if absent:
            raise ColumnAbsent(self._source, row.table, absent, sorted(fitting.columns))
        return clause, fitting

    def _column(self, row: WriteRow, name: str) -> sa.ColumnClause[Any]:
        clause, fitting = self._known[row.table]
        return clause.c[fitting.columns[name.casefold()]["name"]]

    def _look(self, groups: Sequence[Sequence[WriteRow]], *, lock: bool) -> dict[Place, There]:
        """The rows that are there, in the order of tables, by table and key."""
        rows = [row for group in groups for row in group]
        found: dict[Place, There] = {}
        for table in dict.fromkeys(row.table for row in rows):
            for part in _parts([row for row in rows if row.table == table]):
                query = sa.select(self._known[table][0]).where(self._any_of(part))
                if lock:
                    query = query.with_for_update()
                for there in self._connection.execute(query).mappings():
                    row = {name.casefold(): self._read(value) for name, value in there.items()}
                    found[table, _key(part[0], lambda n, own=row: own[n.casefold()])] = row
        return found

    def _read(self, value: Any) -> Any:
        """A time with a zone as the time on the source's wall."""
        if isinstance(value, datetime) and value.tzinfo is not None:
            return value.astimezone(self._zone).replace(tzinfo=None)
        return value

    def _any_of(self, part: Sequence[WriteRow]) -> sa.ColumnElement[bool]:
        first = part[0]
        if len(first.key) > 1:
            return sa.or_(*(self._is(row) for row in part))
        (name,) = first.key
        return self._column(first, name).in_([self._bound(row.values[name]) for row in part])

    def _is(self, row: WriteRow) -> sa.ColumnElement[bool]:
        return sa.and_(
            *(self._column(row, name) == self._bound(row.values[name]) for name in row.key)
        )

    def _insert(self, rows: Sequence[WriteRow]) -> None:
        for table, columns in dict.fromkeys((row.table, tuple(row.values)) for row in rows):
            own = [row for row in rows if (row.table, tuple(row.values)) == (table, columns)]
            clause, first, number = self._known[table][0], own[0], 0
            if first.number:
                column = self._column(first, first.number)
                newest = sa.select(sa.func.max(column)).where(column >= first.number_from)
                number = int(self._connection.scalar(newest) or first.number_from - 1)
            for part in _parts(own):
                values = [self._new(row, number + at) for at, row in enumerate(part, 1)]
                number += len(part)
                if self._reencodes:
                    bound = [{n: self._bound(v) for n, v in row.items()} for row in values]
                    self._connection.execute(sa.insert(clause).values(bound))
                else:  # one statement, compiled once
                    held = [{n: self._held(v) for n, v in row.items()} for row in values]
                    self._connection.execute(sa.insert(clause), held)

    def _new(self, row: WriteRow, number: int) -> dict[str, Any]:
        values = {self._column(row, n).name: v for n, v in row.values.items()}
        if row.number:
            values[self._column(row, row.number).name] = number
        return values

    def _change(self, row: WriteRow, columns: Sequence[str]) -> None:
        values = {self._column(row, n).name: self._bound(row.values[n]) for n in columns}
        changed = sa.update(self._known[row.table][0]).where(self._is(row)).values(values)
        self._connection.execute(changed)

    def _bound(self, value: Any) -> sa.ColumnElement[Any]:
        """A value in the form and encoding in which the source holds it."""
        value = self._held(value)
        if value is None:
            return sa.null()
        if self._reencodes and isinstance(value, str) and not value.isascii():
            # The file holds these very bytes as TEXT; a plain bytes parameter would be a BLOB.
            return sa.cast(sa.literal(value.encode(self._encoding), sa.LargeBinary), sa.Text)
        return sa.literal(value)

    @property
    def _reencodes(self) -> bool:
        return self._dialect == "sqlite" and self._encoding != "utf-8"

    def _held(self, value: Any) -> Any:
        """A value in the form in which the source holds it."""
        if self._dialect != "sqlite":
            return value
        if isinstance(value, datetime):
            return value.isoformat(sep=" ", timespec="seconds")
        if isinstance(value, date):
            return value.isoformat()
        # The column's affinity makes a number of it.
        return plain(value) if isinstance(value, Decimal) else value


def _decided(
    groups: Sequence[Sequence[WriteRow]], work: _Work
) -> tuple[list[list[Written]], _Work]:
    """What becomes of each row, and what is to be done: nothing for a group with a conflict."""
    answers = []
    for group in groups:
        trial = work.copy()
        own = [_decide(row, trial) for row in group]
        if all(one.state not in {"conflict", "refused"} for one in own):
            work = trial
        answers.append(own)
    return answers, work


def _decide(row: WriteRow, work: _Work) -> Written:
    place = (row.table, _key(row, lambda name: row.values[name]))
    ours = {name.casefold(): value for name, value in row.values.items()}
    there = work.there.get(place)
    if there is None:
        if "insert" not in row.may:
            return Written("refused", action="insert")
        work.inserts.append(row)
        work.there[place] = ours
        return Written("sent")
    for name in row.compare:
        if not _same(row, name, there):
            return _conflict(name, row.values[name], there)
    change = tuple(name for name in row.change if not _same(row, name, there))
    if not change:
        return Written("same", there={n: comparable(there.get(n.casefold())) for n in row.values})
    for name, allowed in row.only_if.items():
        if comparable(there.get(name.casefold())) not in {str(one) for one in allowed}:
            return _conflict(name, "/".join(map(str, allowed)), there)
    if "update" not in row.may:
        return Written("refused", action="update")
    columns = tuple(dict.fromkeys((*change, *row.stamps)))
    work.changes.append((row, columns))
    work.there[place] = {**there, **{n.casefold(): row.values[n] for n in columns}}
    return Written("changed")


def _key(row: WriteRow, value: Any) -> tuple[str, ...]:
    return tuple(comparable(value(name)) or "" for name in row.key)


def _same(row: WriteRow, name: str, there: There) -> bool:
    return _wall(row.values[name]) == comparable(there.get(name.casefold()))


def _conflict(name: str, ours: Any, there: There) -> Written:
    theirs = comparable(there.get(name.casefold()))
    return Written("conflict", name, _wall(ours), theirs)


def _wall(value: Any) -> str | None:
    """A value as it is compared; a time by the source's wall, whatever zone it carries."""
    return comparable(value.replace(tzinfo=None) if isinstance(value, datetime) else value)


def _parts(rows: Sequence[WriteRow]) -> Iterator[Sequence[WriteRow]]:
    for at in range(0, len(rows), _AT_ONCE):
        yield rows[at : at + _AT_ONCE]
