"""The plant's master data, drawn from the seed: who and what there is before the first order."""

import random
from dataclasses import dataclass, field

from plant.model import names
from plant.model.things import (
    Customer,
    Die,
    Employee,
    Item,
    Machine,
    Material,
    Step,
    Supplier,
)
from plant.settings import PlantConfig

# Work centre: name, tonnage, presses (0 tonnage: manual stations).
CENTRES: dict[str, tuple[str, int, int]] = {
    "CY060": ("60T冲压", 60, 10),
    "CY110": ("110T冲压", 110, 12),
    "CY160": ("160T冲压", 160, 9),
    "CY250": ("250T冲压", 250, 6),
    "CY400": ("400T冲压", 400, 3),
    "QMC": ("去毛刺", 0, 7),
    "QX": ("清洗", 0, 5),
    "JY": ("检验", 0, 8),
    "BZ": ("包装", 0, 8),
}
PRESS_STEPS = (("LL", "落料"), ("LS", "拉深"), ("CK", "冲孔"), ("ZW", "折弯"), ("ZX", "整形"))
MANUAL_STEPS = {"QMC": "去毛刺", "QX": "清洗", "JY": "检验", "BZ": "包装"}
CUSTOMERS, SUPPLIERS, MATERIALS, STANDARD_ITEMS = 64, 26, 216, 520


def _tax_id(rng: random.Random) -> str:
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    return "9133" + "".join(rng.choices("0123456789", k=4)) + "".join(rng.choices(alphabet, k=10))


