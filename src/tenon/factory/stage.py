"""The stage of an order: what the recorded evidence implies, never more.

The rules are docs/reference/stage-rules.md, numbered as there. Pure functions: the evidence is
loaded by `tenon.factory.evidence`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

OperationKind = Literal["press", "manual", "outside"]
StageCode = Literal[
    "engineering", "accepted", "planned", "released", "in_process", "outside",
    "finished", "stocked", "shipped", "closed", "cancelled",
]  # fmt: skip

STOPPED_AFTER = timedelta(minutes=1)  # U1: no longer than a punctual report takes
BEGUN_BY = timedelta(hours=15)  # U4: nine of ten work orders begin sooner after the issue
RAN_ON = timedelta(minutes=2)  # U2: a press that ran on after the report contradicts it

# Stages that rest on a document, which no missing report can shake.
_SETTLED = frozenset({"engineering", "planned", "stocked", "shipped", "closed", "cancelled"})
CLOSED_STAGES = frozenset({"shipped", "closed", "cancelled"})


@dataclass(frozen=True, slots=True)
class Operation:
    """The evidence of one operation."""

    seq: int
    name: str
    kind: OperationKind
    planned: timedelta
    reported_started: bool = False
    reported_done: bool = False
    ran: bool = False
    running_now: bool = False
    last_run_end: datetime | None = None
    reported_end: datetime | None = None
    sent: bool = False
    back: bool = False

    @property
    def done(self) -> bool:
        """Whether it is known to be done."""
        return self.reported_done or self.back

    @property
    def seen(self) -> bool:
        """Whether there is any evidence of its own."""
        return self.done or self.reported_started or self.ran or self.sent


@dataclass(frozen=True, slots=True)
class WorkOrder:
    """The evidence of one work order, operations in sequence."""

    status: str
    operations: tuple[Operation, ...] = ()
    received: Decimal = Decimal(0)
    issued: bool = False
    issued_at: datetime | None = None  # the last issue of material
    offcuts: bool = False  # offcuts were weighed for it, so a press has run
    last_evidence: datetime | None = None

    @property
    def furthest(self) -> int:
        """The index of the last operation with evidence of its own; -1 without any."""
        return max((i for i, op in enumerate(self.operations) if op.seen), default=-1)


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage, whether it is confirmed, and by which rule it is not."""

    code: StageCode
    op_seq: int | None = None
    op_name: str | None = None
    rule: str | None = None
    evidence_at: datetime | None = None
    progress: float = field(default=0.0, compare=False)

    @property
    def confirmed(self) -> bool:
        """Whether nothing is missing or contradictory."""
        return self.rule is None


@dataclass(frozen=True, slots=True)
class OrderLine:
    """The evidence of one order line."""

    status: str
    order_status: str
    standard: bool
    qty: Decimal
    shipped: Decimal
    last_shipped: datetime | None = None


def work_order_stage(order: WorkOrder, now: datetime, *, stale: bool = False) -> Stage:
    """The stage of a work order at `now`; `stale` when MES or WMS has not been read lately."""
    code, at = _position(order)
    operation = order.operations[at] if at is not None else None
    rule = None
    if code not in _SETTLED:
        rule = _doubt(order, at, now) or ("U5" if stale else None)
    return Stage(
        code=code,
        op_seq=operation.seq if operation else None,
        op_name=operation.name if operation else None,
        rule=rule,
        evidence_at=order.last_evidence,
        progress=_progress(code, at, len(order.operations)),
    )


def _position(order: WorkOrder) -> tuple[StageCode, int | None]:
    """The stage and the index of the current operation."""
    if order.status == "cancelled":
        return "cancelled", None
    if order.status == "closed":
        return "closed", None
    if order.received > 0:
        return "stocked", None
    if order.status in {"engineering", "planned"} and order.furthest < 0:
        return ("engineering" if order.status == "engineering" else "planned"), None
    furthest = order.furthest
    if furthest < 0:
        return "released", None
    done = order.operations[furthest].done
    if done and furthest == len(order.operations) - 1:
        return "finished", None
    current = furthest + 1 if done else furthest
    outside = order.operations[current].kind == "outside"
    return ("outside" if outside else "in_process"), current


def _doubt(order: WorkOrder, current: int | None, now: datetime) -> str | None:
    """The first rule by which the stage is unconfirmed."""
    furthest = order.furthest
    if current is not None and _machine_stopped(order.operations[current], now):
        return "U1"
    if any(_no_machine(op) for op in order.operations[: furthest + 1]):
        return "U2"
    if any(op.kind == "press" and not op.seen for op in order.operations[: max(furthest, 0)]):
        return "U3"
    if current is not None and _quiet(order, order.operations[current], now):
        return "U4"
    return _begun_unseen(order, now) if furthest < 0 else None


def _begun_unseen(order: WorkOrder, now: datetime) -> str | None:
    """Why a work order without any evidence of an operation may have begun all the same."""
    if order.offcuts:
        return "U3"
    if not order.issued or not order.operations:
        return None
    if order.operations[0].kind == "manual":
        return "U4"  # with its material at hand, work by hand begins without a trace
    late = order.issued_at is not None and now - order.issued_at > BEGUN_BY
    return "U4" if late else None


def _machine_stopped(op: Operation, now: datetime) -> bool:
    return (
        op.kind == "press"
        and op.ran
        and not op.done
        and not op.running_now
        and op.last_run_end is not None
        and now - op.last_run_end > STOPPED_AFTER
    )


def _no_machine(op: Operation) -> bool:
    if op.kind != "press" or not op.reported_done:
        return False
    # A press that ran on after its report contradicts it too: reported before it was done.
    last, reported = op.last_run_end, op.reported_end
    ran_on = last is not None and reported is not None and last - reported > RAN_ON
    return not op.ran or op.running_now or ran_on


def _quiet(order: WorkOrder, op: Operation, now: datetime) -> bool:
    if op.kind != "manual" or order.last_evidence is None:
        return False
    return now - order.last_evidence > op.planned


_RANK = {
    "engineering": -1.0,
    "planned": 0.0,
    "released": 1.0,
    "finished": 4.0,
    "stocked": 5.0,
    "closed": 5.0,
}


def _progress(code: StageCode, current: int | None, operations: int) -> float:
    if current is None:
        return _RANK.get(code, 0.0)
    return 2.0 + current / max(operations, 1)


def line_stage(line: OrderLine, work_orders: Sequence[Stage]) -> Stage:
    """The stage of an order line from the stages of the work orders that serve it."""
    if "cancelled" in {line.status, line.order_status}:
        return Stage("cancelled")
    if line.order_status == "closed":
        return Stage("closed", evidence_at=line.last_shipped)
    if line.qty > 0 and line.shipped >= line.qty:
        return Stage("shipped", evidence_at=line.last_shipped)
    live = [s for s in work_orders if s.code != "cancelled"]
    if not live:
        return Stage("accepted" if line.standard else "engineering")
    # Where a work order is there, ours that awaits its routing is about to be withdrawn.
    live = [s for s in live if s.code != "engineering"] or live
    return _as_line(least_advanced(live))


def least_advanced(stages: Iterable[Stage]) -> Stage:
    """The work order that holds the line back; among equals an unconfirmed one."""
    return min(stages, key=lambda s: (s.progress, s.confirmed))


def _as_line(stage: Stage) -> Stage:
    # A closed work order has delivered to stock; the line itself is closed by the order alone.
    if stage.code == "closed":
        return Stage("stocked", evidence_at=stage.evidence_at, progress=stage.progress)
    return stage
