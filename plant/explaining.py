"""Which planted fault explains that what was recorded differs from what happened."""

from collections import defaultdict

from plant.derivation import Derivation, Sight, Stage
from plant.facts import Facts, Operation

UNEXPLAINED = "unexplained"


class Explainer:
    """Names the faults behind differences at one instant."""

    def __init__(self, facts: Facts, at: int) -> None:
        self._facts, self._at = facts, at
        self._happened = Derivation(facts, at, "happened")
        self._recorded = Derivation(facts, at, "recorded")
        self._issue_faults: dict[str, set[str]] = defaultdict(set)
        self.bad_items: dict[str, str] = {}
        for fault in facts.faults:
            if fault["at"] > at:
                continue
            if str(fault["kind"]).startswith("issue_"):
                for wo in (fault["wo"], fault["other_wo"]):
                    if wo:
                        self._issue_faults[wo].add(fault["kind"])
            elif fault["table_name"] == "wm_item":
                self.bad_items[fault["row_key"]] = fault["kind"]

    def stage(self, recorded: Stage, happened: Stage) -> str:
        """Name why a line's recorded stage is not the one that happened."""
        causes: set[str] = set()
        for wo in {wo for wo in (recorded.wo, happened.wo) if wo is not None}:
            causes |= self._work_order(wo)
        return " + ".join(sorted(causes)) or UNEXPLAINED

    def _work_order(self, wo: str) -> set[str]:
        causes = set()
        for truly, seen in zip(self._happened.sights(wo), self._recorded.sights(wo), strict=True):
            cause = self._operation(truly, seen)
            if cause:
                causes.add(cause)
        return causes

    def _operation(self, truly: Sight, seen: Sight) -> str | None:
        operation = truly.operation
        if truly.done == seen.done and truly.started == seen.started:
            return None
        if seen.done and not truly.done:
            return self._victim(operation)
        if truly.done and not seen.done:
            return self._not_reported(operation, "FINISH")
        if truly.started and not seen.started:
            if operation.job_no in self._facts.unseen:
                return "unseen_resequence"
            return self._not_reported(operation, "START")
        return self._victim(operation)

    def _victim(self, operation: Operation) -> str | None:
        keyed = self._facts.reports.get(operation.job_no, ())
        if any(r.true_job_no != operation.job_no and r.known(self._at) for r in keyed):
            return "report_wrong_order (of another job)"
        return None

    def _not_reported(self, operation: Operation, kind: str) -> str | None:
        for report in self._facts.reports_of.get(operation.job_no, ()):
            if report.kind == kind and not (
                report.known(self._at) and report.job_no == report.true_job_no
            ):
                return "report_being_keyed" if report.fault == "none" else f"report_{report.fault}"
        return None

    def issue(self, wo: str, recorded: float, happened: float) -> str:
        """Name why the recorded issue of a material to a work order is not the true one."""
        faults = self._issue_faults.get(wo, set()) - {"issue_substitute"}
        if faults:
            return " + ".join(sorted(faults))
        if abs(recorded - happened) <= 0.0065 * max(abs(happened), 1):
            return "weighing"
        return UNEXPLAINED
