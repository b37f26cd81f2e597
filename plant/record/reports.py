"""Job reports: which are keyed, when and on which job, with the faults workers make."""

from plant.legacy import mes
from plant.model.things import Job
from plant.model.world import World
from plant.record import truth
from plant.record.faults import Faults
from plant.record.mes import MesRecorder
from plant.settings import HOUR, MINUTE


class Reports:
    """Keys START and FINISH reports into the MES, or forgets to."""

    def __init__(self, world: World, faults: Faults, recorder: MesRecorder) -> None:
        self._world, self._faults, self._mes = world, faults, recorder
        self._rng = world.chance("reports")
        self.keyed = self._owed = 0

    def started(self, job: Job, waiting: list[Job]) -> None:
        """A manual operation has begun: its START report follows, well or badly."""
        self._draw(job, waiting)
        self._plan(job, "START", self._world.now)

    def finished(self, job: Job, waiting: list[Job]) -> None:
        """An operation has ended: its FINISH report follows, well or badly."""
        if not job.report_fault:
            self._draw(job, waiting)
        self._plan(job, "FINISH", self._world.now)

    def _draw(self, job: Job, waiting: list[Job]) -> None:
        # One draw for a job: who forgets the start forgets the end.
        rates, roll = self._world.rates, self._rng.random()
        fault = "none"
        for name, rate in (
            ("missing", rates.report_missing),
            ("late", rates.report_late),
            ("batched", rates.report_batched),
            ("wrong_order", rates.report_wrong_order),
            ("padded", rates.report_padded),
        ):
            if 0 <= roll < rate:
                fault = name
            roll -= rate
        if fault == "wrong_order" or (fault == "none" and self._owed):
            # With nothing else waiting there is nothing to confuse: the next one slips instead.
            others = [other for other in waiting if other.work_order is not job.work_order]
            self._owed += (fault == "wrong_order") - bool(others)
            fault = "wrong_order" if others else "none"
            job.report_victim = self._rng.choice(others) if others else None
        job.report_fault = fault

    def _plan(self, job: Job, kind: str, evidence: int) -> None:
        fault, world = job.report_fault, self._world
        keyed = evidence + int(self._rng.uniform(30, 180))
        if fault == "late":
            keyed = evidence + int(self._rng.uniform(2.1, 9) * HOUR)
            keyed = world.calendar.next_open(keyed)
        elif fault == "batched":
            end = world.calendar.shift_end(evidence) - int(self._rng.uniform(2, 25) * MINUTE)
            keyed = max(keyed, end)
        if fault == "missing":
            self._note(job, kind, evidence, None)
            self._true_report(job, job, kind, evidence, None, None)
            return
        target = job
        if fault == "wrong_order" and job.report_victim is not None:
            target = job.report_victim
        if fault != "none" and (fault != "padded" or kind == "FINISH"):
            self._note(job, kind, evidence, keyed)
        self._true_report(job, target, kind, evidence, keyed, None)
        world.at(keyed, self._key, job, target, kind, evidence)

    def _note(self, job: Job, kind: str, evidence: int, keyed: int | None) -> None:
        victim = job.report_victim if job.report_fault == "wrong_order" else None
        detail = f"{kind} of {job.job_no} "
        if keyed is None:
            detail += "is never keyed"
        elif victim is not None:
            detail += f"keyed on {victim.job_no}"
        else:
            detail += f"keyed {(keyed - evidence) // MINUTE} min later"
        self._faults.note(
            f"report_{job.report_fault}",
            "mes",
            "pro_feedback",
            f"{job.job_no}/{kind}",
            wo=job.work_order.no,
            other_wo=victim.work_order.no if victim else None,
            job_no=job.job_no,
            until_at=None if victim else keyed,
            detail=detail,
        )

    def _true_report(
        self,
        job: Job,
        target: Job,
        kind: str,
        evidence: int,
        keyed: int | None,
        number: str | None,
    ) -> None:
        """Write into the truth when a report is keyed, which may lie ahead, and on which job."""
        self._world.book.put(
            truth.REPORT,
            true_job_no=job.job_no,
            kind=kind,
            job_no=target.job_no,
            feedback_no=number,
            evidence_at=evidence - evidence % MINUTE,
            keyed_at=keyed,
            fault=job.report_fault,
        )

    def _key(self, job: Job, target: Job, kind: str, evidence: int) -> None:
        good = job.good
        if job.report_fault == "padded" and kind == "FINISH":
            good = int(good * self._rng.uniform(1.05, 1.3)) + 1
        self.keyed += 1
        number = f"FB{self.keyed:08d}"
        self._write(target, job, kind, evidence, good)
        self._true_report(job, target, kind, evidence, self._world.now, number)
        self._believe(target, job, kind, evidence, good)

    def _write(self, target: Job, job: Job, kind: str, evidence: int, good: int) -> None:
        text, now, number = self._world.text, self._world.now, f"FB{self.keyed:08d}"
        finish = kind == "FINISH"
        minute = evidence - evidence % MINUTE
        started = job.started_at if finish and job.started_at is not None else minute
        self._world.book.put(
            mes.FEEDBACK,
            feedback_no=number,
            job_no=target.job_no,
            workorder_code=target.work_order.no,
            op_seq=target.seq,
            operator_no=job.operator.operator_no if job.operator else None,
            machinery_code=job.machine.code if job.machine else None,
            kind=kind,
            qty_ok=good if finish else 0,
            qty_ng_work=job.scrap_work if finish else 0,
            qty_ng_material=job.scrap_material if finish else 0,
            qty_rework=job.rework if finish else 0,
            started_at=text(started),
            finished_at=text(minute) if finish else None,
            feedback_time=text(now),
            channel="CLERK" if job.report_fault == "late" else "TERMINAL",
            status="APPROVED",
            update_time=text(now),
        )

    def _believe(self, target: Job, job: Job, kind: str, evidence: int, good: int) -> None:
        """Let the MES change the job and the work order the report was keyed on."""
        if target.mes_state == "CANCEL":
            return
        target.mes_operator = job.operator.operator_no if job.operator else None
        if kind == "START":
            target.mes_start = target.mes_start or evidence
            if target.mes_state == "WAIT":
                target.mes_state = "RUN"
        else:
            target.mes_start = target.mes_start or job.started_at
            target.mes_end, target.mes_state = evidence, "DONE"
            target.mes_ok += good
            target.mes_ng += job.scrap_work + job.scrap_material
        self._mes.job(target)
        order = target.work_order
        last = order.jobs[-1] is target and kind == "FINISH"
        if last:
            order.produced = target.mes_ok
        status = "FINISHED" if last else "STARTED"
        if last or order.status in ("CONFIRMED", "PREPARE"):
            if order.status in ("CONFIRMED", "PREPARE", "STARTED", "FINISHED"):
                order.status = status
            self._mes.work_order(order)
