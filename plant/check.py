"""Compares answers to "where is my order" with the truth: recorded, and what really happened."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from plant.derivation import NOT_OPEN, Derivation, Stage
from plant.explaining import UNEXPLAINED, Explainer
from plant.facts import Facts, normalised

LineKey = tuple[str, int]
Quantity = Decimal | float | str
QTY_TOLERANCE = 0.001


@dataclass(frozen=True, slots=True)
class Difference:
    """One line or quantity on which two sides do not agree."""

    key: str
    shown: str
    truth: str
    confirmed: bool
    reason: str


@dataclass(slots=True)
class Report:
    """What agrees with the truth and what does not."""

    at: datetime
    lines_total: int = 0
    lines_once: int = 0
    missing: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    open_lines: int = 0
    unconfirmed: int = 0
    stages_equal: int = 0
    from_recorded: list[Difference] = field(default_factory=list)
    from_happened: list[Difference] = field(default_factory=list)
    issues_compared: bool = False
    issues_equal: int = 0
    issues_from_recorded: list[Difference] = field(default_factory=list)
    issues_from_happened: list[Difference] = field(default_factory=list)

    @property
    def confidently_wrong(self) -> list[Difference]:
        """Return the open lines shown as confirmed that are really elsewhere."""
        return [difference for difference in self.from_happened if difference.confirmed]

    @property
    def confidently_wrong_percent(self) -> float:
        """Return the share of open lines that are confidently wrong, in percent."""
        return 100 * len(self.confidently_wrong) / max(1, self.open_lines)

    @property
    def unexplained(self) -> list[Difference]:
        """Return the differences for which no planted fault is known."""
        every = self.from_recorded + self.from_happened
        every += self.issues_from_recorded + self.issues_from_happened
        return [difference for difference in every if difference.reason == UNEXPLAINED]

    @property
    def ok(self) -> bool:
        """Tell whether everything promised holds."""
        return not (
            self.missing
            or self.twice
            or self.extra
            or self.unexplained
            or self.confidently_wrong_percent > 1.0
        )

    def as_json(self) -> dict[str, Any]:
        """Return the figures as JSON values."""
        return {
            "at": self.at.isoformat(" "),
            "ok": self.ok,
            "lines": self.lines_total,
            "lines_once": self.lines_once,
            "missing": self.missing,
            "twice": self.twice,
            "extra": self.extra,
            "open_lines": self.open_lines,
            "unconfirmed": self.unconfirmed,
            "stages_equal": self.stages_equal,
            "stages_different": len(self.from_recorded),
            "different_from_happened": len(self.from_happened),
            "confidently_wrong": len(self.confidently_wrong),
            "confidently_wrong_percent": round(self.confidently_wrong_percent, 3),
            "issues_equal": self.issues_equal,
            "issues_different": len(self.issues_from_recorded),
            "unexplained": len(self.unexplained),
            "reasons": dict(Counter(d.reason for d in self.from_happened)),
            "issue_reasons": dict(Counter(d.reason for d in self.issues_from_happened)),
        }


def compare(
    truth_path: Path,
    at: datetime,
    tenon_answers: Iterable[Mapping[str, Any]],
    issued: Mapping[str, Mapping[str, Quantity]] | None = None,
) -> Report:
    """Compare answers for every order line, and issued quantities, with the truth at an instant.

    An answer has order_no, line_no, stage, op_seq and confirmed. `issued` maps a work order to
    the net quantity of each WMS item code; without it quantities are not compared.
    """
    facts = Facts(truth_path)
    moment = facts.seconds(at)
    if moment > facts.saved:
        raise ValueError(
            f"The truth reaches to second {facts.saved} of the plant's life and {at} is second "
            f"{moment}; compare at an instant the plant has already saved."
        )
    return _Comparison(facts, moment, at).run(tenon_answers, issued)


def compare_layers(facts: Facts, at: datetime) -> Report:
    """Compare what can be derived from the records with what happened, without any answers."""
    moment = facts.seconds(at)
    recorded = Derivation(facts, moment, "recorded")
    answers = [
        {
            "order_no": order_no,
            "line_no": line,
            "stage": stage.stage,
            "op_seq": stage.op_seq,
            "confirmed": stage.confirmed,
        }
        for (order_no, line), stage in recorded.lines().items()
    ]
    return _Comparison(facts, moment, at).run(answers, recorded.issued())


class _Comparison:
    """One comparison: derives both layers once and goes through the answers."""

    def __init__(self, facts: Facts, moment: int, at: datetime) -> None:
        self._facts = facts
        self._derived = Derivation(facts, moment, "recorded")
        self._lived = Derivation(facts, moment, "happened")
        self._recorded = self._derived.lines()
        self._happened = self._lived.lines()
        self._explainer = Explainer(facts, moment)
        self._items = {(line.order_no, line.line): line.wms_item for line in facts.lines}
        self._report = Report(at)

    def run(
        self,
        answers: Iterable[Mapping[str, Any]],
        issued: Mapping[str, Mapping[str, Quantity]] | None,
    ) -> Report:
        given = self._collect(answers)
        report = self._report
        for key, recorded in self._recorded.items():
            answer = given.get(key)
            if answer is not None:
                self._line(key, answer, recorded, self._happened[key])
        report.open_lines = sum(
            key in given and stage.stage not in NOT_OPEN for key, stage in self._recorded.items()
        )
        if issued is not None:
            report.issues_compared = True
            self._issues(issued)
        return report

    def _collect(self, answers: Iterable[Mapping[str, Any]]) -> dict[LineKey, Stage]:
        report, given = self._report, {}
        seen: Counter[LineKey] = Counter()
        for answer in answers:
            key = (normalised(str(answer["order_no"])), int(answer["line_no"]))
            seen[key] += 1
            op_seq = answer.get("op_seq")
            given[key] = Stage(
                str(answer["stage"]),
                None if op_seq is None else int(op_seq),
                bool(answer["confirmed"]),
            )
        report.lines_total = len(self._recorded)
        for key in self._recorded:
            name = f"{key[0]}/{key[1]}"
            if seen[key] == 1:
                report.lines_once += 1
            elif seen[key]:
                report.twice.append(name)
            else:
                report.missing.append(name)
        report.extra = [f"{k[0]}/{k[1]}" for k in seen if k not in self._recorded]
        return given

    def _line(self, key: LineKey, answer: Stage, recorded: Stage, happened: Stage) -> None:
        report, name = self._report, f"{key[0]}/{key[1]}"
        is_open = recorded.stage not in NOT_OPEN
        report.unconfirmed += is_open and not answer.confirmed
        same = answer.answer == recorded.answer
        if same and answer.confirmed == recorded.confirmed:
            report.stages_equal += 1
        else:
            reason = self._explainer.bad_items.get(self._items[key], UNEXPLAINED)
            report.from_recorded.append(
                Difference(name, _words(answer), _words(recorded), answer.confirmed, reason)
            )
        if answer.answer != happened.answer:
            reason = self._explainer.stage(recorded, happened)
            if reason == UNEXPLAINED and not same:
                reason = self._explainer.bad_items.get(self._items[key], UNEXPLAINED)
            report.from_happened.append(
                Difference(
                    name, _words(answer), _words(happened), answer.confirmed and is_open, reason
                )
            )

    def _issues(self, issued: Mapping[str, Mapping[str, Quantity]]) -> None:
        report, explainer = self._report, self._explainer
        recorded, happened = self._derived.issued(), self._lived.truly_issued()
        shown = {normalised(wo): items for wo, items in issued.items()}
        for wo in sorted(set(recorded) | set(happened) | set(shown)):
            items = set(recorded.get(wo, {})) | set(happened.get(wo, {})) | set(shown.get(wo, {}))
            for item in sorted(items):
                own = float(shown.get(wo, {}).get(item, 0))
                keyed = recorded.get(wo, {}).get(item, 0.0)
                real = happened.get(wo, {}).get(item, 0.0)
                if abs(own - keyed) <= QTY_TOLERANCE:
                    report.issues_equal += 1
                else:
                    reason = explainer.bad_items.get(item, UNEXPLAINED)
                    report.issues_from_recorded.append(
                        Difference(f"{wo} {item}", f"{own:.4f}", f"{keyed:.4f}", True, reason)
                    )
                if abs(own - real) > QTY_TOLERANCE:
                    reason = explainer.issue(wo, own, real)
                    reason = explainer.bad_items.get(item, reason) if own != keyed else reason
                    report.issues_from_happened.append(
                        Difference(f"{wo} {item}", f"{own:.4f}", f"{real:.4f}", True, reason)
                    )


def _words(stage: Stage) -> str:
    """Return a stage as one readable word or two."""
    text = stage.stage if stage.op_seq is None else f"{stage.stage} {stage.op_seq}"
    return (
        text if stage.confirmed else f"{text} (unconfirmed{f', {stage.rule}' * bool(stage.rule)})"
    )
