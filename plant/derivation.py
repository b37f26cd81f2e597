"""Stages derived from the truth by docs/reference/stage-rules.md, a second time and on its own."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from plant.facts import Facts, Line, Move, Operation

Layer = Literal["happened", "recorded"]
U1_MINUTES = 1
U2_MINUTES = 2
U4_BEGUN_HOURS = 15
EVIDENCE_MOVES = frozenset({"OUT_SEND", "OUT_BACK", "RECEIPT"})
SETTLED = frozenset({"planned", "stocked", "shipped", "closed", "cancelled"})
RANKS = {"planned": 0.0, "released": 1.0, "finished": 3.0, "stocked": 4.0, "closed": 4.0}
NOT_OPEN = frozenset({"cancelled", "closed", "shipped"})


@dataclass(frozen=True, slots=True)
class Sight:
    """What is known of one operation at an instant."""

    operation: Operation
    started: bool
    done: bool
    ran: bool = False
    running: bool = False
    run_ended: int = 0
    reported_done: bool = False
    reported_at: int = 0

    @property
    def seen(self) -> bool:
        """Tell whether the operation has any evidence of its own."""
        return self.started or self.done


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage with the current operation and whether the evidence carries it."""

    stage: str
    op_seq: int | None = None
    confirmed: bool = True
    rule: str | None = None
    wo: str | None = None
    progress: float = 0.0

    @property
    def answer(self) -> tuple[str, int | None]:
        """Return what is compared: the stage and the current operation."""
        return self.stage, self.op_seq


