"""The plant's four systems joined by suggestions alone, beside the built-in package's mapping."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from plant.service.crm_data import CrmData
from plant.service.crm_http import CrmServer
from tenon.assembly import Tenon, open_tenon
from tenon.assembly.home import HomeSettings, write_settings
from tenon.assembly.packages import built_in
from tenon.cli.joining import join, read_plant
from tenon.connect.retry import retry
from tenon.connect.runner import Runner
from tenon.define.models import MapRule, Sync
from tenon.master.tables import crosswalk
from tenon.records.tables import entity_tables
from tests.serving import serving

# Which tables a person picks, in which order, and the target where it is not the likeliest.
PICKED: tuple[tuple[str, str, str | None], ...] = (
    ("crm", "/api/customers", None), ("crm", "/api/orders#lines", "item"),
    ("crm", "/api/orders", None), ("crm", "/api/orders#lines", None),
    ("kis", "t_Organization", None), ("kis", "t_Supplier", None),
    ("kis", "t_ICItem:purchased", None), ("kis", "t_ICItem:made", None),
    ("mes", "md_product", None), ("mes", "md_client", None), ("mes", "pro_workorder", None),
    ("wms", "wm_item", None), ("wms", "wm_vendor", None), ("wms", "wm_move", None),
    ("wms", "wm_balance", None),
)  # fmt: skip
# Ledgers are read in parts that have names of their own.
PARTS = {"kis_material": "t_ICItem:purchased", "kis_product": "t_ICItem:made"}
COMPARED = {
    "customer": ("name", "short_name", "tax_id", "region"),
    "item": ("name", "drawing_no", "spec", "unit"),
    "sales_order": ("order_no", "customer", "customer_po", "due_at", "promised_at", "status"),
    "order_line": ("line_key", "item", "qty", "price", "due_at", "status"),
    "stock_balance": ("item", "lot_no", "location", "qty"),
    "stock_move": ("move_no", "move", "item", "lot_no", "qty", "work_order", "order_line",
                   "moved_at", "void"),
}  # fmt: skip


@contextmanager
def crm_of(plant: Path) -> Iterator[str]:
    token = (plant / "crm" / "token").read_text("utf-8").strip()
    server = CrmServer(0, CrmData(plant / "crm" / "crm.db"), token)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def settings_of(plant: Path, crm: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """What a person types for each system."""
    token = (plant / "crm" / "token").read_text("utf-8").strip()
    paths = "/api/customers, /api/orders, /api/order_changes"
    files = {"kis": "utf-8", "mes": "gb18030", "wms": "utf-8"}
    databases: dict[str, tuple[str, dict[str, Any]]] = {
        code: ("sql", {"dialect": "sqlite", "file": str(plant / f"{code}.db"), "encoding": e})
        for code, e in files.items()
    }
    return {"crm": ("http", {"url": crm, "token": token, "paths": paths})} | databases


@dataclass
class Joined:
    """A Tenon whose own sources are the plant's systems."""

    tenon: Tenon
    client: httpx.Client
    problems: list[str] = field(default_factory=list)

    def ask(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.client.post(f"/api{path}", json=body)
        assert answer.status_code in {200, 201}, f"{path}: {answer.text}"
        found: dict[str, Any] = answer.json()
        return found

    def suggest(self, system: str, table: str, target: str | None = None) -> dict[str, Any]:
        wanted = {"table": table} | ({"target": target} if target else {})
        return self.ask(f"/sources/my_{system}/suggest", wanted)


@pytest.fixture
def joined(week: Path, tmp_path: Path) -> Iterator[Joined]:
    """Give a Tenon to which the four systems were connected on the pages, and nothing more."""
    with crm_of(week) as crm, serving(tmp_path / "own") as served:
        found = Joined(served.tenon, served.signed_in("admin"))
        for code, (kind, settings) in settings_of(week, crm).items():
            label = {"zh": f"本厂 {code}"}
            found.ask("/sources", {"label": label, "code": f"my_{code}", "connector": kind,
                                   "settings": settings})  # fmt: skip
        served.tenon.refresh()
        yield found


def test_suggestions_agree_with_the_mapping_that_experts_wrote(joined: Joined) -> None:
    """Over every table of the package: which entity, which column, looked up where.

    What cannot be known from a table is wrong on purpose here: joins over Kingdee's component
    lists, constants. The floors are what was reached, not what is wished.
    """
    _, definitions = built_in()
    targets: Counter[bool] = Counter()
    rules: Counter[bool] = Counter()
    wrong: list[str] = []
    for sync in (d for d in definitions if isinstance(d, Sync)):
        table = PARTS.get(sync.code) or _table(sync)
        free = joined.suggest(sync.source, table)["draft"]["target"] == sync.target
        targets[free] += 1
        draft = Sync.model_validate(joined.suggest(sync.source, table, sync.target)["draft"])
        for code, rule in sync.fields.items():
            right = code in draft.fields and _same(rule, draft.fields[code])
            rules[right] += 1
            wrong += [] if right else [f"{sync.code}.{code}"]
        if sync.identity and draft.identity:
            assert draft.identity.code == sync.identity.code, sync.code
    print(f"targets {targets[True]}/{targets.total()}, rules {rules[True]}/{rules.total()}")
    assert targets[True] / targets.total() >= 0.9, targets
    assert rules[True] / rules.total() >= 0.95, wrong


def _table(sync: Sync) -> str:
    stream = sync.stream
    if stream.path:
        return stream.path + (f"#{stream.explode}" if stream.explode else "")
    return stream.table or stream.name


def _same(expected: MapRule, found: MapRule) -> bool:
    """The same column by the same look-up; values it may have one day are no difference."""
    places = ("from_", "master", "ref", "by", "times")
    if any(getattr(expected, p) != getattr(found, p) for p in places if p != "by" or expected.ref):
        return False
    return expected.choices.items() <= found.choices.items() and expected.const == found.const


@pytest.mark.deep
def test_four_systems_joined_by_suggestions_alone(
    joined: Joined, week: Path, tmp_path: Path
) -> None:
    """Customers, items, orders and stock come out as the package's own mapping has them."""
    for system, table, target in PICKED:
        suggestion = joined.suggest(system, table, target)
        assert suggestion["missing"] == [], table
        before = joined.ask(f"/sources/my_{system}/preview", {"draft": suggestion["draft"]})
        assert before["problems"] == [], table
        joined.ask("/syncs", {"draft": suggestion["draft"], "source": f"my_{system}"})
    joined.tenon.refresh()
    ours = _synced(joined.tenon)
    with crm_of(week) as crm:
        theirs = _by_package(tmp_path / "package", week, crm)
    for entity, expected in theirs.items():
        same = (expected & ours[entity]).total()
        print(f"{entity}: {same} of {expected.total()} agree")
        assert expected.total() > 20
        assert same >= 0.99 * expected.total(), (entity, list(expected - ours[entity])[:3])


def _by_package(home: Path, week: Path, crm: str) -> dict[str, Counter[Any]]:
    write_settings(home, HomeSettings())
    plant = read_plant(week / "plant.json")
    plant["systems"]["crm"]["url"] = crm
    with open_tenon(home) as tenon:
        join(home, plant)
        return _synced(tenon)


def _synced(tenon: Tenon) -> dict[str, Counter[Any]]:
    """Run every sync of a connected source in order; what came of it, as people would say it."""
    connected = set(tenon.connect.connections.codes())
    syncs = [s for s in tenon.catalogue.of(Sync) if s.source in connected]
    for sync in sorted(syncs, key=lambda s: (s.order, s.code)):
        outcome = Runner(tenon.connect).sync(sync.code)
        assert outcome.state in {"succeeded", "absent"}, (sync.code, outcome.error)
    for source in sorted(connected):
        retry(tenon.connect, source)
    return _facts(tenon)


def _facts(tenon: Tenon) -> dict[str, Counter[Any]]:
    tables = entity_tables(tenon.catalogue)
    names: dict[str, str] = {}
    with tenon.hub.read() as connection:
        # A golden record is the codes that were found to be the same thing.
        codes: dict[str, set[str]] = {}
        for row in connection.execute(sa.select(crosswalk).where(crosswalk.c.valid_to.is_(None))):
            code = f"{row.source.removeprefix('my_')}:{row.code}"
            codes.setdefault(row.record_id, set()).add(code)
        names |= {record: "+".join(sorted(found)) for record, found in codes.items()}
        for entity, title in (("sales_order", "order_no"), ("work_order", "work_order_no"),
                              ("order_line", "line_key")):  # fmt: skip
            table = tables[entity]
            rows = connection.execute(sa.select(table.c.id, table.c[title]))
            names |= {row[0]: row[1] for row in rows}
        return {
            entity: Counter(
                (*([names[row["id"]]] if entity in {"customer", "item"} else []),
                 *(str(names.get(row[f], row[f])) for f in fields))
                for row in connection.execute(sa.select(tables[entity])).mappings()
            )
            for entity, fields in COMPARED.items()
        }  # fmt: skip
