"""Loading the evidence of work orders and order lines, as sets: a query a kind, not a row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from tenon.factory import stage
from tenon.factory.reported import Reported, load_reported
from tenon.records.query import Reader

_CHUNK = 5000  # below SQLite's limit of bound parameters

Rows = list[RowMapping]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one work order: the rules' view, and the rows it came from."""

    row: RowMapping
    operations: Rows
    runs: dict[str, Rows]  # operation id → PLC runs that carry its job
    reported: dict[str, Reported]  # operation id → what workers reported on their phones
    moves: Rows  # issues, returns, receipts and outside moves that count
    rules: stage.WorkOrder


def load_work_orders(
    connection: Connection, reader: Reader, ids: Sequence[str]
) -> dict[str, Evidence]:
    """The evidence of these work orders, by id."""
    work_order, operation = reader.table("work_order"), reader.table("operation")
    state, move = reader.table("machine_state"), reader.table("stock_move")
    orders = _in(connection, sa.select(work_order), work_order.c.id, ids)
    operations = _in(
        connection,
        sa.select(operation).where(operation.c.state != "cancel").order_by(operation.c.seq),
        operation.c.work_order,
        ids,
    )
    runs = _in(
        connection,
        sa.select(
            state.c.operation, state.c.started_at, state.c.ended_at, state.c.machine,
            state.c.source, state.c.source_key, state.c.updated_at,
        )
        .join_from(operation, state, state.c.operation == operation.c.id)
        .where(state.c.state == "run")
        .order_by(state.c.started_at),
        operation.c.work_order,
        ids,
    )  # fmt: skip
    moves = _in(
        connection,
        sa.select(move)
        .where(sa.not_(move.c.void), move.c.move.in_(_COUNTED))
        .order_by(move.c.moved_at, move.c.move_no),
        move.c.work_order,
        ids,
    )
    reported = load_reported(connection, reader, [op["id"] for op in operations])
    presses = press_centres(connection, reader)
    return _assemble(orders, operations, runs, reported, moves, presses)


_PROGRESS = ("receipt", "out_send", "out_back")
_COUNTED = ("issue", "return", "scrap", *_PROGRESS)


def press_centres(connection: Connection, reader: Reader) -> frozenset[str]:
    """The work centres whose machines have a PLC."""
    machine = reader.table("machine")
    return frozenset(
        connection.scalars(sa.select(machine.c.work_centre).where(machine.c.has_plc).distinct())
    )


def load_shipped(
    connection: Connection, reader: Reader, line_ids: Sequence[str]
) -> dict[str, tuple[Decimal, datetime | None]]:
    """For each order line: the net quantity shipped and the time of the last shipment."""
    move = reader.table("stock_move")
    query = (
        sa.select(
            move.c.order_line,
            sa.func.sum(move.c.qty, type_=move.c.qty.type).label("qty"),
            sa.func.max(move.c.moved_at, type_=move.c.moved_at.type).label("at"),
        )
        .where(move.c.move == "ship", sa.not_(move.c.void))
        .group_by(move.c.order_line)
    )
    rows = _in(connection, query, move.c.order_line, line_ids)
    return {r["order_line"]: (-r["qty"], r["at"]) for r in rows}


def _in(
    connection: Connection, query: sa.Select[tuple[object, ...]], column: sa.Column[str],
    ids: Sequence[str],
) -> Rows:  # fmt: skip
    found: Rows = []
    for part in _chunks(ids):
        found += connection.execute(query.where(column.in_(part))).mappings().all()
    return found


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]


def _assemble(
    orders: Rows, operations: Rows, runs: Rows, reported: dict[str, Reported], moves: Rows,
    presses: frozenset[str],
) -> dict[str, Evidence]:  # fmt: skip
    operations_of = _grouped(operations, "work_order")
    runs_of, moves_of = _grouped(runs, "operation"), _grouped(moves, "work_order")
    found: dict[str, Evidence] = {}
    for row in orders:
        own = operations_of.get(row["id"], [])
        own_runs = {op["id"]: runs_of.get(op["id"], []) for op in own}
        own_moves = moves_of.get(row["id"], [])
        own_reported = {op["id"]: reported[op["id"]] for op in own if op["id"] in reported}
        rules = _rules(row, own, own_runs, own_reported, own_moves, presses)
        found[row["id"]] = Evidence(row, own, own_runs, own_reported, own_moves, rules)
    return found


def _grouped(rows: Rows, by: str) -> dict[str, Rows]:
    groups: dict[str, Rows] = defaultdict(list)
    for row in rows:
        groups[row[by]].append(row)
    return groups


def _rules(
    row: RowMapping, operations: Rows, runs: dict[str, Rows], reported: dict[str, Reported],
    moves: Rows, presses: frozenset[str],
) -> stage.WorkOrder:  # fmt: skip
    sends = [m for m in moves if m["move"] == "out_send"]
    backs = [m for m in moves if m["move"] == "out_back"]
    # An issue says nothing of an operation: boxes issued for packing are no sign of inspection.
    seen: list[datetime] = [m["moved_at"] for m in moves if m["move"] in _PROGRESS]
    made: list[stage.Operation] = []
    outside = 0
    for op in operations:
        sent = back = False
        if op["outside"]:
            # The n-th sending belongs to the n-th outside operation.
            sent, back = outside < len(sends), outside < len(backs)
            outside += 1
        own = reported.get(op["id"])
        kind = kind_of(op, presses)
        made.append(_operation(op, runs[op["id"]], own, kind, sent=sent, back=back))
        seen += [own.last_at] if own else []
        seen += [t for t in (op["started_at"], op["ended_at"]) if t]
        seen += [t for r in runs[op["id"]] for t in (r["started_at"], r["ended_at"]) if t]
    received = sum((m["qty"] for m in moves if m["move"] == "receipt"), Decimal(0))
    material = [m for m in moves if m["move"] in {"issue", "return"}]
    return stage.WorkOrder(
        status=row["status"],
        operations=tuple(made),
        received=received,
        issued=sum((m["qty"] for m in material), Decimal(0)) < 0,
        issued_at=max((m["moved_at"] for m in material if m["move"] == "issue"), default=None),
        offcuts=any(m["move"] == "scrap" for m in moves),
        last_evidence=max(seen, default=None),
    )


def kind_of(operation: RowMapping, presses: frozenset[str]) -> stage.OperationKind:
    """Whether an operation is outside work, a press with a PLC, or done by hand."""
    if operation["outside"]:
        return "outside"
    return "press" if operation["work_centre"] in presses else "manual"


def _operation(
    op: RowMapping, runs: Rows, reported: Reported | None, kind: stage.OperationKind, *,
    sent: bool, back: bool,
) -> stage.Operation:  # fmt: skip
    done = reported is not None and reported.done(op["qty_plan"])
    minutes = float((op["setup_min"] or 0) + (op["run_min"] or 0))
    return stage.Operation(
        seq=op["seq"],
        name=op["name"] or op["process"] or str(op["seq"]),
        kind=kind,
        planned=timedelta(minutes=minutes),
        reported_started=op["state"] == "run" or op["started_at"] is not None or bool(reported),
        reported_done=op["state"] == "done" or done,
        reported_end=op["ended_at"] or (reported.last_at if reported and done else None),
        ran=bool(runs),
        running_now=any(r["ended_at"] is None for r in runs),
        last_run_end=max((r["ended_at"] for r in runs if r["ended_at"]), default=None),
        sent=sent,
        back=back,
    )
