"""The WMS as the storemen fill it: items, lots, moves and balances, with their faults."""

from dataclasses import dataclass

from plant.legacy import wms
from plant.model.things import Employee, Item, Line, Lot, Material, Supplier, WorkOrder
from plant.model.world import World
from plant.record import truth
from plant.record.faults import Faults
from plant.record.noise import mistyped, typed, written_code, written_name, written_number
from plant.settings import HOUR, MINUTE

LOCATIONS = (
    ("A01", "原料区", "原材料仓"),
    ("A02", "板料区", "原材料仓"),
    ("B01", "辅料区", "辅料仓"),
    ("C01", "成品区", "成品仓"),
    ("W01", "委外待发区", "委外仓"),
    ("S01", "废料区", "废料仓"),
)


@dataclass(slots=True)
class Move:
    """A stock move as the WMS keeps it, with what finance needs of it later."""

    no: str
    kind: str
    item_code: str
    lot_no: str | None
    qty: float
    unit: str
    direction: int
    location: str
    at: int
    thing: Item | Material
    wo: WorkOrder | None = None
    wo_text: str | None = None
    line: Line | None = None
    order_text: str | None = None
    vendor: Supplier | None = None
    customer_name: str | None = None
    red_of: str | None = None
    operator: str = ""
    true_wo: str | None = None
    void_at: int | None = None


