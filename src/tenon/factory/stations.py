"""The line of stations of a work order: each operation with plan, actual, who, where, what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from tenon.boards.reading import Context
from tenon.factory import words
from tenon.factory.evidence import Evidence
from tenon.factory.orders import Line
from tenon.factory.stage import Operation, Stage
from tenon.factory.trace import sources
from tenon.factory.waiting import work_order_waits_for


@dataclass(frozen=True, slots=True)
class Names:
    """The names a page needs, loaded in one go."""

    items: dict[str, tuple[str, str]]  # id → code, name
    machines: dict[str, str]
    employees: dict[str, str]
    centres: dict[str, str]  # code → name
    reports: dict[str, list[RowMapping]]  # operation id → its reports
    required: dict[str, dict[str, Decimal]]  # work order id → item id → quantity
    units: dict[str, str]  # of the items that are required


def load_names(context: Context, line: Line) -> Names:
    """The names, reports and required quantities of a line's work orders."""
    operations = [op for e in line.work_orders.values() for op in e.operations]
    reports = _reports(context, [op["id"] for op in operations])
    own = [o for e in line.work_orders.values() for o in e.reported.values()]
    flat = [r for rows in reports.values() for r in rows]
    machines = [id_ for o in own for id_ in o.machines]
    machines += [r["machine"] for r in [*operations, *flat]]
    employees = [id_ for o in own for id_ in o.employees]
    employees += [r["employee"] for r in [*operations, *flat]]
    runs = [r for e in line.work_orders.values() for own_runs in e.runs.values() for r in own_runs]
    machines += [r["machine"] for r in runs]
    required = _required(context, list(line.work_orders))
    needed = {item for own in required.values() for item in own}
    items = {m["item"] for e in line.work_orders.values() for m in e.moves} | {line.row["item"]}
    centre = context.reader.table("work_centre")
    return Names(
        items=_pairs(context, "item", items | needed),
        machines=_named(context, "machine", machines),
        employees=_named(context, "employee", employees),
        centres=dict(context.connection.execute(sa.select(centre.c.code, centre.c.name)).all()),
        reports=reports,
        required=required,
        units=_units(context, needed),
    )


def _pairs(context: Context, entity: str, ids: Iterable[str | None]) -> dict[str, tuple[str, str]]:
    table = context.reader.table(entity)
    wanted = sorted({id_ for id_ in ids if id_})
    if not wanted:
        return {}
    query = sa.select(table.c.id, table.c.code, table.c.name).where(table.c.id.in_(wanted))
    return {id_: (code, name) for id_, code, name in context.connection.execute(query)}


def _named(context: Context, entity: str, ids: Iterable[str | None]) -> dict[str, str]:
    return {id_: name for id_, (_, name) in _pairs(context, entity, ids).items()}


def _units(context: Context, items: set[str]) -> dict[str, str]:
    if not items:
        return {}
    table = context.reader.table("item")
    query = sa.select(table.c.id, table.c.unit).where(table.c.id.in_(items))
    return {id_: unit or "" for id_, unit in context.connection.execute(query)}


def _reports(context: Context, operations: list[str]) -> dict[str, list[RowMapping]]:
    report = context.reader.table("job_report")
    found: dict[str, list[RowMapping]] = {}
    query = sa.select(report).where(report.c.operation.in_(operations))
    for row in context.connection.execute(query.order_by(report.c.reported_at)).mappings():
        found.setdefault(row["operation"], []).append(row)
    return found


def _required(context: Context, work_orders: list[str]) -> dict[str, dict[str, Decimal]]:
    """What the component lists ask for; finance's own list goes before the one we froze."""
    table = context.reader.table("work_order_material")
    query = (
        sa.select(table.c.work_order, table.c.item, table.c.required_qty, table.c.source)
        .where(table.c.work_order.in_(work_orders), table.c.required_qty.is_not(None))
        .order_by(table.c.id)
    )
    rows = context.connection.execute(query).all()
    listed = {row.work_order for row in rows if row.source is not None}
    found: dict[str, dict[str, Decimal]] = {}
    for order, item, qty, source in rows:
        if source is not None or order not in listed:
            own = found.setdefault(order, {})
            own[item] = own.get(item, Decimal(0)) + qty
    return found


