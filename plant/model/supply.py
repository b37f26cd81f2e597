"""Material: stock by lot, reordering, late suppliers, issues to work orders."""

from collections.abc import Callable

from plant.model.things import Lot, Material, WorkOrder
from plant.model.world import World
from plant.record.faults import Faults
from plant.record.kis_bills import KisBills
from plant.record.wms import WmsRecorder
from plant.settings import DAY, HOUR

WASTE = 1.02  # head and tail of the coil
RETURN_SHARE = 0.25


class Supply:
    """Keeps material in stock and hands it to work orders."""

    def __init__(
        self,
        world: World,
        faults: Faults,
        wms: WmsRecorder,
        bills: KisBills,
        ready: Callable[[WorkOrder], None],
    ) -> None:
        self._world, self._wms, self._bills, self._ready = world, wms, bills, ready
        self._faults = faults
        self._rng = world.chance("supply")
        self._lots = self._purchases = 0

    def stock_up(self) -> None:
        """Fill the stores before the first day."""
        for material in self._world.catalog.materials:
            material.order_up_to = self._rng.uniform(1400, 2600)
            for _ in range(self._rng.choice((1, 2, 2))):
                self._receive(material, material.order_up_to * self._rng.uniform(0.35, 0.75))
        for box in self._world.catalog.boxes:
            self._receive(box, 2500)

    def _receive(self, material: Material, qty: float) -> None:
        self._lots += 1
        ratio = self._rng.uniform(0.96, 1.04)
        qty = round(qty, 1) if material.kind == "RAW" else float(round(qty))
        lot = Lot(f"L{self._lots:06d}", ratio, qty)
        material.lots.append(lot)
        material.on_hand += qty
        self._wms.purchase(material, lot, qty)

    def request(self, order: WorkOrder) -> None:
        """Ask material for a work order; `ready` is called when it lies there."""
        material, need = order.item.material, self.need(order)
        material.wanted += need
        self._reorder(material)
        short = material.on_hand < need or bool(material.waiting)
        swap = self._rng.random() < self._world.rates.issue_substitute
        if (swap or (short and self._rng.random() < 0.3)) and self._substitute(order, need):
            material.wanted -= need
        elif short:
            material.waiting.append(order)
        else:
            self._hand_out(order, material, need)

    def need(self, order: WorkOrder) -> float:
        """Return the kg a work order takes."""
        return round(order.qty * order.item.kg_per_piece * WASTE, 2)

    def _substitute(self, order: WorkOrder, need: float) -> bool:
        """Issue another material of the grade in place of the one that is short."""
        own = order.item.material
        for other in self._world.catalog.materials:
            fits = other is not own and other.grade == own.grade and other.gauge >= own.gauge
            if fits and other.on_hand >= need * 1.5:
                other.wanted += need
                self._faults.note(
                    "issue_substitute",
                    "wms",
                    "wm_move",
                    order.no,
                    wo=order.no,
                    detail=f"{other.wms_code} in place of {own.wms_code}",
                )
                self._hand_out(order, other, need)
                self._reorder(other)
                return True
        return False

    def _hand_out(self, order: WorkOrder, material: Material, need: float) -> None:
        material.on_hand -= need
        delay = self._rng.uniform(0.5, 4) * HOUR
        self._world.at(
            self._world.calendar.next_open(self._world.now + int(delay)),
            self._issue,
            order,
            material,
            need,
        )

    def _issue(self, order: WorkOrder, material: Material, need: float) -> None:
        material.wanted -= need
        if not order.live:
            material.on_hand += need
            return
        left = need
        while left > 0.001 and material.lots:
            lot = material.lots[0]
            take = round(min(left, lot.left), 4)
            lot.left = round(lot.left - take, 4)
            left -= take
            if take > 0:
                self._wms.issue(order, material, lot, take)
                order.issued.append((material, lot, take))
            if lot.left <= 0.001:
                material.lots.pop(0)
        self._ready(order)

    def leftovers(self, order: WorkOrder) -> None:
        """After the first operation return what is left of the coil, now and then."""
        if not order.issued or self._rng.random() > RETURN_SHARE:
            return
        material, lot, qty = order.issued[-1]
        back = round(qty * self._rng.uniform(0.02, 0.08), 2)
        if back <= 0.05:
            return
        self._wms.give_back(order, material, lot, back)
        lot.left = round(lot.left + back, 4)
        if lot not in material.lots:
            material.lots.append(lot)
        material.on_hand += back

    def pack(self, order: WorkOrder) -> None:
        """Issue boxes for packing."""
        box, need = order.item.box, float(max(1, order.good // 200))
        if box.on_hand < need or not box.lots:
            return
        lot = box.lots[0]
        if lot.left < need:
            box.on_hand -= lot.left
            box.lots.pop(0)
            return
        lot.left -= need
        box.on_hand -= need
        self._wms.issue(order, box, lot, need)
        order.issued.append((box, lot, need))
        self._reorder(box)

    def _reorder(self, material: Material) -> None:
        """Buy when stock, purchases on the way and demand fall below half the target."""
        target = max(material.order_up_to, 1.0)
        free = material.on_hand + material.coming - sum(self.need(o) for o in material.waiting)
        if free > target * 0.5:
            return
        qty = target * self._rng.uniform(0.9, 1.3) - min(0.0, free)
        lead = material.supplier.lead_days * self._rng.uniform(0.75, 1.15)
        if self._rng.random() < self._world.rates.supplier_late:
            late = self._rng.uniform(1.0, 4.0)
            lead += late
            self._faults.note(
                "supplier_late",
                "kis",
                "POOrder",
                f"PO{self._purchases + 1:06d}",
                detail=f"{material.supplier.name} {late:.1f} days",
            )
        material.coming += qty
        self._purchases += 1
        due = self._world.now + int(material.supplier.lead_days * DAY)
        self._bills.purchases.append((self._purchases, material, qty, due))
        arrival = self._world.calendar.office(self._world.now + int(lead * DAY))
        self._world.at(arrival, self._arrive, material, qty)

    def _arrive(self, material: Material, qty: float) -> None:
        material.coming -= qty
        self._receive(material, qty)
        while material.waiting:
            order = material.waiting[0]
            need = self.need(order)
            if order.live and material.on_hand < need:
                break
            material.waiting.pop(0)
            if order.live:
                self._hand_out(order, material, need)
            else:
                material.wanted -= need
        self._reorder(material)
