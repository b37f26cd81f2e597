"""Write-back: records of ours written into tables of a legacy system, exactly once.

Three parts, so that a process may die between any two of them: `intend` writes down what is to
be there, `send` looks at what is there and writes what differs, `record` writes down that it was
done. Sending again changes nothing, because it looks first. A table is written only where an
administrator allowed it in connections.yaml; a ledger never is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.connect.contract import EVERYTHING, Action, WriteRow, Written, comparable
from tenon.connect.deps import ConnectDeps
from tenon.connect.pushed_values import PushedValues, kept
from tenon.connect.tables import push_row
from tenon.define.models import PushDef, SourceDef
from tenon.kernel import clock, faults
from tenon.kernel.errors import NotAllowed
from tenon.kernel.text import Text
from tenon.records.query import Reader
from tenon.store.upsert import insert_or_change

_LEDGER = Text(
    "“{source}”是财务账，Tenon 从不写入。", "“{source}” is a ledger; Tenon never writes there."
)
_NOT_ALLOWED = Text(
    "还没有允许写入“{source}”的表“{table}”（{action}）。如需允许，请让系统管理员在 "
    "connections.yaml 的 {source} 下加入 writes: { {table}: [{action}] }。",
    "Writing into the table “{table}” of “{source}” ({action}) has not been allowed. To allow it, "
    "an administrator adds writes: { {table}: [{action}] } below {source} in connections.yaml.",
)
_CHANGED: Final = (
    "entity", "record_id", "run_id", "step_key", "state", "values", "sent_values", "intended_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Intent:
    """Records to be written by a push."""

    push: PushDef
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sending:
    """One row on its way; `base` is what we know, or must suppose, to be there already."""

    push: PushDef
    key: str
    record_id: str
    row: WriteRow
    base: Mapping[str, str | None] | None = None

    @property
    def values(self) -> dict[str, str | None]:
        """What it is to hold, as the ledger keeps it: the time of writing is not known yet."""
        own = self.push.columns
        return {n: kept(v) for n, v in self.row.values.items() if not own[n].now}


def prepare(
    connection: Connection,
    reader: Reader,
    intents: Sequence[Intent],
    *,
    lock: bool = False,
) -> list[Sending]:
    """The rows that these records make, beside what was sent before (locked for `intend`)."""
    computed: dict[str, PushedValues] = {}
    sendings: dict[tuple[str, str], Sending] = {}
    for code in dict.fromkeys(one.push.code for one in intents):
        own = [one for one in intents if one.push.code == code]
        push, ids = own[0].push, list(dict.fromkeys(id_ for one in own for id_ in one.ids))
        source = reader.catalogue.source(push.source)
        values = computed.setdefault(
            source.code, PushedValues(connection, reader, source.code, ZoneInfo(source.zone))
        )
        rows = values.of(push, ids)
        keys = ["|".join(str(row[name]) for name in push.key) for row in rows]
        bases = _bases(connection, push, keys, lock=lock)
        for key, id_, row in zip(keys, ids, rows, strict=True):
            base = bases.get(key)
            sendings[code, id_] = Sending(push, key, id_, _row(push, row, base), base)
    return [sendings[one.push.code, id_] for one in intents for id_ in one.ids]


@dataclass(frozen=True, slots=True)
class OfStep:
    """What a step of a run means to be there."""

    run_id: str
    step_key: str
    sendings: Sequence[Sending]


def intend(tx: Connection, meant: Sequence[OfStep]) -> None:
    """Write down what is to be there."""
    now = clock.now()
    rows = [
        {
            "push": one.push.code, "key": one.key, "entity": one.push.entity,
            "record_id": one.record_id, "run_id": of.run_id, "step_key": of.step_key,
            "state": "intended", "intended_at": now, "values": one.values,
            "sent_values": one.base,
        }
        for of in meant
        for one in of.sendings
    ]  # fmt: skip
    if rows:
        tx.execute(insert_or_change(tx, push_row, _CHANGED), rows)


def send(
    deps: ConnectDeps, groups: Sequence[Sequence[Sending]], *, dry: bool = False
) -> list[list[Written]]:
    """Write each group as a whole, all groups of a source in one transaction there.

    NotAllowed when an administrator has not allowed one of the rows: then none is written. `dry`
    looks and compares, writes nothing, and needs no permission.
    """
    answers: dict[tuple[int, int], Written] = {}
    every = [(at, n, one) for at, group in enumerate(groups) for n, one in enumerate(group)]
    for source in dict.fromkeys(one.push.source for _, _, one in every):
        definition = deps.catalogue().source(source)
        now = clock.now().astimezone(ZoneInfo(definition.zone)).replace(tzinfo=None, microsecond=0)
        own = [[p for p in every if p[0] == at and p[2].push.source == source]
               for at in range(len(groups))]  # fmt: skip
        may = {} if dry else _allowed(deps, definition, [p[2] for part in own for p in part])
        rows = [[_stamped(p[2], now, may) for p in part] for part in own]
        faults.point("push.call.before")
        said = deps.writers.write(deps.connections, definition, rows, dry=dry)
        faults.point("push.call.after")
        for part, written in zip(own, said, strict=True):
            for (at, n, one), answer in zip(part, written, strict=True):
                if answer.state == "refused":
                    raise refusal(definition.code, one.row.table, answer.action or "insert")
                answers[at, n] = replace(answer, there=_stamps(one, answer, now))
    return [[answers[at, n] for n in range(len(group))] for at, group in enumerate(groups)]


def record(tx: Connection, groups: Sequence[tuple[Sequence[Sending], Sequence[Written]]]) -> None:
    """Write down what was done; of a group with a conflict nothing was."""
    sent: list[tuple[Sending, Written]] = []
    for sendings, answers in groups:
        if any(said.state == "conflict" for said in answers):
            refuse(tx, sendings, answers)
        else:
            sent += zip(sendings, answers, strict=True)
    p, now = push_row.c, clock.now()
    # It may have been read back before this was noted down.
    heard = sa.case((p.echoed_at >= p.intended_at, p.echoed_at), else_=sa.null())
    mine = sa.and_(p.push == sa.bindparam("of_push"), p.key == sa.bindparam("of_key"))
    for fresh in (True, False):
        rows = [
            {"of_push": one.push.code, "of_key": one.key, "state": said.state, "sent_at": now,
             "values": (there := one.values | dict(said.there)), "sent_values": there}
            for one, said in sent
            if (said.state != "same") is fresh
        ]  # fmt: skip
        if rows:
            query = push_row.update().where(mine)
            tx.execute(query.values(echoed_at=heard) if fresh else query, rows)


def refuse(tx: Connection, sendings: Sequence[Sending], answers: Sequence[Written] = ()) -> None:
    """Write down that nothing of this was written, and which rows stood against it."""
    mine = sa.and_(
        push_row.c.push == sa.bindparam("of_push"), push_row.c.key == sa.bindparam("of_key")
    )
    against = {n for n, said in enumerate(answers) if said.state == "conflict"}
    rows = [
        {"of_push": one.push.code, "of_key": one.key,
         "state": "conflict" if n in against else "refused"}
        for n, one in enumerate(sendings)
    ]  # fmt: skip
    if rows:
        tx.execute(push_row.update().where(mine), rows)


def refusal(source: str, table: str, action: Action) -> NotAllowed:
    """The error that names the line an administrator would have to add."""
    return NotAllowed("write_not_allowed", _NOT_ALLOWED, source=source, table=table, action=action)


def lacking(deps: ConnectDeps, one: Sending, said: Written) -> NotAllowed | None:
    """What stands in the way of an answer of a dry run: the permission that is not there yet."""
    source = deps.catalogue().source(one.push.source)
    if source.ledger:
        return NotAllowed("ledger", _LEDGER, source=source.code)
    needed: dict[str, Action] = {"sent": "insert", "changed": "update"}
    action = needed.get(said.state)
    if action is None or action in _may(deps, source, one.row.table):
        return None
    return refusal(source.code, one.row.table, action)


def _bases(
    connection: Connection, push: PushDef, keys: Sequence[str], *, lock: bool
) -> dict[str, dict[str, str | None]]:
    """What we know, or must suppose, the rows with these keys to hold."""
    p = push_row.c
    query = sa.select(push_row).where(p.push == push.code, p.key.in_(keys)).order_by(p.key)
    rows = connection.execute(query.with_for_update() if lock else query).mappings()
    return {row["key"]: base for row in rows if (base := _base(row)) is not None}


def _base(row: Mapping[Any, Any]) -> dict[str, str | None] | None:
    """What was sent last; of a sending that was never noted down it is not known if it arrived.

    Then a row that is there came by it, if none was sent before; else the columns in which the
    two differ are left out, as either may be there.
    """
    sent: dict[str, str | None] | None = row["sent_values"]
    if row["state"] != "intended":
        return sent
    meant: dict[str, str | None] = row["values"]
    return meant if sent is None else {n: v for n, v in sent.items() if meant.get(n) == v}


def _row(push: PushDef, values: Mapping[str, Any], base: Mapping[str, Any] | None) -> WriteRow:
    """A row to be written; what may change is changed only where we mean something else now."""
    stamps = tuple(n for n, one in push.columns.items() if one.now and n in push.changes)
    free = {n for n, one in push.columns.items() if one.initial or one.now}
    compare = tuple(n for n in values if n not in free and n not in push.changes)
    change = tuple(
        n for n in push.changes
        if n not in stamps and not (base is not None and n in base and base[n] == kept(values[n]))
    )  # fmt: skip
    return WriteRow(
        push.table,
        push.key,
        values,
        compare,
        change,
        stamps,
        push.only_if,
        push.number,
        push.number_from,
    )


def _stamped(one: Sending, now: datetime, may: Mapping[str, frozenset[Action]]) -> WriteRow:
    """The row with the time of writing, taken as late as can be: readers go by it."""
    stamps = {n: now for n, column in one.push.columns.items() if column.now}
    allowed = may.get(one.row.table, EVERYTHING)
    return replace(one.row, values={**one.row.values, **stamps}, may=allowed)


def _stamps(one: Sending, said: Written, now: datetime) -> dict[str, str | None]:
    """The times of writing that are there now, where they are known to be ours."""
    names = [n for n, column in one.push.columns.items() if column.now]
    if said.state in {"sent", "changed"}:
        return {n: kept(now) for n in names}
    others = {n: v for n, v in one.row.values.items() if n not in names}
    if said.state == "same" and all(comparable(v) == said.there.get(n) for n, v in others.items()):
        return {n: said.there.get(n) for n in names}
    return {}


def _allowed(
    deps: ConnectDeps, source: SourceDef, sendings: Sequence[Sending]
) -> dict[str, frozenset[Action]]:
    """What may be done to each table; NotAllowed, before anybody is asked, when nothing may."""
    if source.ledger:
        raise NotAllowed("ledger", _LEDGER, source=source.code)
    tables = dict.fromkeys(one.row.table for one in sendings)
    found = {table: _may(deps, source, table) for table in tables}
    for table, may in found.items():
        if not may:
            raise refusal(source.code, table, "insert")
    return found


def _may(deps: ConnectDeps, source: SourceDef, table: str) -> frozenset[Action]:
    return deps.connections.writes(source.code).get(table.casefold(), frozenset())