class WmsRecorder:
    """Writes WMS rows from what the storemen handle."""

    def __init__(self, world: World, faults: Faults, storemen: list[Employee]) -> None:
        self._world, self._book, self._faults = world, world.book, faults
        self._rng = world.chance("wms")
        self._storemen = storemen
        self.moves = self._issues = 0
        self._balance: dict[tuple[str, str, str], float] = {}
        self.for_finance: list[Move] = []
        self.open_orders: list[WorkOrder] = []
        self.mistyped_item: Item | None = None

    def locations(self) -> None:
        """Write the storage locations."""
        for code, area, warehouse in LOCATIONS:
            self._book.put(wms.LOCATION, location_code=code, area=area, warehouse=warehouse)

    def vendor(self, supplier: Supplier) -> None:
        """Write a vendor."""
        self._book.put(
            wms.VENDOR,
            vendor_code=supplier.vendor_code,
            vendor_name=supplier.wms_name,
            tax_no=supplier.wms_tax,
            update_time=self._world.text(self._world.now),
        )

    def material(self, material: Material) -> None:
        """Write a raw or packing material with finance's number as someone typed it."""
        self._book.put(
            wms.ITEM,
            item_code=material.wms_code,
            item_name=written_name(self._rng, material.name),
            spec=material.spec,
            unit=material.unit,
            item_type=material.kind,
            erp_code=written_number(self._rng, material.erp_code),
            drawing_no=None,
            update_time=self._world.text(self._world.now),
        )

    def item(self, item: Item) -> None:
        """Write a finished item with its drawing number as someone typed it."""
        drawing = written_code(self._rng, item.drawing_no)
        if self.mistyped_item is None and item.place == 5:
            self.mistyped_item = item
            drawing = mistyped(self._rng, item.drawing_no)
            self._faults.note(
                "key_mistyped", "wms", "wm_item", item.wms_code, detail=f"drawing_no {drawing}"
            )
        self._book.put(
            wms.ITEM,
            item_code=item.wms_code,
            item_name=written_name(self._rng, item.name),
            spec=None,
            unit="件",
            item_type="FG",
            erp_code=item.finance_no,
            drawing_no=drawing,
            update_time=self._world.text(self._world.now),
        )

    def purchase(self, material: Material, lot: Lot, qty: float) -> None:
        """Receive bought material as a new lot."""
        now = self._world.now
        self._book.put(
            wms.LOT,
            lot_no=lot.lot_no,
            item_code=material.wms_code,
            vendor_code=material.supplier.vendor_code,
            kg_per_piece=material.sheet_kg and round(material.sheet_kg * lot.gauge_share, 6),
            gauge_mm=round(material.gauge * lot.gauge_share, 4) if material.gauge else None,
            width_mm=material.width or None,
            received_at=self._world.text(now),
            qty_kg=round(qty, 4) if material.kind == "RAW" else None,
            status="OK",
            update_time=self._world.text(now),
        )
        location = "A01" if material.kind == "RAW" else "B01"
        self._write(
            self._move("PURCHASE", material, lot.lot_no, qty, 1, location, vendor=material.supplier)
        )

    def issue(self, order: WorkOrder, material: Material, lot: Lot, qty: float) -> None:
        """Issue material to a work order, with the storeman's slips."""
        world, rates, roll = self._world, self._world.rates, self._rng.random()
        self._true_issue(order, material, qty)
        move = self._issue_move(order, material, lot, self._weighed(qty, material))
        fault = ""
        others = [other for other in self.open_orders if other is not order]
        if roll < rates.issue_without_order:
            fault, move.wo_text, move.wo = "issue_without_order", None, None
        elif roll < rates.issue_without_order + rates.issue_wrong_order and others:
            other = self._rng.choice(others)
            fault, move.wo_text, move.wo = "issue_wrong_order", typed(self._rng, other.no), other
        elif roll > 1 - rates.issue_red:
            fault = "issue_red"
            move.qty = round(move.qty * self._rng.uniform(1.05, 1.4), 4)
        self._write(move)
        if fault:
            self._faults.note(
                fault,
                "wms",
                "wm_move",
                move.no,
                wo=order.no,
                other_wo=move.wo.no if move.wo and move.wo is not order else None,
                detail=f"issued {qty:.4f} {material.unit} of {material.wms_code} to {order.no}",
            )
        if fault == "issue_red":
            delay = self._rng.uniform(20 * MINUTE, 4 * HOUR)
            world.after(delay, self._correct, move, order, material, lot, qty)
        elif not fault and self._rng.random() < 0.006:
            self._enter_twice(order, material, lot, move.qty)

    def _correct(
        self, wrong: Move, order: WorkOrder, material: Material, lot: Lot, qty: float
    ) -> None:
        red = self._issue_move(order, material, lot, wrong.qty)
        red.direction, red.red_of = 1, wrong.no
        self._write(red)
        self._write(self._issue_move(order, material, lot, self._weighed(qty, material)))

    def _enter_twice(self, order: WorkOrder, material: Material, lot: Lot, qty: float) -> None:
        double = self._issue_move(order, material, lot, qty)
        self._write(double)
        self._faults.note(
            "issue_entered_twice", "wms", "wm_move", double.no, wo=order.no, detail="voided later"
        )
        self._world.after(self._rng.uniform(10 * MINUTE, 90 * MINUTE), self._void, double)

    def _void(self, move: Move) -> None:
        move.void_at = self._world.now
        self._store(move)
        self._change_balance(move, -move.direction)

    def give_back(self, order: WorkOrder, material: Material, lot: Lot, qty: float) -> None:
        """Return leftover material of a work order to the store."""
        self._true_issue(order, material, -qty)
        move = self._issue_move(order, material, lot, self._weighed(qty, material))
        move.kind, move.direction = "RETURN", 1
        self._write(move)

    def receive(self, order: WorkOrder, qty: int) -> None:
        """Receive finished goods of a work order."""
        move = self._move("RECEIPT", order.item, order.no, qty, 1, "C01")
        self._for_order(move, order)
        self._write(move)

    def ship(self, line: Line, qty: int) -> None:
        """Ship goods of an order line."""
        move = self._move("SHIP", line.item, None, qty, -1, "C01")
        move.lot_no = line.work_orders[0].no if line.work_orders else None
        move.line, move.order_text = line, typed(self._rng, line.order.no)
        move.customer_name = written_name(self._rng, line.order.customer.wms_name)
        self._write(move)

    def send_out(self, order: WorkOrder, vendor: Supplier, qty: int) -> None:
        """Send the parts of a work order to an outside operation."""
        move = self._move("OUT_SEND", order.item, order.no, qty, -1, "W01", vendor=vendor)
        self._for_order(move, order)
        self._write(move)

    def take_back(self, order: WorkOrder, vendor: Supplier, qty: int) -> None:
        """Take the parts of a work order back from an outside operation."""
        move = self._move("OUT_BACK", order.item, order.no, qty, 1, "W01", vendor=vendor)
        self._for_order(move, order)
        self._write(move)

    def count_stock(self) -> None:
        """Correct a few balances after the monthly count."""
        keys = [key for key, qty in self._balance.items() if key[2] == "A01" and qty > 50]
        for code, lot, place in self._rng.sample(keys, min(12, len(keys))):
            material = next(m for m in self._world.catalog.materials if m.wms_code == code)
            off = round(self._balance[code, lot, place] * self._rng.uniform(0.001, 0.01), 4)
            direction = self._rng.choice((1, -1))
            self._write(self._move("COUNT", material, lot, off, direction, place))

    def scrap(self, material: Material, order: WorkOrder, qty: float) -> None:
        """Book punching scrap of a work order into the scrap yard."""
        move = self._move("SCRAP", material, None, round(qty, 4), 1, "S01")
        self._for_order(move, order)
        self._write(move)

    def _weighed(self, qty: float, material: Material) -> float:
        if material.kind != "RAW":
            return float(round(qty))
        off = self._world.rates.weighing
        return round(qty * self._rng.uniform(1 - off, 1 + off), 4)

    def _for_order(self, move: Move, order: WorkOrder) -> None:
        move.wo, move.wo_text = order, typed(self._rng, order.no)
        move.true_wo = order.no

    def _issue_move(self, order: WorkOrder, material: Material, lot: Lot, qty: float) -> Move:
        location = "A01" if material.kind == "RAW" else "B01"
        move = self._move("ISSUE", material, lot.lot_no, qty, -1, location)
        self._for_order(move, order)
        return move

    def _move(
        self,
        kind: str,
        thing: Item | Material,
        lot_no: str | None,
        qty: float,
        direction: int,
        location: str,
        vendor: Supplier | None = None,
    ) -> Move:
        self.moves += 1
        unit = thing.unit if isinstance(thing, Material) else "件"
        now = self._world.now
        move = Move(
            f"MV{self.moves:08d}",
            kind,
            thing.wms_code,
            lot_no,
            round(qty, 4),
            unit,
            direction,
            location,
            now,
            thing,
            vendor=vendor,
        )
        shift = self._world.calendar.shift_of(now)
        move.operator = self._storemen[shift * 3 + self._rng.randrange(3)].name
        return move

    def _write(self, move: Move) -> None:
        self._store(move)
        self._change_balance(move, move.direction)
        self.for_finance.append(move)

    def _store(self, move: Move) -> None:
        text, now = self._world.text, self._world.now
        self._book.put(
            wms.MOVE,
            move_no=move.no,
            move_type=move.kind,
            item_code=move.item_code,
            lot_no=move.lot_no,
            qty=move.qty,
            unit=move.unit,
            direction=move.direction,
            location_code=move.location,
            workorder_no=move.wo_text,
            order_no=move.order_text,
            order_line=move.line.line if move.line else None,
            vendor_code=move.vendor.vendor_code if move.vendor else None,
            customer_name=move.customer_name,
            red_of=move.red_of,
            operator=move.operator,
            moved_at=text(move.at),
            erp_period=(text(move.at) or "")[:7],
            status="VOID" if move.void_at is not None else "DONE",
            update_time=text(now),
        )
        self._book.put(
            truth.MOVE,
            move_no=move.no,
            move_type=move.kind,
            item_code=move.item_code,
            workorder_no=move.wo_text,
            order_no=move.order_text,
            order_line=move.line.line if move.line else None,
            qty=move.qty,
            direction=move.direction,
            moved_at=move.at,
            keyed_at=move.at,
            void_at=move.void_at,
            true_wo=move.true_wo,
        )

    def _change_balance(self, move: Move, direction: int) -> None:
        if move.kind in ("OUT_SEND", "OUT_BACK"):  # parts in process are not stock
            return
        key = (move.item_code, move.lot_no or "-", move.location)
        self._balance[key] = round(self._balance.get(key, 0.0) + direction * move.qty, 4)
        self._book.put(
            wms.BALANCE,
            item_code=key[0],
            lot_no=key[1],
            location_code=key[2],
            qty=self._balance[key],
            update_time=self._world.text(self._world.now),
        )

    def _true_issue(self, order: WorkOrder, material: Material, qty: float) -> None:
        self._issues += 1
        self._book.put(
            truth.ISSUE,
            id=self._issues,
            wo=order.no,
            item_code=material.wms_code,
            at=self._world.now,
            qty=round(qty, 4),
        )