@dataclass
class Catalog:
    """All master data of a plant and the maker of new, non-standard items."""

    config: PlantConfig
    customers: list[Customer] = field(default_factory=list)
    suppliers: list[Supplier] = field(default_factory=list)
    vendors: dict[str, list[Supplier]] = field(default_factory=dict)
    employees: list[Employee] = field(default_factory=list)
    materials: list[Material] = field(default_factory=list)
    boxes: list[Material] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    machines: list[Machine] = field(default_factory=list)
    dies: dict[str, Die] = field(default_factory=dict)
    finance_id: int = 1000

    def __post_init__(self) -> None:
        self.rng = random.Random(f"{self.config.seed}:catalog")
        self._brands = [head + tail for head in names.BRAND_HEADS for tail in names.BRAND_TAILS]
        self.rng.shuffle(self._brands)
        self._make_customers()
        self._make_suppliers()
        self._make_employees()
        self._make_machines()
        self._make_materials()
        for _ in range(STANDARD_ITEMS):
            self.new_item(self.pick_customer(self.rng), standard=True)

    def next_id(self) -> int:
        """Return the next FItemID of the finance system."""
        self.finance_id += 1
        return self.finance_id

    def pick_customer(self, rng: random.Random) -> Customer:
        """Return a customer; a few order most."""
        return rng.choices(self.customers, [customer.weight for customer in self.customers])[0]

    def _make_customers(self) -> None:
        for place in range(1, CUSTOMERS + 1):
            region, brand = self.rng.choice(names.REGIONS), self._brands.pop()
            short = region + brand
            tax = _tax_id(self.rng)
            self.customers.append(
                Customer(
                    place,
                    f"ACC-{100 + place:06d}",
                    short + self.rng.choice(names.CUSTOMER_KINDS),
                    short,
                    tax,
                    region,
                    self.rng.choice(names.LEVELS),
                    self.next_id(),
                    f"01.{place:04d}",
                    f"KH{place * 7 % 1000:03d}",
                    short,
                    short,
                    tax,
                    1.0 / place**0.6,
                )
            )

    def _make_suppliers(self) -> None:
        titles = [self._brands.pop() + self.rng.choice(names.SUPPLIER_KINDS) for _ in range(21)]
        titles += list(names.PLATING_VENDORS + names.HEAT_VENDORS)
        for place, title in enumerate(titles, start=1):
            name = title if place > 21 else self.rng.choice(names.REGIONS) + title
            tax = _tax_id(self.rng)
            self.suppliers.append(
                Supplier(
                    place,
                    name,
                    tax,
                    self.next_id(),
                    f"02.{100 + place:04d}",
                    f"V{place * 13 % 500:04d}",
                    tax,
                    name,
                    tax,
                    self.rng.uniform(2.0, 4.5),
                )
            )
        self.vendors = {"plating": self.suppliers[21:24], "heat": self.suppliers[24:26]}

    def _make_employees(self) -> None:
        for place in range(1, 161):
            name = self.rng.choice(names.SURNAMES) + self.rng.choice(names.GIVEN)
            code = f"E{place:04d}"
            team, department = names.TEAMS[place % 2], 1 + (place % 4 if place > 136 else 0)
            self.employees.append(
                Employee(place, name, self.next_id(), code, code, team, department)
            )

    def _make_machines(self) -> None:
        place = 0
        for centre, (title, tonnage, count) in CENTRES.items():
            for number in range(1, count + 1):
                crew = self.employees[place * 2 : place * 2 + 2]
                place += 1
                mark = "YJ" if tonnage else "GW"
                asset = f"{mark}-{tonnage:03d}-{number:02d}" if tonnage else f"{mark}-{place:03d}"
                name = f"{title}机{number}号" if tonnage else f"{title}{number}号工位"
                code = f"{centre}-{number:02d}"
                machine = Machine(code, name, centre, tonnage, bool(tonnage), asset, asset, crew)
                machine.worked, machine.strokes = 0.0, self.rng.randrange(10**6, 10**7)
                self.machines.append(machine)

    def _make_materials(self) -> None:
        for place in range(1, MATERIALS + 1):
            grade = self.rng.choice(names.GRADES)
            gauge = self.rng.choice((0.6, 0.8, 1.0, 1.2, 1.5, 1.8, 2.0, 2.5, 3.0))
            width = self.rng.choice((60, 85, 110, 150, 180, 220, 260, 320))
            coil = self.rng.random() < 0.8
            number = f"1.01.{place:04d}"
            self.materials.append(
                Material(
                    place,
                    f"R-{place * 17 % 1000:04d}",
                    f"{grade}{'卷料' if coil else '板料'}",
                    f"{gauge}*{width}{'*C' if coil else '*1250'}",
                    "kg",
                    "RAW",
                    self.next_id(),
                    number,
                    number,
                    grade,
                    gauge,
                    float(width),
                    round(
                        self.rng.uniform(4.2, 7.8) * (3.2 if grade[:2] in ("SU", "T2") else 1), 2
                    ),
                    self.rng.choice(self.suppliers[:18]),
                    0.0,
                )
            )
        for place in range(1, 13):
            number = f"1.05.{place:04d}"
            self.boxes.append(
                Material(
                    500 + place,
                    f"A-{place:04d}",
                    f"周转纸箱{place}号",
                    f"{300 + 20 * place}*250*180",
                    "个",
                    "AUX",
                    self.next_id(),
                    number,
                    number,
                    "",
                    0.0,
                    0.0,
                    round(self.rng.uniform(1.8, 4.0), 2),
                    self.suppliers[18 + place % 3],
                    6000.0,
                )
            )

    def new_item(self, customer: Customer, *, standard: bool) -> Item:
        """Return a new item with drawing, codes in every system, material and routing."""
        rng, place = self.rng, len(self.items) + 1
        letters = "".join(rng.choices("ABCDEFGHJKMNPRSTW", k=2))
        drawing = f"{letters}{rng.randrange(100, 1000)}-{place:05d}-{rng.randrange(1, 60):02d}"
        material = rng.choice(self.materials)
        kg = round(min(1.2, rng.lognormvariate(-2.2, 0.7)), 4)
        item = Item(
            place,
            drawing,
            rng.choice("ABC"),
            rng.choice(names.PLACES) + rng.choice(names.PARTS),
            standard,
            customer,
            f"{customer.crm_id[-3:]}-{rng.randrange(10**5, 10**6)}",
            f"P{20000 + place}",
            f"CP{place * 3 + 7:06d}",
            self.next_id(),
            f"3.02.{place:04d}",
            0.0,
            material,
            kg,
            [],
            rng.choice(self.boxes),
            0.0,
        )
        self._make_steps(item)
        item.cost = round(kg * material.price + 0.35 * len(item.steps), 4)
        item.price = round(item.cost * rng.uniform(1.18, 1.55), 4)
        self.items.append(item)
        return item

    def _make_steps(self, item: Item) -> None:
        rng, steps = self.rng, item.steps

        def add(code: str, name: str, kind: str, centre: str, vendor: Supplier | None) -> None:
            seq = 10 * (len(steps) + 1)
            press = kind == "press"
            setup = rng.uniform(20, 50) if press else rng.uniform(4, 10)
            run = rng.lognormvariate(-1.75, 0.5) if press else rng.lognormvariate(-3.3, 0.4)
            if kind == "outside":
                setup, run = 0.0, 0.0
            die_no = f"M-{item.drawing_no[:5]}{item.place:05d}-{seq}" if press else None
            cavity = rng.choice((1, 1, 1, 2)) if press else 1
            step = Step(
                seq,
                code,
                name,
                kind,
                centre,
                round(setup, 1),
                round(run, 4),
                vendor,
                die_no,
                cavity,
            )
            steps.append(step)
            if die_no:
                life = rng.choice((60_000, 90_000, 120_000, 180_000))
                die = Die(die_no, item, seq, cavity, life, rng.randrange(life))
                self.dies[die_no] = die

        presses = [c for c, (_, tonnage, count) in CENTRES.items() if tonnage for _ in range(count)]
        home = rng.choice(presses)
        further = rng.sample(PRESS_STEPS[1:], rng.choices((0, 1, 2, 3), (18, 38, 30, 14))[0])
        chosen = [PRESS_STEPS[0], *sorted(further, key=PRESS_STEPS.index)]
        for code, name in chosen:
            centre = home if rng.random() < 0.45 else rng.choice(presses)
            add(code, name, "press", centre, None)
        if rng.random() < 0.5:
            add("QMC", MANUAL_STEPS["QMC"], "manual", "QMC", None)
        if rng.random() < 0.15:
            add("RCL", "热处理", "outside", "WW", rng.choice(self.vendors["heat"]))
        if rng.random() < 0.30:
            add("DD", "电镀", "outside", "WW", rng.choice(self.vendors["plating"]))
        if rng.random() < 0.3:
            add("QX", MANUAL_STEPS["QX"], "manual", "QX", None)
        if rng.random() < 0.8 or len(steps) < 2:
            add("JY", MANUAL_STEPS["JY"], "manual", "JY", None)
        add("BZ", MANUAL_STEPS["BZ"], "manual", "BZ", None)
