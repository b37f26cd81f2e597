"""The things the model moves about: items, orders, work orders, jobs, machines, material."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True, eq=False)
class Customer:
    """A customer with its codes in each system."""

    place: int
    crm_id: str
    name: str
    short_name: str
    tax_id: str
    region: str
    level: str
    finance_id: int
    finance_no: str
    client_code: str
    wms_name: str
    mes_name: str
    finance_tax: str
    weight: float


@dataclass(slots=True, eq=False)
class Supplier:
    """A supplier of material or of outside work."""

    place: int
    name: str
    tax_id: str
    finance_id: int
    finance_no: str
    vendor_code: str
    finance_tax: str
    wms_name: str
    wms_tax: str | None
    lead_days: float


@dataclass(slots=True, eq=False)
class Employee:
    """A person on the pay roll."""

    place: int
    name: str
    finance_id: int
    finance_no: str
    operator_no: str
    team: str
    department: int


@dataclass(slots=True, eq=False)
class Lot:
    """A coil or a bundle of sheets; its gauge, and so the kg of a sheet, is its own."""

    lot_no: str
    gauge_share: float
    left: float


@dataclass(slots=True, eq=False)
class Material:
    """A raw material: a coil or sheet of one grade and gauge, or packing stuff."""

    place: int
    wms_code: str
    name: str
    spec: str
    unit: str
    kind: str
    finance_id: int
    finance_no: str
    erp_code: str
    grade: str
    gauge: float
    width: float
    price: float
    supplier: Supplier
    order_up_to: float
    lots: list[Lot] = field(default_factory=list)
    on_hand: float = 0.0
    coming: float = 0.0
    wanted: float = 0.0
    waiting: list["WorkOrder"] = field(default_factory=list)

    @property
    def sheet_kg(self) -> float | None:
        """Return what a sheet weighs at its nominal gauge; a coil has no pieces."""
        if "板料" not in self.name:
            return None
        return self.gauge * self.width * 1250 * 7.85e-6


@dataclass(slots=True, eq=False)
class Step:
    """A step of a routing."""

    seq: int
    code: str
    name: str
    kind: str
    centre: str
    setup_min: float
    run_min: float
    vendor: Supplier | None
    die_no: str | None
    cavity: int


@dataclass(slots=True, eq=False)
class Item:
    """A finished item with its routing and its material."""

    place: int
    drawing_no: str
    drawing_rev: str
    name: str
    standard: bool
    customer: Customer
    customer_part: str
    mes_code: str
    wms_code: str
    finance_id: int
    finance_no: str
    price: float
    material: Material
    kg_per_piece: float
    steps: list[Step]
    box: Material
    cost: float


@dataclass(slots=True, eq=False)
class Line:
    """A line of a customer's order."""

    order: "Order"
    line: int
    item: Item
    qty: int
    price: float
    due: int
    status: str = "open"
    made: int = 0
    shipped_at: int | None = None
    shipped_qty: int = 0
    ship_planned: bool = False
    work_orders: list["WorkOrder"] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Order:
    """A customer's order."""

    no: str
    customer: Customer
    po: str
    ordered_at: int
    due: int
    rush: bool
    remark: str
    finance_id: int
    status: str = "open"
    revision: int = 1
    lines: list[Line] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Job:
    """An operation of a work order: a row of the MES queue and what really becomes of it."""

    job_no: str
    work_order: "WorkOrder"
    seq: int
    step: Step
    created_at: int
    setup_min: float
    run_min: float
    plan_start: int
    plan_end: int
    started_at: int | None = None
    ended_at: int | None = None
    machine: "Machine | None" = None
    operator: Employee | None = None
    qty_in: int = 0
    good: int = 0
    scrap_work: int = 0
    scrap_material: int = 0
    rework: int = 0
    unseen: bool = False
    cancelled_at: int | None = None
    # What the MES believes, which follows the reports.
    mes_state: str = "WAIT"
    mes_start: int | None = None
    mes_end: int | None = None
    mes_ok: int = 0
    mes_ng: int = 0
    mes_operator: str | None = None
    report_fault: str = ""
    report_victim: "Job | None" = None


@dataclass(slots=True, eq=False)
class WorkOrder:
    """A work order: allocations, jobs, and where it really is."""

    no: str
    item: Item
    qty: int
    created_at: int
    due: int
    priority: int
    finance_id: int
    shares: list[tuple[Line, int]]
    jobs: list[Job] = field(default_factory=list)
    place: int = 0
    good: int = 0
    released_at: int | None = None
    received_at: int | None = None
    received: int = 0
    cancelled_at: int | None = None
    closed_at: int | None = None
    hold_until: int = 0
    status: str = "PREPARE"
    produced: int = 0
    source: str = "ORDER"  # or TENON: entered by Tenon and taken over
    issued: list[tuple["Material", Lot, float]] = field(default_factory=list)

    @property
    def live(self) -> bool:
        """Tell whether the work order has not been cancelled."""
        return self.cancelled_at is None


@dataclass(frozen=True, slots=True)
class Entered:
    """A work order that somebody entered into the MES: its lines and the numbers of its jobs."""

    code: str
    product: str
    qty: int
    lines: tuple[tuple[str, int, int], ...]  # order number, line, quantity
    numbers: tuple[int, ...]  # of the rows that say which lines it is for
    jobs: dict[int, str]  # sequence of the operation → number of the job


@dataclass(slots=True, eq=False)
class Machine:
    """A press or a manual station."""

    code: str
    name: str
    centre: str
    tonnage: int
    press: bool
    asset_no: str
    finance_asset: str
    operators: list[Employee]
    absent_days: frozenset[int] = frozenset()
    die: str | None = None
    strokes: int = 0
    worked: float = 0.0
    fails_at: float = 1e12
    state: str = ""
    state_id: int = 0
    state_since: int = 0
    state_reason: str | None = None
    state_job: str | None = None
    state_true_job: str | None = None
    wake: Any = None


@dataclass(slots=True, eq=False)
class Die:
    """A die of one item and operation: its life in strokes since the last grinding."""

    die_no: str
    item: Item
    seq: int
    cavity: int
    life: int
    strokes: int = 0
    on: Machine | None = None
    location: str = "模具库"
