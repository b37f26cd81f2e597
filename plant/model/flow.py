"""The way of a work order: planned, released, issued, worked, sent out, received, shipped."""

from plant.model.shop import Shop
from plant.model.supply import Supply
from plant.model.things import Entered, Item, Job, Line, Order, Step, WorkOrder
from plant.model.world import World
from plant.record.crm import CrmRecorder
from plant.record.kis_bills import KisBills
from plant.record.kis_data import KisData
from plant.record.mes import TENON, MesRecorder
from plant.record.reports import Reports
from plant.record.wms import WmsRecorder
from plant.settings import DAY, HOUR, MINUTE

SPLIT_ABOVE = 3200
PATIENCE = 8 * HOUR  # for a work order that somebody else may enter
TRUCKS = (10.0, 16.0)  # to outside operations
DELIVERIES = (11.0, 17.0)  # to customers


class Flow:
    """Moves work orders through the plant; others tell it what has ended."""

    supply: Supply
    shop: Shop

    def __init__(
        self,
        world: World,
        mes: MesRecorder,
        reports: Reports,
        wms: WmsRecorder,
        crm: CrmRecorder,
        bills: KisBills,
        data: KisData,
    ) -> None:
        self._world, self._mes, self._reports = world, mes, reports
        self._wms, self._crm, self._bills, self._data = wms, crm, bills, data
        self._rng = world.chance("flow")
        self._numbers: dict[str, int] = {}
        self._finance_id = 0
        self._known: set[int] = set()
        self.work_orders = self.jobs = 0
        self.joined = False  # somebody else enters work orders of known items first

    def knows(self, item: Item) -> bool:
        """Tell whether the MES has the item and its routing."""
        return item.place in self._known

    def introduce(self, item: Item) -> None:
        """Enter an engineered item and its dies into MES, WMS and finance."""
        if item.place in self._known:
            return
        self._known.add(item.place)
        self._mes.item(item)
        self._wms.item(item)
        self._data.item(item)
        for step in item.steps:
            if step.die_no:
                self._mes.die(self._world.catalog.dies[step.die_no])

    def plan(self, lines: list[Line]) -> None:
        """Make the work orders of lines of one item: one, or several when there is much."""
        if self.joined and self.knows(lines[0].item):
            later = self._world.calendar.office(self._world.now + PATIENCE)
            self._world.at(later, self._plan, lines)
            return
        self._plan(lines)

    def _plan(self, lines: list[Line]) -> None:
        lines = [
            line
            for line in lines
            if line.status == "open" and not any(order.live for order in line.work_orders)
        ]
        if not lines:
            return
        self.introduce(lines[0].item)
        wanted = sum(line.qty for line in lines)
        parts = 1 if wanted <= SPLIT_ABOVE else (2 if wanted <= 3 * SPLIT_ABOVE else 3)
        for part in range(parts):
            shares = [(line, line.qty // parts + (line.qty % parts) * (not part)) for line in lines]
            self._create(shares)

    def supplement(self, line: Line, missing: int) -> None:
        """Make a work order for what scrap or a larger order left missing."""
        self._create([(line, missing)], urgent=True)

    def _create(self, shares: list[tuple[Line, int]], *, urgent: bool = False) -> None:
        world, item = self._world, shares[0][0].item
        wanted = sum(qty for _, qty in shares)
        presses = sum(step.kind == "press" for step in item.steps)
        qty = int(wanted * (1.035**presses + 0.045)) + 8
        month = world.calendar.moment(world.now).strftime("%y%m")
        self._numbers[month] = self._numbers.get(month, 0) + 1
        self._finance_id += 1
        rush = urgent or any(line.order.rush for line, _ in shares)
        order = WorkOrder(
            f"WO-{month}-{self._numbers[month]:05d}",
            item,
            qty,
            world.now,
            min(line.due for line, _ in shares),
            3 if rush else 1,
            self._finance_id,
            shares,
        )
        order.good = qty
        self._add_jobs(order)
        self.work_orders += 1
        self.jobs += len(order.jobs)
        self._mes.work_order(order)
        for line, part in shares:
            line.work_orders.append(order)
            self._mes.allocation(order, line, part)
        self._bills.work_orders[order.no] = order
        wait = self._rng.uniform(0.5, 3) if rush else self._rng.uniform(4, 26)
        world.at(world.calendar.office(world.now + int(wait * HOUR)), self._release, order)

    def adopt(self, entered: Entered, shares: list[tuple[Line, int]]) -> None:
        """Take over a work order that Tenon has entered, with the numbers of its jobs."""
        world, item = self._world, shares[0][0].item
        self._finance_id += 1
        order = WorkOrder(
            entered.code,
            item,
            entered.qty,
            world.now,
            min(line.due for line, _ in shares),
            3 if any(line.order.rush for line, _ in shares) else 1,
            self._finance_id,
            shares,
        )
        order.source, order.good = TENON, entered.qty
        self._add_jobs(order, entered.jobs)
        self.work_orders += 1
        self.jobs += len(order.jobs)
        self._mes.work_order(order)
        for ident, (line, _) in zip(entered.numbers, shares, strict=True):
            line.work_orders.append(order)
            self._mes.true_allocation(ident, order, line, line.order.no)
        self._bills.work_orders[order.no] = order
        wait = self._rng.uniform(4, 26)
        world.at(world.calendar.office(world.now + int(wait * HOUR)), self._release, order)

    def _add_jobs(self, order: WorkOrder, numbers: dict[int, str] | None = None) -> None:
        at = self._world.now + 8 * HOUR
        for step in order.item.steps:
            job = self._job(order, step, step.seq, at)
            if numbers is not None:
                job.job_no = numbers[step.seq]
            order.jobs.append(job)
            at = job.plan_end + 3 * HOUR
            self._mes.job(job)
            self._mes.true_job(job)

    def _job(self, order: WorkOrder, step: Step, seq: int, at: int) -> Job:
        calendar = self._world.calendar
        run = round(order.qty * step.run_min, 1)
        start = calendar.next_open(at)
        if step.kind == "outside":
            end = start + 2 * DAY
        else:
            end = calendar.add_work(start, int((step.setup_min + run) * MINUTE))
        number = f"{order.no.replace('WO', 'JB')}-{seq:02d}"
        return Job(number, order, seq, step, self._world.now, step.setup_min, run, start, end)

    def _release(self, order: WorkOrder) -> None:
        if not order.live:
            return
        order.released_at, order.status = self._world.now, "CONFIRMED"
        self._mes.work_order(order)
        self._wms.open_orders.append(order)
        self._bills.work_orders[order.no] = order
        self.supply.request(order)

    def ready(self, order: WorkOrder) -> None:
        """The material lies at the press: the first operation can be queued."""
        self._to_centre(order.jobs[0], self._rng.uniform(2, 14) * HOUR)

    def _to_centre(self, job: Job, delay: float) -> None:
        self.shop.announce(job)
        self._world.after(delay, self.shop.arrive, job)

    def job_started(self, job: Job) -> None:
        """A job has begun: the MES sees it when the press tells it."""
        order = job.work_order
        if job.step.kind == "press" and not job.unseen and order.status == "CONFIRMED":
            order.status = "STARTED"
            self._mes.work_order(order)

    def job_ended(self, job: Job) -> None:
        """A job has ended: its parts go on to the next operation."""
        order = job.work_order
        if not order.live:
            return
        if job is order.jobs[0]:
            self.supply.leftovers(order)
            if self._rng.random() < 0.3:
                self._wms.scrap(
                    order.item.material, order, 0.2 * order.qty * order.item.kg_per_piece
                )
        if job.step.code == "JY" and self._rng.random() < self._world.rates.rework:
            self._insert_rework(order, job)
        order.place += 1
        if order.place < len(order.jobs):
            self._next(order, order.jobs[order.place])
        else:
            wait = self._rng.uniform(0.5, 3) * HOUR
            self._world.at(
                self._world.calendar.office(self._world.now + int(wait)), self._receive, order
            )

    def _insert_rework(self, order: WorkOrder, after: Job) -> None:
        step = Step(after.seq + 5, "FG", "返修", "manual", "QMC", 5.0, 0.03, None, None, 1)
        job = self._job(order, step, after.seq + 5, self._world.now)
        job.run_min = round(max(20.0, order.good * 0.05), 1)
        after.rework = max(1, order.good // 20)
        order.jobs.insert(order.place + 1, job)
        self._mes.job(job)
        self._mes.true_job(job)

    def _next(self, order: WorkOrder, job: Job) -> None:
        if job.step.kind == "outside":
            truck = self._world.calendar.at_clock(self._world.now + HOUR, TRUCKS)
            self._world.at(truck + self._rng.randrange(30) * MINUTE, self._send_out, job)
            return
        if job.step.code == "BZ":
            self.supply.pack(order)
        press = job.step.kind == "press"
        wait = self._rng.lognormvariate(2.3, 0.6) if press else self._rng.uniform(0.5, 1.6)
        self._to_centre(job, wait * HOUR)

    def _send_out(self, job: Job) -> None:
        order, vendor = job.work_order, job.step.vendor
        if not order.live or vendor is None:
            return
        job.started_at, job.qty_in = self._world.now, order.good
        self._wms.send_out(order, vendor, order.good)
        self._mes.true_job(job)
        days = self._rng.uniform(1.0, 2.3)
        if self._rng.random() < self._world.rates.supplier_late:
            days += self._rng.uniform(1, 2.5)
        back = self._world.calendar.office(self._world.now + int(days * DAY))
        self._world.at(back, self._take_back, job)

    def _take_back(self, job: Job) -> None:
        order, vendor = job.work_order, job.step.vendor
        if vendor is None:
            return
        job.ended_at = self._world.now
        job.good = order.good = max(1, order.good - self._rng.randrange(3))
        self._wms.take_back(order, vendor, order.good)
        self._mes.true_job(job)
        self.job_ended(job)

    def _receive(self, order: WorkOrder) -> None:
        if not order.live:
            return
        order.received_at, order.received = self._world.now, order.good
        self._wms.receive(order, order.good)
        if order in self._wms.open_orders:
            self._wms.open_orders.remove(order)
        self._mes.true_receipt(order)
        self._bills.work_orders[order.no] = order
        left = order.good
        for line, part in order.shares:
            share = min(left, part) if line is not order.shares[-1][0] else left
            line.made += share
            left -= share
        for line, _ in order.shares:
            self.check_line(line)

    def check_line(self, line: Line) -> None:
        """Ship a line when enough is made, or make what is missing."""
        if line.status != "open" or line.shipped_at is not None or line.ship_planned:
            return
        live = [order for order in line.work_orders if order.live]
        if not live or any(order.received_at is None for order in live):
            return
        if line.made < line.qty:
            self.supplement(line, line.qty - line.made)
            return
        line.ship_planned = True
        truck = self._world.calendar.at_clock(self._world.now + HOUR, DELIVERIES)
        self._world.at(truck + self._rng.randrange(40) * MINUTE, self._ship, line)

    def _ship(self, line: Line) -> None:
        line.ship_planned = False
        if line.status != "open":
            return
        if line.made < line.qty:
            self.check_line(line)
            return
        line.shipped_at, line.shipped_qty = self._world.now, line.qty
        self._wms.ship(line, line.qty)
        self._crm.shipped(line, line.qty)
        self._bills.orders[line.order.no] = line.order
        self.check_order(line.order)

    def check_order(self, order: Order) -> None:
        """Close an order some days after nothing of it is left to ship."""
        shipped = [line for line in order.lines if line.shipped_at is not None]
        if shipped and all(
            line.shipped_at is not None or line.status == "cancelled" for line in order.lines
        ):
            wait = self._rng.uniform(0.4, 1.2) * DAY
            self._world.at(
                self._world.calendar.office(self._world.now + int(wait)), self._close, order
            )

    def _close(self, order: Order) -> None:
        if order.status == "closed":
            return
        order.status = "closed"
        for line in order.lines:
            if line.status == "open":
                line.status = "closed"
                self._crm.line_event(line, "closed")
        self._crm.order(order, event="order.changed")
        self._bills.orders[order.no] = order
        for line in order.lines:
            for work_order in line.work_orders:
                self._world.after(self._rng.uniform(2, 20) * HOUR, self._close_work, work_order)

    def _close_work(self, order: WorkOrder) -> None:
        finished = all(line.status in ("closed", "cancelled") for line, _ in order.shares)
        if order.live and order.closed_at is None and order.received_at is not None and finished:
            order.closed_at, order.status = self._world.now, "CLOSED"
            self._mes.work_order(order)
            self._bills.work_orders[order.no] = order

    def cancel_line(self, line: Line) -> None:
        """The planner takes a cancelled line's work orders out of the plant."""
        for order in line.work_orders:
            shared = any(other.status == "open" for other, _ in order.shares)
            if shared or not order.live or order.received_at is not None:
                continue
            order.cancelled_at, order.status = self._world.now, "CANCELLED"
            for job in order.jobs:
                self.shop.withdraw(job)
            if order in self._wms.open_orders:
                self._wms.open_orders.remove(order)
            self._mes.work_order(order)
            self._mes.cancelled(order)
            self._bills.work_orders[order.no] = order

    def hold(self, order: WorkOrder, hours: float) -> None:
        """Hold a work order while a drawing is changed."""
        if not order.live or order.received_at is not None or order.released_at is None:
            return
        if order.status not in ("CONFIRMED", "STARTED"):
            return
        before, now = order.status, self._world.now
        order.status, order.hold_until = "HOLD", now + int(hours * HOUR)
        self._mes.work_order(order)
        self._mes.hold(order)
        waiting = [job for job in order.jobs if job.started_at is None]
        if waiting and waiting[0].step.kind != "outside" and self.shop.is_waiting(waiting[0]):
            self.shop.withdraw(waiting[0])
            self._world.at(order.hold_until, self.shop.arrive, waiting[0])
        self._world.at(order.hold_until, self._resume, order, before)

    def _resume(self, order: WorkOrder, before: str) -> None:
        if order.status == "HOLD":
            order.status = before
            self._mes.work_order(order)
