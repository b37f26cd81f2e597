"""The MES as the plant fills it: masters, work orders, the job queue and the press log."""

import random

from plant.legacy import mes
from plant.model.catalog import CENTRES
from plant.model.things import Die, Employee, Item, Job, Line, Machine, WorkOrder
from plant.model.world import World
from plant.record import truth
from plant.record.faults import Faults
from plant.record.noise import typed, written_code, written_name
from plant.settings import MINUTE

TENON = "TENON"  # the source of work orders that Tenon enters
TAKEN = "已接收"  # the MES's answer to one it takes over


class MesRecorder:
    """Writes MES rows from what happens on the floor."""

    def __init__(self, world: World, faults: Faults) -> None:
        self._world, self._book, self._faults = world, world.book, faults
        self._rng = world.chance("mes")
        self._state_id = self._count_id = self._alarm_id = self._source_id = 0

    def floor(self) -> None:
        """Write workshops and work centres."""
        self._book.put(mes.WORKSHOP, workshop_code="WS1", workshop_name="冲压车间")
        self._book.put(mes.WORKSHOP, workshop_code="WS2", workshop_name="后处理车间")
        for code, (title, tonnage, _) in CENTRES.items():
            self._book.put(
                mes.WORKCENTER,
                workcenter_code=code,
                workcenter_name=title,
                workshop_code="WS1" if tonnage else "WS2",
                calendar_code="TWO",
                hours_per_day=19.5,
            )

    def machine(self, machine: Machine) -> None:
        """Write a press or a station."""
        self._book.put(
            mes.MACHINERY,
            machinery_code=machine.code,
            machinery_name=machine.name,
            workcenter_code=machine.centre,
            tonnage=machine.tonnage,
            asset_no=machine.asset_no,
            has_plc=int(machine.press),
            status="NORMAL",
            update_time=self._world.text(self._world.now),
        )

    def client(self, code: str, name: str) -> None:
        """Write a client under the name the MES knows it by."""
        self._book.put(
            mes.CLIENT,
            client_code=code,
            client_name=name,
            update_time=self._world.text(self._world.now),
        )

    def operator(self, employee: Employee, rng: random.Random) -> None:
        """Write an operator with the number as someone typed it."""
        if employee.operator_no == employee.finance_no and rng.random() < 0.15:
            number = employee.operator_no
            employee.operator_no = rng.choice((number.lower(), f"{number[0]} {number[1:]}"))
        self._book.put(
            mes.OPERATOR,
            operator_no=employee.operator_no,
            operator_name=employee.name,
            phone=f"13{employee.place * 7_654_321 % 10**9:09d}",
            team=employee.team,
            update_time=self._world.text(self._world.now),
        )

    def item(self, item: Item) -> None:
        """Write a product and its routing as the engineer enters them."""
        now = self._world.text(self._world.now)
        self._book.put(
            mes.PRODUCT,
            product_code=item.mes_code,
            product_name=written_name(self._rng, item.name),
            drawing_no=written_code(self._rng, item.drawing_no),
            drawing_rev=item.drawing_rev,
            unit="件",
            is_standard=int(item.standard),
            update_time=now,
        )
        for step in item.steps:
            self._book.put(
                mes.ROUTE,
                product_code=item.mes_code,
                route_version=1,
                seq=step.seq,
                process_code=step.code,
                process_name=step.name,
                workcenter_code=step.centre if step.kind != "outside" else None,
                machine_hint=None,
                setup_min=step.setup_min,
                run_min_per_piece=step.run_min,
                is_outside=int(step.kind == "outside"),
                vendor_name=step.vendor.name if step.vendor else None,
            )

    def die(self, die: Die) -> None:
        """Write a die with its strokes since the last grinding."""
        self._book.put(
            mes.DIE,
            die_no=die.die_no,
            die_name=f"{die.item.name}-{die.seq}模",
            product_code=die.item.mes_code,
            op_seq=die.seq,
            cavity=die.cavity,
            stroke_life=die.life,
            strokes_since_grind=die.strokes,
            location=die.on.code if die.on else die.location,
            update_time=self._world.text(self._world.now),
        )

    def work_order(self, order: WorkOrder) -> None:
        """Write a work order as it now stands, in the MES and in the truth."""
        text = self._world.text
        self._book.put(
            mes.WORKORDER,
            workorder_code=order.no,
            workorder_name=f"{order.item.name} {order.qty}件",
            order_source=order.source,
            client_code=order.shares[0][0].order.customer.client_code,
            product_code=order.item.mes_code,
            quantity=order.qty,
            quantity_produced=order.produced,
            route_version=1,
            bom_version=1,
            request_date=text(order.due),
            plan_start=text(order.jobs[0].plan_start) if order.jobs else None,
            plan_end=text(order.jobs[-1].plan_end) if order.jobs else None,
            priority=order.priority,
            status=order.status,
            remark=TAKEN if order.source == TENON else None,
            create_time=text(order.created_at),
            update_time=text(self._world.now),
        )
        self._book.put(
            truth.WORK_ORDER,
            wo=order.no,
            product_code=order.item.mes_code,
            created_at=order.created_at,
            released_at=order.released_at,
            cancelled_at=order.cancelled_at,
            closed_at=order.closed_at,
        )

    def allocation(self, order: WorkOrder, line: Line, qty: int) -> None:
        """Write which order line a work order is for, as the planner types it."""
        self._source_id += 1
        number = typed(self._rng, line.order.no)
        now = self._world.now
        self._book.put(
            mes.WORKORDER_SOURCE,
            id=self._source_id,
            workorder_code=order.no,
            order_no=number,
            order_line=line.line,
            quantity=qty,
            update_time=self._world.text(now),
        )
        self.true_allocation(self._source_id, order, line, number)

    def true_allocation(self, ident: int, order: WorkOrder, line: Line, typed_no: str) -> None:
        """Write into the truth which order line a work order is for, and what the MES says."""
        now = self._world.now
        self._book.put(
            truth.ALLOCATION,
            id=ident,
            wo=order.no,
            order_no=line.order.no,
            line=line.line,
            at=now,
        )
        self._book.put(
            truth.ALLOCATED,
            id=ident,
            workorder_code=order.no,
            order_no=typed_no,
            order_line=line.line,
            keyed_at=now,
        )

    def job(self, job: Job) -> None:
        """Write a row of the job queue as the MES believes it."""
        step, text = job.step, self._world.text
        self._book.put(
            mes.JOB,
            job_no=job.job_no,
            workorder_code=job.work_order.no,
            op_seq=job.seq,
            process_code=step.code,
            process_name=step.name,
            workcenter_code=step.centre if step.kind != "outside" else None,
            machinery_code=job.machine.code if job.machine and job.mes_start else None,
            is_outside=int(step.kind == "outside"),
            vendor_name=step.vendor.name if step.vendor else None,
            plan_start=text(job.plan_start),
            plan_end=text(job.plan_end),
            setup_min=job.setup_min,
            run_min=job.run_min,
            qty_plan=job.work_order.qty,
            qty_ok=job.mes_ok,
            qty_ng=job.mes_ng,
            state=job.mes_state,
            start_at=text(job.mes_start),
            end_at=text(job.mes_end),
            operator_no=job.mes_operator,
            update_time=text(self._world.now),
        )

    def true_job(self, job: Job) -> None:
        """Write into the truth what really became of an operation so far."""
        self._book.put(
            truth.OPERATION,
            job_no=job.job_no,
            wo=job.work_order.no,
            op_seq=job.seq,
            kind=job.step.kind,
            process=job.step.name,
            created_at=job.created_at,
            cancelled_at=job.cancelled_at,
            planned_min=round(job.setup_min + job.run_min, 1),
            started_at=job.started_at,
            ended_at=job.ended_at,
            machine=job.machine.code if job.machine else None,
            qty_in=job.qty_in,
            qty_good=job.good,
            qty_scrap=job.scrap_work + job.scrap_material,
        )

    def state(self, machine: Machine, state: str, reason: str | None, job: Job | None) -> None:
        """Close a press's running state row and open the next, as its PLC does."""
        if not machine.press or (state == machine.state and job is None):
            return
        now = self._world.now
        if machine.state:
            self._write_state(machine, now)
        self._state_id += 1
        machine.state, machine.state_reason = state, reason
        machine.state_id, machine.state_since = self._state_id, now
        machine.state_true_job = job.job_no if job else None
        machine.state_job = job.job_no if job and not job.unseen else None
        self._write_state(machine, None)

    def unseen(self, machine: Machine, job: Job) -> None:
        """Note that the foreman put on another job than the one dispatched."""
        self._faults.note(
            "unseen_resequence",
            "mes",
            "dv_state_log",
            str(machine.state_id),
            wo=job.work_order.no,
            job_no=job.job_no,
            detail=f"{job.job_no} ran on {machine.code} without being dispatched",
        )

    def _write_state(self, machine: Machine, end: int | None) -> None:
        text = self._world.text
        self._book.add(
            mes.STATE_LOG,
            (
                machine.state_id,
                machine.code,
                machine.state,
                machine.state_reason,
                text(machine.state_since),
                text(end),
                machine.state_job,
                "PLC",
                text(self._world.now),
            ),
        )
        if machine.state == "RUN":
            self._book.add(
                truth.RUN,
                (
                    machine.state_id,
                    machine.code,
                    machine.state_job,
                    machine.state_true_job,
                    machine.state_since,
                    end,
                ),
            )

    def count(self, machine: Machine, good: int, bad: int, job: Job) -> None:
        """Write the press counter's step."""
        self._count_id += 1
        machine.strokes += good + bad
        self._book.add(
            mes.COUNT_LOG,
            (
                self._count_id,
                machine.code,
                self._world.text(self._world.now),
                machine.strokes,
                good,
                bad,
                None if job.unseen else job.job_no,
            ),
        )

    def alarm(self, machine: Machine, code: str, severity: str, start: int, end: int) -> None:
        """Write an alarm once it has been cleared."""
        self._alarm_id += 1
        text = self._world.text
        self._book.put(
            mes.ALARM_LOG,
            id=self._alarm_id,
            machinery_code=machine.code,
            alarm_code=code,
            severity=severity,
            start_at=text(start),
            end_at=text(end),
        )

    def stop(
        self, number: int, machine: str, kind: str, foretold: int | None, span: tuple[int, int]
    ) -> None:
        """Write into the truth a stop of a machine."""
        self._book.put(
            truth.STOP,
            id=number,
            machine=machine,
            kind=kind,
            foretold_from=foretold,
            start_at=span[0],
            end_at=span[1],
        )

    def cancelled(self, order: WorkOrder) -> None:
        """Cancel the jobs of a work order that have not ended."""
        for job in order.jobs:
            job.mes_state, job.cancelled_at = "CANCEL", self._world.now
            self.job(job)
            self.true_job(job)

    def hold(self, order: WorkOrder) -> None:
        """Write into the truth that a work order is held."""
        self._book.put(truth.HOLD, wo=order.no, from_at=self._world.now, until_at=order.hold_until)

    def true_receipt(self, order: WorkOrder) -> None:
        """Write into the truth that a work order's goods were received."""
        self._book.put(truth.RECEIPT, wo=order.no, at=order.received_at, qty=order.received)

    def planned_minutes(self, job: Job) -> int:
        """Return the seconds the MES plans for a job."""
        return int((job.setup_min + job.run_min) * MINUTE)
