"""Write-back: records of ours written into tables of a legacy system, exactly once.

Three parts, so that a process may die between any two of them: `intend` writes down what is to
be there, `send` looks at what is there and writes what differs, `record` writes down that it was
done. Sending again changes nothing, because it looks first. A table is written only where an
administrator allowed it in connections.yaml; a ledger never is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.connect.contract import WriteRow, Written
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
_CHANGED = ("entity", "record_id", "run_id", "step_key", "state", "values", "intended_at")


@dataclass(frozen=True, slots=True)
class Intent:
    """Records to be written by a push."""

    push: PushDef
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sending:
    """One row on its way."""

    push: PushDef
    key: str
    record_id: str
    row: WriteRow


def prepare(
    deps: ConnectDeps, tx: Connection, reader: Reader, intents: Sequence[Intent]
) -> list[Sending]:
    """The rows that these records make, compared with what was sent before."""
    found: list[Sending] = []
    computed: dict[str, PushedValues] = {}
    for one in intents:
        source = deps.catalogue().source(one.push.source)
        values = computed.setdefault(
            source.code, PushedValues(tx, reader, source.code, ZoneInfo(source.zone))
        )
        rows = values.of(one.push, one.ids)
        keys = ["|".join(str(row[name]) for name in one.push.key) for row in rows]
        sent = _sent(tx, one.push.code, keys)
        found += [
            Sending(one.push, key, id_, _row(one.push, row, sent.get(key)))
            for key, id_, row in zip(keys, one.ids, rows, strict=True)
        ]
    return found


def intend(tx: Connection, sendings: Sequence[Sending], run_id: str, step_key: str) -> None:
    """Write down what is to be there."""
    if not sendings:
        return
    now = clock.now()
    rows = [
        {
            "push": one.push.code, "key": one.key, "entity": one.push.entity,
            "record_id": one.record_id, "run_id": run_id, "step_key": step_key,
            "state": "intended", "intended_at": now,
            "values": {name: kept(value) for name, value in one.row.values.items()},
        }
        for one in sendings
    ]  # fmt: skip
    tx.execute(insert_or_change(tx, push_row, _CHANGED), rows)


def send(
    deps: ConnectDeps, groups: Sequence[Sequence[Sending]], *, dry: bool = False
) -> list[list[Written]]:
    """Write each group as a whole, all groups of a source in one transaction there.

    `dry` looks and compares, keeps nothing, and needs no permission.
    """
    answers: list[list[Written]] = [[] for _ in groups]
    for source in dict.fromkeys(one.push.source for group in groups for one in group):
        definition = deps.catalogue().source(source)
        if not dry:
            _allow(deps, definition, groups)
        own = [[one.row for one in group if one.push.source == source] for group in groups]
        faults.point("push.call.before")
        said = deps.writers.write(deps.connections, definition, own, dry=dry)
        faults.point("push.call.after")
        for at, written in enumerate(said):
            answers[at] += written
    return answers


def record(tx: Connection, sendings: Sequence[Sending], answers: Sequence[Written]) -> None:
    """Write down what was done."""
    now = clock.now()
    p = push_row.c
    for state in {said.state for said in answers}:
        keys = [
            (one.push.code, one.key)
            for one, said in zip(sendings, answers, strict=True)
            if said.state == state
        ]
        sent: dict[str, Any] = {"state": state, "sent_at": now, "sent_values": p["values"]}
        if state != "same":
            sent["echoed_at"] = None
        mine = sa.tuple_(p.push, p.key).in_(keys)
        tx.execute(push_row.update().where(mine).values(sent))


def _sent(tx: Connection, push: str, keys: Sequence[str]) -> dict[str, dict[str, str | None]]:
    """What was there after the last sending, by key."""
    p = push_row.c
    rows = tx.execute(
        sa.select(p.key, p.sent_values).where(
            p.push == push, p.key.in_(keys), p.sent_at.is_not(None)
        )
    )
    return {row.key: row.sent_values for row in rows}


def _row(push: PushDef, values: Mapping[str, Any], sent: Mapping[str, Any] | None) -> WriteRow:
    """A row to be written; what may change is changed only where we mean something else now."""
    own = {name for name, one in push.columns.items() if one.initial}
    compare = tuple(n for n in values if n not in own and n not in push.changes)
    change: tuple[str, ...] = ()
    if sent is not None:
        changed = [n for n in push.changes if kept(values[n]) != sent.get(n)]
        # The time of writing alone is no change.
        if any(not push.columns[n].now for n in changed):
            change = tuple(changed)
    return WriteRow(
        push.table, push.key, values, compare, change, push.only_if, push.number, push.number_from
    )


def _allow(deps: ConnectDeps, source: SourceDef, groups: Sequence[Sequence[Sending]]) -> None:
    if source.ledger:
        raise NotAllowed("ledger", _LEDGER, source=source.code)
    allowed = deps.connections.writes(source.code)
    for one in (one for group in groups for one in group if one.push.source == source.code):
        action = "update" if one.row.change else "insert"
        if action not in allowed.get(one.row.table, ()):
            raise NotAllowed(
                "write_not_allowed", _NOT_ALLOWED, source=source.code, table=one.row.table,
                action=action,
            )  # fmt: skip