def stations(
    context: Context, evidence: Evidence, stage: Stage, names: Names
) -> list[dict[str, Any]]:
    """The stations of one work order, in sequence."""
    furthest = evidence.rules.furthest
    return [
        _station(context, evidence, at, _state(rules, at, furthest, stage), stage, names)
        for at, rules in enumerate(evidence.rules.operations)
    ]


def _state(op: Operation, at: int, furthest: int, stage: Stage) -> str:
    """The state of a station: what it shows by itself, then what later evidence implies."""
    if op.done:
        return "done"
    if at < furthest or stage.code in {"stocked", "finished", "closed"}:
        return "passed"
    if op.running_now or (op.seen and stage.confirmed):
        return "running"
    return "current" if op.seq == stage.op_seq else "waiting"


def _station(
    context: Context, evidence: Evidence, at: int, state: str, stage: Stage, names: Names
) -> dict[str, Any]:
    row, rules = evidence.operations[at], evidence.rules.operations[at]
    runs, reports = evidence.runs[row["id"]], names.reports.get(row["id"], [])
    here = rules.seq == stage.op_seq
    waits = work_order_waits_for(evidence, stage, names.centres) if here else None
    own = evidence.reported.get(row["id"])
    who, where = (own.employees, own.machines) if own else ([], [])
    in_mes = row["state"] == "done" or bool(reports)
    starts = [r["started_at"] for r in runs] + [row["started_at"], own.started_at if own else None]
    ends = [rules.reported_end] if rules.done else [r["ended_at"] for r in runs]
    return {
        "seq": rules.seq,
        "name": rules.name,
        "kind": rules.kind,
        "work_centre": names.centres.get(row["work_centre"] or "", row["work_centre"]),
        "state": state,
        "plan_start": row["plan_start"],
        "plan_end": row["plan_end"],
        "actual_start": min((t for t in starts if t), default=None),
        "actual_end": None if rules.running_now else max((t for t in ends if t), default=None),
        "qty_plan": row["qty_plan"] or Decimal(0),
        # The same work may be reported in both places: the larger figure, never the sum.
        "qty_good": _larger(row["qty_good"] if in_mes else None, own.good if own else None),
        "qty_scrap": _larger(row["qty_scrap"] if in_mes else None, own.scrap if own else None),
        "operators": _distinct(names.employees, [*(r["employee"] for r in [*reports, row]), *who]),
        "machines": _distinct(
            names.machines, [*(r["machine"] for r in [*runs, *reports, row]), *where]
        ),
        "supplier": row["supplier_name"],
        "waits_for": waits.as_dict() if waits and not stage.rule else None,
        "doubt": words.RULES[stage.rule].as_dict() if here and stage.rule else None,
        "sources": sources(context, [row, *reports, *runs, *_outside_moves(evidence, at)]),
    }


def _larger(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    known = [qty for qty in (one, other) if qty is not None]
    return max(known, default=None)


def _distinct(names: dict[str, str], ids: Iterable[str | None]) -> list[str]:
    return list({names[id_]: None for id_ in ids if id_ and id_ in names})


def _outside_moves(evidence: Evidence, at: int) -> list[RowMapping]:
    """The sending and the return of an outside operation: the n-th belong to the n-th."""
    if evidence.rules.operations[at].kind != "outside":
        return []
    nth = sum(op.kind == "outside" for op in evidence.rules.operations[:at])
    found = []
    for move in ("out_send", "out_back"):
        found += [m for m in evidence.moves if m["move"] == move][nth : nth + 1]
    return found
