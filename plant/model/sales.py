"""Customers: what they order, when, and what they change afterwards."""

from plant.model.flow import Flow
from plant.model.names import REMARKS
from plant.model.things import Customer, Item, Line, Order
from plant.model.world import World
from plant.record.crm import CrmRecorder
from plant.record.kis_bills import KisBills
from plant.settings import DAY, HOUR

ORDERS_A_DAY = 25.8
SURGE_DAYS, SURGE = 6, 1.32
PROMISE_DAYS, RUSH_DAYS = 7, 4
CREDIT_HOLD = 0.012  # share of orders sales puts on hold for a while; the shop goes on


class Sales:
    """Takes orders day by day and the changes that follow."""

    def __init__(self, world: World, crm: CrmRecorder, flow: Flow, bills: KisBills) -> None:
        self._world, self._crm, self._flow, self._bills = world, crm, flow, bills
        self._rng = world.chance("sales")
        self._numbers: dict[str, int] = {}
        self._finance_id = 0
        self.orders = self.lines = 0
        self.by_number: dict[str, Order] = {}
        self._standard: dict[int, list[Item]] = {}
        self._special: dict[int, list[Item]] = {}
        for item in world.catalog.items:
            self._standard.setdefault(item.customer.place, []).append(item)

    def day(self) -> None:
        """Plan the orders of a working day over its office hours."""
        world, rng = self._world, self._rng
        today = world.calendar.moment(world.now)
        rate = ORDERS_A_DAY * (SURGE if today.day > 31 - SURGE_DAYS else 0.93)
        count = round(rng.gauss(rate, rate**0.5))
        midnight = world.now - world.now % DAY
        for _ in range(max(0, count)):
            world.at(midnight + int(rng.uniform(8.4, 17.6) * HOUR), self._order)

    def _order(self) -> None:
        world, rng = self._world, self._rng
        customer = world.catalog.pick_customer(rng)
        moment = world.calendar.moment(world.now)
        month = moment.strftime("%y%m")
        self._numbers[month] = self._numbers.get(month, 0) + 1
        self._finance_id += 1
        rush = rng.random() < world.rates.rush
        due = world.now - world.now % DAY + (RUSH_DAYS if rush else PROMISE_DAYS) * DAY + 17 * HOUR
        order = Order(
            f"SO-{month}-{self._numbers[month]:04d}",
            customer,
            f"PO{moment:%y%m}{rng.randrange(1000, 10000)}",
            world.now,
            due,
            rush,
            rng.choice(REMARKS),
            self._finance_id,
        )
        groups = [
            self._add_line(order) for _ in range(rng.choices((1, 2, 3, 4), (58, 26, 11, 5))[0])
        ]
        self._crm.order(order, event="order.created")
        self.orders += 1
        self.by_number[order.no] = order
        self.lines += len(order.lines)
        self._bills.orders[order.no] = order
        for lines in groups:
            for line in lines:
                self._crm.new_line(line)
            self._plan_later(lines)
        if rng.random() < CREDIT_HOLD:
            world.after(rng.uniform(1, 30) * HOUR, self._credit_hold, order)
        if rng.random() < world.rates.customer_change:
            world.after(rng.uniform(0.1, 2.6) * DAY, self._change, order)

    def _add_line(self, order: Order) -> list[Line]:
        """Add a line, or two deliveries of one item which the planner makes together."""
        rng = self._rng
        item = self._item(order.customer)
        deliveries = 2 if rng.random() < 0.03 else 1
        lines = []
        for _ in range(deliveries):
            qty = max(30, int(rng.lognormvariate(6.75, 0.75)))
            qty = min(9000, round(qty, -1))
            line = Line(order, len(order.lines) + 1, item, qty, item.price, order.due)
            order.lines.append(line)
            lines.append(line)
        return lines

    def _item(self, customer: Customer) -> Item:
        rng, catalog = self._rng, self._world.catalog
        standard = self._standard.get(customer.place, [])
        if standard and rng.random() >= self._world.rates.nonstandard:
            return rng.choice(standard)
        special = self._special.setdefault(customer.place, [])
        if special and rng.random() < 0.2:
            return rng.choice(special)
        item = catalog.new_item(customer, standard=False)
        special.append(item)
        return item

    def _plan_later(self, lines: list[Line]) -> None:
        """Plan a line after review, a new non-standard item after engineering."""
        rng, calendar, now = self._rng, self._world.calendar, self._world.now
        wait = rng.uniform(0.5, 5) if lines[0].item.standard else rng.uniform(3, 20)
        if lines[0].order.rush:
            wait *= 0.4
        self._world.at(calendar.office(now + int(wait * HOUR)), self._flow.plan, lines)

    def _credit_hold(self, order: Order) -> None:
        if order.status != "open":
            return
        order.status = "on_hold"
        self._crm.order(order, event="order.changed")
        self._world.after(self._rng.uniform(3, 40) * HOUR, self._let_go, order)

    def _let_go(self, order: Order) -> None:
        if order.status == "on_hold":
            order.status = "open"
            self._crm.order(order, event="order.changed")

    def _change(self, order: Order) -> None:
        """Let the customer change one line: quantity, date, drawing, or cancel it."""
        rng = self._rng
        open_lines = [x for x in order.lines if x.status == "open" and x.shipped_at is None]
        if not open_lines or order.status != "open":
            return
        line = rng.choice(open_lines)
        kind = rng.choices(("qty", "date", "drawing", "cancel"), (45, 30, 15, 10))[0]
        order.revision += 1
        getattr(self, f"_change_{kind}")(line)
        self._crm.order(order, event="order.changed")
        self._bills.orders[order.no] = order

    def _change_qty(self, line: Line) -> None:
        old = line.qty
        line.qty = max(20, int(round(old * self._rng.choice((0.6, 0.8, 1.2, 1.3, 1.5)), -1)))
        self._crm.change(line, "qty", str(old), str(line.qty))
        self._crm.line_event(line, "qty")
        live = [order for order in line.work_orders if order.live]
        planned = sum(qty for order in live for own, qty in order.shares if own is line)
        if live and line.qty > planned:
            self._world.after(3 * HOUR, self._more, line, line.qty - planned)

    def _more(self, line: Line, missing: int) -> None:
        if line.status == "open" and line.shipped_at is None:
            self._flow.supplement(line, missing)

    def _change_date(self, line: Line) -> None:
        old = line.due
        line.due += self._rng.choice((-2, -1, 2, 3, 5)) * DAY
        text = self._world.calendar.text
        self._crm.change(line, "date", text(old)[:10], text(line.due)[:10])
        for order in line.work_orders:
            order.due = line.due

    def _change_drawing(self, line: Line) -> None:
        old = line.item.drawing_rev
        line.item.drawing_rev = chr(ord(old) + 1)
        self._crm.change(line, "drawing", old, line.item.drawing_rev)
        for order in line.work_orders:
            self._flow.hold(order, self._rng.uniform(3, 20))

    def _change_cancel(self, line: Line) -> None:
        line.status = "cancelled"
        order = line.order
        self._crm.change(line, "cancel", "open", "cancelled")
        self._crm.line_event(line, "cancelled")
        if all(other.status == "cancelled" for other in order.lines):
            order.status = "cancelled"
        self._world.after(self._rng.uniform(1, 20) * HOUR, self._flow.cancel_line, line)
        self._flow.check_order(order)
