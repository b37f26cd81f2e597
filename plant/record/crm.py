"""The CRM as sales fills it: customers, orders with lines, changes, and webhooks to send."""

from plant.legacy import crm
from plant.model import names
from plant.model.things import Customer, Line, Order
from plant.model.world import World
from plant.record import truth


class CrmRecorder:
    """Writes CRM rows from what customers order and change."""

    def __init__(self, world: World) -> None:
        self._world, self._book = world, world.book
        self._rng = world.chance("crm")
        self._changes = self._events = self._shipments = self._contacts = 0

    def customer(self, customer: Customer) -> None:
        """Write a customer and one or two contacts."""
        now = self._world.calendar.iso(self._world.now)
        owner = self._world.catalog.employees[-1 - customer.place % 4].name
        self._book.put(
            crm.CUSTOMER,
            id=customer.crm_id,
            name=customer.name,
            short_name=customer.short_name,
            tax_id=customer.tax_id,
            region=customer.region,
            level=customer.level,
            owner=owner,
            updated_at=now,
        )
        for _ in range(self._rng.choice((1, 1, 2))):
            self._contacts += 1
            self._book.put(
                crm.CONTACT,
                id=f"CON-{self._contacts:06d}",
                customer_id=customer.crm_id,
                name=self._rng.choice(names.SURNAMES) + self._rng.choice(names.GIVEN),
                title=self._rng.choice(names.TITLES),
                phone=f"1{self._rng.randrange(3 * 10**9, 10**10)}",
                email=f"buyer{self._contacts}@example.com",
                updated_at=now,
            )

    def order(self, order: Order, *, event: str | None) -> None:
        """Write an order with its lines; `event` also puts a webhook into the outbox."""
        iso = self._world.calendar.iso
        now = self._world.now
        amount = sum(round(line.qty * line.price, 2) for line in order.lines)
        self._book.put(
            crm.ORDER,
            id=order.no,
            customer_id=order.customer.crm_id,
            customer_po=order.po,
            ordered_at=iso(order.ordered_at),
            requested_date=iso(order.due),
            promised_at=iso(order.due),
            currency="CNY",
            amount=round(amount, 2),
            status=order.status,
            rush=int(order.rush),
            revision=order.revision,
            remark=order.remark,
            updated_at=iso(now),
        )
        for line in order.lines:
            self._line(line)
        if event and self._world.live:
            self._book.put(
                crm.OUTBOX,
                id=f"evt-{order.no}-{order.revision}-{self._world.now}",
                type=event,
                order_id=order.no,
                revision=order.revision,
                at=iso(now),
                attempts=0,
                sent_at=None,
            )

    def _line(self, line: Line) -> None:
        iso, item = self._world.calendar.iso, line.item
        self._book.put(
            crm.ORDER_LINE,
            order_id=line.order.no,
            line=line.line,
            item_no=item.customer_part,
            item_name=item.name,
            drawing_no=item.drawing_no,
            drawing_rev=item.drawing_rev,
            standard=int(item.standard),
            qty=line.qty,
            unit="件",
            price=line.price,
            requested_date=iso(line.due),
            promised_at=iso(line.due),
            status=line.status,
        )

    def new_line(self, line: Line) -> None:
        """Write a new line into the truth."""
        self._book.put(
            truth.ORDER_LINE,
            order_no=line.order.no,
            line=line.line,
            created_at=line.order.ordered_at,
            standard=int(line.item.standard),
            drawing_no=line.item.drawing_no,
            wms_item=line.item.wms_code,
        )
        self.line_event(line, "qty")

    def line_event(self, line: Line, kind: str) -> None:
        """Write into the truth that a line's quantity or status changed."""
        self._events += 1
        self._book.put(
            truth.LINE_EVENT,
            id=self._events,
            order_no=line.order.no,
            line=line.line,
            at=self._world.now,
            kind=kind,
            qty=line.qty,
        )

    def change(self, line: Line, kind: str, old: str, new: str) -> None:
        """Write a customer's change as a revision of the order."""
        self._changes += 1
        now = self._world.calendar.iso(self._world.now)
        self._book.put(
            crm.ORDER_CHANGE,
            id=self._changes,
            order_id=line.order.no,
            revision=line.order.revision,
            kind=kind,
            line=line.line,
            old=old,
            new=new,
            changed_at=now,
            updated_at=now,
        )

    def shipped(self, line: Line, qty: int) -> None:
        """Write a shipment into the truth."""
        self._shipments += 1
        self._book.put(
            truth.SHIPMENT,
            id=self._shipments,
            order_no=line.order.no,
            line=line.line,
            at=self._world.now,
            qty=qty,
        )
