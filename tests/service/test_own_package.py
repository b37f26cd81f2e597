"""The plant's own package: published beside the others, checked against them, rolled back."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tenon.assembly import Tenon, joining, open_tenon, own, packages
from tenon.assembly.home import HomeSettings, write_settings
from tenon.define.catalogue import parse
from tenon.define.models import Definition, Entity, Label, Package, SourceDef, Sync
from tenon.define.overview import published_one
from tenon.kernel.errors import BadInput, Config, Conflict
from tenon.records.ports import Actor

ANA = Actor("u1", "Ana", "admin")
LABEL = Label(zh="旧仓库", en="Old store")


@pytest.fixture
def tenon(tmp_path: Path) -> Iterator[Tenon]:
    home = tmp_path / "home"
    write_settings(home, HomeSettings())
    with open_tenon(home) as found:
        yield found


def old_file(folder: Path) -> dict[str, Any]:
    path = folder / "old.db"
    with sqlite3.connect(path) as db:
        db.executescript("CREATE TABLE IF NOT EXISTS cust (code TEXT PRIMARY KEY, name TEXT)")
    db.close()
    return {"dialect": "sqlite", "file": str(path)}


def add(tenon: Tenon, folder: Path) -> str:
    return joining.add_source(tenon, LABEL, "sql", old_file(folder), by=ANA)


def draft(source: str, **more: Any) -> Sync:
    data = {
        "kind": "sync", "code": "draft", "label": {"zh": "客户", "en": "Customers"},
        "source": source, "target": "customer",
        "stream": {"name": "cust", "table": "cust", "key": ["code"]},
        "identity": {"code": "code", "name": "name", "founds": True, "keys": {"name": "name"}},
        "fields": {"code": "code", "name": "name"},
    }  # fmt: skip
    return Sync.model_validate(data | more)


def version(tenon: Tenon, code: str) -> int:
    with tenon.hub.read() as reading:
        row = published_one(reading, "sync", code)
    return 0 if row is None else int(row.version)


def test_an_own_sync_fills_an_entity_of_the_factory(tenon: Tenon, tmp_path: Path) -> None:
    source = add(tenon, tmp_path)
    assert source == "jiu_cang_ku"
    code = joining.add_sync(tenon, draft(source), ANA)
    page = joining.sync_page(tenon, code)
    assert (page["package"], page["ours"], page["version"]) == ("own", True, 1)
    assert page["changed_by"] == "Ana"
    assert tenon.catalogue.sync(code).target == "customer"
    assert joining.connection(tenon, source)["package"] == "own"


def test_what_does_not_fit_the_other_packages_is_refused_and_changes_nothing(
    tenon: Tenon, tmp_path: Path
) -> None:
    source = add(tenon, tmp_path)
    epoch = tenon.catalogue.epoch
    wrong: list[dict[str, Any]] = [
        {"fields": {"code": "code", "name": "name", "wage": "name"}},
        {"identity": {"code": "code", "name": "name", "founds": True, "keys": {"shoe": "name"}}},
        {"fields": {"code": "code"}},
        {"stream": {"name": "cust", "table": "cust", "key": []}},
        {"fields": {"code": "code", "name": {"from": "name", "master": "no_such"}}},
    ]
    for change in wrong:
        with pytest.raises(BadInput):
            joining.add_sync(tenon, draft(source, **change), ANA)
    tenon.refresh()
    assert tenon.catalogue.epoch == epoch


def test_upgrading_the_factory_is_checked_against_what_is_our_own(
    tenon: Tenon, tmp_path: Path
) -> None:
    source = add(tenon, tmp_path)
    code = joining.add_sync(tenon, draft(source), ANA)
    package, definitions = packages.built_in()
    without = tuple(d for d in definitions if not _of_customer(d))
    with pytest.raises(Config) as refused:
        packages.publish_package(tenon.hub, package, without, "test")
    assert code in refused.value.text.en or "customer" in refused.value.text.en
    tenon.refresh()
    assert tenon.catalogue.entity("customer").title == "name"
    newer = package.model_copy(update={"version": "0.99.0"})
    kept = tuple(newer if isinstance(d, Package) else d for d in definitions)
    packages.publish_package(tenon.hub, newer, kept, "test")
    tenon.refresh()
    assert tenon.catalogue.sync(code).source == source


def _of_customer(definition: Definition) -> bool:
    """The entity, and all of the package that leans on it."""
    if isinstance(definition, Entity):
        return definition.code == "customer" or any(
            f.target in {"customer", "sales_order", "order_line"} for f in definition.fields
        ) or definition.code in {"sales_order", "order_line"}  # fmt: skip
    return definition.kind not in {"package", "role", "source"}


def test_a_code_of_another_package_is_not_taken(tenon: Tenon) -> None:
    twice = SourceDef(code="kis", label=LABEL, system=LABEL, connector="sql")
    with pytest.raises(BadInput, match="defined twice"):
        own.put(tenon.hub, [twice], "Ana")
    assert tenon.catalogue.source("kis").label.en == "Kingdee KIS"


def test_every_change_is_a_version_and_an_earlier_one_comes_back(
    tenon: Tenon, tmp_path: Path
) -> None:
    source = add(tenon, tmp_path)
    code = joining.add_sync(tenon, draft(source), ANA)
    first = tenon.catalogue.epoch
    changed = draft(source, fields={"code": "code", "name": "name", "short_name": "name"})
    joining.change_sync(tenon, code, changed, ANA, version=1)
    assert version(tenon, code) == 2
    with pytest.raises(Conflict, match="stale_version"):
        joining.change_sync(tenon, code, changed, ANA, version=1)
    packages.roll_back(tenon.hub, "own", first, "Ana")
    tenon.refresh()
    assert set(tenon.catalogue.sync(code).fields) == {"code", "name"}
    assert version(tenon, code) == 3


def test_of_another_package_nothing_is_changed_or_removed(tenon: Tenon) -> None:
    with pytest.raises(Conflict, match="foreign_definition"):
        joining.change_sync(tenon, "kis_customer", draft("kis"), ANA)
    with pytest.raises(Conflict, match="foreign_definition"):
        joining.remove_sync(tenon, "kis_customer", ANA)
    with pytest.raises(Conflict, match="foreign_definition"):
        joining.remove_source(tenon, "kis", ANA)


def test_removing_a_source_asks_when_rows_came_through_it_and_says_the_way_back(
    tenon: Tenon, tmp_path: Path
) -> None:
    source = add(tenon, tmp_path)
    code = joining.add_sync(tenon, draft(source), ANA)
    before = tenon.catalogue.epoch
    with tenon.hub.write() as tx:
        tx.exec_driver_sql(
            "INSERT INTO source_row (source, stream, key, hash, raw, state, run_id, first_seen_at, "
            "seen_at, tries, waits) VALUES (?, 'cust', '1', 'h', '{}', 'applied', 'r', "
            "'2026-01-01 00:00:00', '2026-01-01 00:00:00', 0, 0)",
            (source,),
        )
    with pytest.raises(Conflict, match="source_has_rows"):
        joining.remove_source(tenon, source, ANA)
    removed = joining.remove_source(tenon, source, ANA, really=True)
    assert removed.syncs == [code]
    assert removed.records == 1
    assert f"rollback own {before}" in removed.back.en
    assert tenon.connect.connections.values(source) is None
    assert source not in {s.code for s in tenon.catalogue.of(SourceDef)}
    packages.roll_back(tenon.hub, "own", before, "Ana")
    tenon.refresh()
    assert tenon.catalogue.sync(code).source == source


def test_a_taken_name_gets_a_number(tenon: Tenon, tmp_path: Path) -> None:
    first = add(tenon, tmp_path)
    assert joining.add_source(tenon, LABEL, "sql", old_file(tmp_path), by=ANA) == f"{first}_2"
    with pytest.raises(Conflict, match="source_taken"):
        joining.add_source(tenon, LABEL, "sql", old_file(tmp_path), by=ANA, code=first)


def test_what_a_package_folder_says_may_name_what_another_defines(tenon: Tenon) -> None:
    sync = parse({**draft("kis").model_dump(by_alias=True), "code": "more"}, "test")
    sync = sync.model_copy(update={"stream": draft("kis").stream.model_copy(
        update={"name": "t_more"})})  # fmt: skip
    package = Package(code="more", version="1.0.0", label=LABEL)
    with tenon.hub.read() as reading:
        plan = packages.propose(reading, package, (package, sync)).plan
    assert {c.code for c in plan.changes} == {"more"}
