"""The whole plant put together: it lives from one instant to another and fills its book."""

import random

from plant.legacy import SYSTEMS, kis
from plant.legacy.mes import PARAM_SAMPLE
from plant.model.flow import Flow
from plant.model.sales import Sales
from plant.model.shop import Shop, current
from plant.model.supply import Supply
from plant.model.things import Entered, Line, Material
from plant.model.world import World
from plant.record import truth
from plant.record.book import Book
from plant.record.crm import CrmRecorder
from plant.record.faults import Faults
from plant.record.kis_bills import KisBills
from plant.record.kis_data import KisData
from plant.record.kis_ledger import KisLedger
from plant.record.mes import MesRecorder
from plant.record.noise import mistyped, typed, written_code, written_name
from plant.record.reports import Reports
from plant.record.wms import WmsRecorder
from plant.settings import DAY, HOUR, MINUTE, PlantConfig

SAMPLE_EVERY = 10 * MINUTE
REUSE_DAY = 40
BOOKS_CLOSE_DAY = 4


class Plant:
    """A plant made from a config; `live_until` moves its clock."""

    def __init__(self, config: PlantConfig) -> None:
        only = {"kis": kis.LEDGER_TABLES} if config.profile == "ledger" else {}
        self.book = Book({**SYSTEMS, "truth": truth.METADATA}, only)
        self.world = World(config, self.book)
        self.muted = False
        faults = self._faults = Faults(self.world)
        self._crm = CrmRecorder(self.world)
        self._mes = MesRecorder(self.world, faults)
        self._wms = WmsRecorder(self.world, faults, self.world.catalog.employees[136:142])
        self._data = KisData(self.world, faults)
        self._bills = KisBills(self.world, faults)
        self._ledger = KisLedger(self.world, faults)
        reports = self._reports = Reports(self.world, faults, self._mes)
        flow = Flow(self.world, self._mes, reports, self._wms, self._crm, self._bills, self._data)
        self._shop = Shop(self.world, self._mes, reports, flow.job_started, flow.job_ended)
        self._supply = Supply(self.world, faults, self._wms, self._bills, flow.ready)
        flow.supply, flow.shop = self._supply, self._shop
        self._sales = Sales(self.world, self._crm, flow, self._bills)
        self._flow = flow
        self._slip()
        self._open()

    def live_until(self, instant: int) -> None:
        """Let the plant live up to and including an instant."""
        if instant >= self.world.now:
            self.world.env.run(until=instant + 1)

    def join(self) -> None:
        """From now on Tenon enters work orders first."""
        self._flow.joined = True

    def refusal(self, entered: Entered) -> str | None:
        """Why a work order that was entered cannot be taken over; None when it can."""
        found = self._lines(entered)
        if not found:
            return "没有这张订单"
        for line, _ in found:
            if line.item.mes_code != entered.product or not self._flow.knows(line.item):
                return "产品与订单不符"
            if {step.seq for step in line.item.steps} != set(entered.jobs):
                return "工序与工艺不符"
            if line.status != "open":
                return "订单行已结束"
            if any(order.live for order in line.work_orders):
                return "订单行已有工单"
        return None

    def adopt(self, entered: Entered) -> None:
        """Take over a work order that was entered."""
        self._flow.adopt(entered, self._lines(entered))

    def _lines(self, entered: Entered) -> list[tuple[Line, int]]:
        found = []
        for number, line, qty in entered.lines:
            order = self._sales.by_number.get(number)
            own = [one for one in order.lines if one.line == line] if order else []
            if not own:
                return []
            found.append((own[0], qty))
        return found

    def _slip(self) -> None:
        """Mistype the few keys that will match nothing, before anyone types them."""
        catalog, rng, note = self.world.catalog, self.world.chance("slips"), self._faults.note
        self._data.slip(catalog.customers[6])
        for place in (11, 23):
            customer = catalog.customers[place]
            customer.mes_name = mistyped(rng, customer.short_name)
            note("key_mistyped", "mes", "md_client", customer.client_code, detail=customer.mes_name)
        customer = catalog.customers[9]
        customer.wms_name = mistyped(rng, customer.short_name)
        note("key_mistyped", "wms", "wm_move", customer.crm_id, detail=customer.wms_name)
        for material in self._material_slips():
            material.erp_code = mistyped(rng, material.finance_no)
            note("key_mistyped", "wms", "wm_item", material.wms_code, detail=material.erp_code)
        supplier = catalog.suppliers[8]
        supplier.wms_tax, supplier.wms_name = mistyped(rng, supplier.tax_id), supplier.name[:4]
        note("key_mistyped", "wms", "wm_vendor", supplier.vendor_code, detail=supplier.wms_tax)
        machine = catalog.machines[17]
        machine.asset_no = mistyped(rng, machine.asset_no)
        note("key_mistyped", "mes", "dv_machinery", machine.code, detail=machine.asset_no)
        employee = catalog.employees[33]
        employee.operator_no = mistyped(rng, employee.finance_no)
        note("key_mistyped", "mes", "md_operator", employee.operator_no)

    def _material_slips(self) -> list[Material]:
        used: dict[int, int] = {}
        for item in self.world.catalog.items:
            used[item.material.place] = used.get(item.material.place, 0) + 1
        ranked = sorted(self.world.catalog.materials, key=lambda m: -used.get(m.place, 0))
        return [ranked[0], ranked[60]]

    def _open(self) -> None:
        """Write the master data, fill the stores and start the plant's daily round."""
        catalog = self.world.catalog
        self._mes.floor()
        self._wms.locations()
        self._data.frame()
        self._data.period(self.world.config.start.year, self.world.config.start.month)
        rng = self.world.chance("masters")
        for customer in catalog.customers:
            self._crm.customer(customer)
            self._data.customer(customer)
            self._mes.client(customer.client_code, written_name(rng, customer.mes_name))
        for supplier in catalog.suppliers:
            if supplier.wms_tax:
                supplier.wms_tax = typed(rng, supplier.wms_tax)
            self._wms.vendor(supplier)
            self._data.supplier(supplier)
        for place, machine in enumerate(catalog.machines, start=1):
            machine.asset_no = written_code(rng, machine.asset_no, 0.7)
            self._mes.machine(machine)
            self._data.machine(place, machine)
        for employee in catalog.employees:
            self._data.employee(employee)
            self._mes.operator(employee, rng)
        for material in catalog.materials + catalog.boxes:
            self._wms.material(material)
            self._data.material(material)
        for item in list(catalog.items):
            self._flow.introduce(item)
        self._supply.stock_up()
        self._shop.stop_reasons()
        self._about()
        self.world.after(0, self._daily)
        if self.world.config.samples:
            self.world.after(0, self._sample)

    def _about(self) -> None:
        config = self.world.config
        for name, value in (
            ("origin", config.origin.isoformat()),
            ("seed", str(config.seed)),
            ("profile", config.profile),
        ):
            self.book.put(truth.ABOUT, name=name, value=value)

    def _daily(self) -> None:
        world = self.world
        today = world.calendar.moment(world.now)
        day = world.now // DAY
        if world.calendar.is_working_day(day):
            self._sales.day()
            world.at(day * DAY + 9 * HOUR, self._morning)
        if today.day == 28:
            world.at(day * DAY + 19 * HOUR, self._wms.count_stock)
        if today.day == 1 and day:
            world.at(day * DAY + 10, self._data.period, today.year, today.month)
        if today.day == BOOKS_CLOSE_DAY and day > BOOKS_CLOSE_DAY:
            world.at(day * DAY + 16 * HOUR, self._close_books)
        if day == REUSE_DAY:
            world.at(day * DAY + 11 * HOUR, self._reuse_code)
        world.after(DAY, self._daily)

    def _morning(self) -> None:
        moves = self._wms.for_finance
        self._wms.for_finance = []
        self._bills.morning(moves)

    def _close_books(self) -> None:
        today = self.world.calendar.moment(self.world.now)
        year, month = (today.year, today.month - 1) if today.month > 1 else (today.year - 1, 12)
        mark = f"{year}-{month:02d}"
        mine = [entry for entry in self._bills.month if str(entry[0]["FDate"])[:7] <= mark]
        self._bills.month = [e for e in self._bills.month if str(e[0]["FDate"])[:7] > mark]
        self._ledger.close_month(year, month, mine)
        self._bills.stock.close_month(year, month)

    def _reuse_code(self) -> None:
        """Give a dead WMS item code to another material, as people do."""
        catalog = self.world.catalog
        dead = catalog.materials[-1]
        before = dead.name
        dead.name, dead.spec, dead.grade = "H340LA卷料", "0.7*95*C", "H340LA"
        dead.finance_id, dead.finance_no = (
            catalog.next_id(),
            f"1.01.{len(catalog.materials) + 1:04d}",
        )
        dead.erp_code = dead.finance_no
        self._data.material(dead)
        self._wms.material(dead)
        self._faults.note(
            "code_reused", "wms", "wm_item", dead.wms_code, detail=f"was {before}, now {dead.name}"
        )

    def _sample(self) -> None:
        """Read every press's current, as the logger does each ten minutes."""
        world = self.world
        tick = world.now // SAMPLE_EVERY
        if not self.muted:
            rng = random.Random(world.config.seed * 1_000_003 + tick)
            text, ident = world.calendar.text(world.now), tick * 40
            for machine in world.catalog.machines[:40]:
                ident += 1
                value = round(current(rng, machine), 2)
                self.book.add(PARAM_SAMPLE, (ident, machine.code, "current_a", text, value))
        world.after(SAMPLE_EVERY, self._sample)

    def totals(self) -> dict[str, int]:
        """Return how many orders, lines, work orders and so on there have been."""
        return {
            "orders": self._sales.orders,
            "order_lines": self._sales.lines,
            "work_orders": self._flow.work_orders,
            "jobs": self._flow.jobs,
            "reports": self._reports.keyed,
            "moves": self._wms.moves,
            "items": len(self.world.catalog.items),
        }
