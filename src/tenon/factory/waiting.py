"""What an order waits for, in words, from the same evidence as its stage."""

from __future__ import annotations

from sqlalchemy.engine import RowMapping

from tenon.factory import words
from tenon.factory.evidence import Evidence
from tenon.factory.orders import Line, on_hold
from tenon.factory.stage import Stage, least_advanced
from tenon.kernel.text import Text


def line_waits_for(line: Line, centres: dict[str, str]) -> Text | None:
    """What the order line waits for; None once it is shipped, closed or cancelled.

    `centres` gives the work centres' names by code.
    """
    if not line.open:
        return None
    if on_hold(line):
        return words.ON_HOLD
    live = {id_: s for id_, s in line.stages.items() if s.code != "cancelled"}
    if not live:
        return words.WAITS_WORK_ORDER if line.row["standard"] else words.WAITS_ROUTING
    live = {id_: s for id_, s in live.items() if s.code != "engineering"} or live
    slowest = least_advanced(live.values())
    work_order = next(id_ for id_, s in live.items() if s is slowest)
    return work_order_waits_for(line.work_orders[work_order], slowest, centres)


def work_order_waits_for(evidence: Evidence, stage: Stage, centres: dict[str, str]) -> Text | None:
    """What a work order waits for."""
    if stage.rule:
        reason = words.RULES[stage.rule]
        return Text(
            words.WAITS_REPORT.format(reason=reason.zh).zh,
            words.WAITS_REPORT.format(reason=reason.en).en,
        )
    note = evidence.row["engineering_note"]
    if note and stage.code in {"planned", "released"}:
        return words.WAITS_DRAWING.format(note=note)
    match stage.code:
        case "engineering":
            return words.WAITS_ENGINEERING
        case "planned":
            return words.WAITS_RELEASE
        case "released":
            issued = any(m["move"] == "issue" for m in evidence.moves)
            return words.WAITS_START if issued else words.WAITS_MATERIAL
        case "in_process" | "outside":
            return _operation_waits_for(evidence, stage, centres)
        case "finished":
            return words.WAITS_RECEIPT
        case "stocked" | "closed":
            return words.WAITS_SHIPMENT
        case _:
            return None


def _operation_waits_for(evidence: Evidence, stage: Stage, centres: dict[str, str]) -> Text:
    at = next(i for i, op in enumerate(evidence.rules.operations) if op.seq == stage.op_seq)
    rules, row = evidence.rules.operations[at], evidence.operations[at]
    supplier = row["supplier_name"] or "—"
    if rules.kind == "outside":
        waits = words.WAITS_OUTSIDE if rules.sent else words.WAITS_SENDING
        return waits.format(supplier=supplier)
    if rules.seen:
        return words.WAITS_RUNNING.format(seq=rules.seq, name=rules.name)
    return words.WAITS_MACHINE.format(seq=rules.seq, name=rules.name, place=_place(row, centres))


def _place(row: RowMapping, centres: dict[str, str]) -> str:
    return centres.get(row["work_centre"] or "", row["work_centre"] or "—")