class Derivation:
    """Derives stages of work orders and order lines at one instant from one layer."""

    def __init__(self, facts: Facts, at: int, layer: Layer) -> None:
        self._facts, self._at, self._layer = facts, at, layer
        self._stages: dict[str, Stage] = {}

    def lines(self) -> dict[tuple[str, int], Stage]:
        """Return the stage of every order line there is at the instant."""
        return {
            (line.order_no, line.line): self.line(line)
            for line in self._facts.lines
            if line.created_at <= self._at
        }

    def line(self, line: Line) -> Stage:
        """Return the stage of one order line."""
        key, at, facts = (line.order_no, line.line), self._at, self._facts
        events = [event for event in facts.line_events[key] if event[0] <= at]
        kinds = {kind for _, kind, _ in events}
        if "cancelled" in kinds:
            return Stage("cancelled")
        if "closed" in kinds:
            return Stage("closed")
        ordered = [qty for _, kind, qty in events if kind == "qty"][-1]
        recorded = self._layer == "recorded"
        shipments = facts.recorded_shipped if recorded else facts.happened_shipped
        if sum(qty for when, qty in shipments.get(key, ()) if when <= at) >= ordered:
            return Stage("shipped")
        shares = facts.allocations if recorded else facts.happened_allocations
        found = [self.work_order(wo) for when, wo in shares.get(key, ()) if when <= at]
        live = [stage for stage in found if stage.stage != "cancelled"]
        if not live:
            return Stage("accepted" if line.standard else "engineering")
        least = min(live, key=lambda stage: (stage.progress, stage.confirmed, stage.wo))
        if least.stage == "closed":
            return Stage("stocked", wo=least.wo)
        return least

    def work_order(self, wo: str) -> Stage:
        """Return the stage of one work order."""
        if wo not in self._stages:
            self._stages[wo] = self._derive(wo)
        return self._stages[wo]

    def sights(self, wo: str) -> list[Sight]:
        """Return what this layer knows of each operation, in sequence."""
        at = self._at
        operations = [
            operation
            for operation in self._facts.operations[wo]
            if operation.created_at <= at
            and (operation.cancelled_at is None or operation.cancelled_at > at)
        ]
        if self._layer == "happened":
            return [
                Sight(
                    operation,
                    operation.started_at is not None and operation.started_at <= at,
                    operation.ended_at is not None and operation.ended_at <= at,
                )
                for operation in operations
            ]
        sends = self._count(wo, "OUT_SEND")
        backs = self._count(wo, "OUT_BACK")
        result, outside = [], 0
        for operation in operations:
            if operation.kind == "outside":
                outside += 1
                result.append(Sight(operation, sends >= outside, backs >= outside))
            else:
                result.append(self._reported(operation))
        return result

    def _count(self, wo: str, kind: str) -> int:
        moves = self._facts.moves.get(wo, ())
        return sum(move.kind == kind and move.counts(self._at) for move in moves)

    def _reported(self, operation: Operation) -> Sight:
        at, job_no = self._at, operation.job_no
        known = [r for r in self._facts.reports.get(job_no, ()) if r.known(at)]
        kinds = {r.kind for r in known}
        runs = [run for run in self._facts.runs.get(job_no, ()) if run.start_at <= at]
        ends = [run.end_at for run in runs if run.end_at is not None and run.end_at <= at]
        done = "FINISH" in kinds
        return Sight(
            operation,
            bool(kinds) or bool(runs),
            done,
            ran=bool(runs),
            running=len(ends) < len(runs),
            run_ended=max(ends, default=0),
            reported_done=done,
            reported_at=max((r.evidence_at for r in known if r.kind == "FINISH"), default=0),
        )

    def _derive(self, wo: str) -> Stage:
        order, at = self._facts.work_orders[wo], self._at
        if order.cancelled_at is not None and order.cancelled_at <= at:
            return Stage("cancelled", wo=wo)
        if order.closed_at is not None and order.closed_at <= at:
            return Stage("closed", wo=wo, progress=RANKS["closed"])
        if self._received(wo):
            return Stage("stocked", wo=wo, progress=RANKS["stocked"])
        sights = self.sights(wo)
        furthest = max((place for place, sight in enumerate(sights) if sight.seen), default=-1)
        if furthest < 0:
            planned = order.released_at is None or order.released_at > at
            stage = "planned" if planned else "released"
            rule = None if planned else self._begun_unseen(wo, sights)
            return Stage(stage, None, rule is None, rule, wo, RANKS[stage])
        current = furthest + 1 if sights[furthest].done else furthest
        rule = self._doubt(wo, sights, furthest, current) if self._layer == "recorded" else None
        if current == len(sights):
            return Stage("finished", None, rule is None, rule, wo, RANKS["finished"])
        operation = sights[current].operation
        stage = "outside" if operation.kind == "outside" else "in_process"
        progress = 2 + current / len(sights)
        return Stage(stage, operation.op_seq, rule is None, rule, wo, progress)

    def _begun_unseen(self, wo: str, sights: list[Sight]) -> str | None:
        """Return the rule by which an order without evidence may have begun all the same."""
        if self._layer == "happened":
            return None
        moves = [m for m in self._facts.moves.get(wo, ()) if m.counts(self._at)]
        if any(m.kind == "SCRAP" for m in moves):
            return "U3"
        issues = [m.at for m in moves if m.kind == "ISSUE"]
        if not sights or self._net(m for m in moves if m.kind in {"ISSUE", "RETURN"}) >= 0:
            return None
        by_hand = sights[0].operation.kind == "manual"
        return "U4" if by_hand or self._at - max(issues) > U4_BEGUN_HOURS * 3600 else None

    def _received(self, wo: str) -> bool:
        if self._layer == "happened":
            received_at = self._facts.received_at.get(wo)
            return received_at is not None and received_at <= self._at
        moves = self._facts.moves.get(wo, ())
        return self._net(m for m in moves if m.kind == "RECEIPT") > 0

    def _net(self, moves: Iterable[Move]) -> float:
        return sum(move.direction * move.qty for move in moves if move.counts(self._at))

    def _doubt(self, wo: str, sights: list[Sight], furthest: int, current: int) -> str | None:
        """Return the first rule that makes the stage unconfirmed."""
        at = self._at
        now_at = sights[current] if current < len(sights) else None
        if now_at and _stopped(now_at) and at - now_at.run_ended > U1_MINUTES * 60:
            return "U1"
        for sight in sights[: furthest + 1]:
            if sight.operation.kind == "press" and sight.reported_done and _contradicted(sight):
                return "U2"
        for sight in sights[:furthest]:
            if sight.operation.kind == "press" and not sight.seen:
                return "U3"
        if now_at and now_at.operation.kind == "manual":
            allowed = now_at.operation.planned_min
            if at - self._last_evidence(wo, sights) > allowed * 60:
                return "U4"
        return None

    def _last_evidence(self, wo: str, sights: list[Sight]) -> int:
        at, instants = self._at, [0]
        for sight in sights:
            job_no = sight.operation.job_no
            reports = self._facts.reports.get(job_no, ())
            instants += [r.evidence_at for r in reports if r.known(at)]
            for run in self._facts.runs.get(job_no, ()):
                instants += [when for when in (run.start_at, run.end_at) if when and when <= at]
        moves = self._facts.moves.get(wo, ())
        instants += [m.at for m in moves if m.kind in EVIDENCE_MOVES and m.counts(at)]
        return max(instants)

    def issued(self) -> dict[str, dict[str, float]]:
        """Return the quantity of each material issued to each work order, net of returns."""
        totals: dict[str, dict[str, float]] = {}
        for wo, moves in self._facts.moves.items():
            if wo not in self._facts.work_orders:
                continue
            for move in moves:
                if move.kind in ("ISSUE", "RETURN") and move.counts(self._at):
                    items = totals.setdefault(wo, {})
                    change = items.get(move.item_code, 0.0) - move.direction * move.qty
                    items[move.item_code] = round(change, 4)
        return totals

    def truly_issued(self) -> dict[str, dict[str, float]]:
        """Return the quantity of each material that really went into each work order."""
        totals: dict[str, dict[str, float]] = {}
        for wo, item, when, qty in self._facts.happened_issues:
            if when <= self._at:
                items = totals.setdefault(wo, {})
                items[item] = round(items.get(item, 0.0) + qty, 4)
        return totals


def _stopped(sight: Sight) -> bool:
    """Tell whether a press ran the operation, stands still now, and nothing was reported."""
    return sight.ran and not sight.reported_done and not sight.running


def _contradicted(sight: Sight) -> bool:
    """Tell whether no press carries a reported operation, or ran on after its reported end."""
    ran_on = sight.run_ended > sight.reported_at + U2_MINUTES * 60
    return not sight.ran or sight.running or ran_on
