"""Kingdee recognised by its tables; its streams read alike over every route to the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from plant.legacy import kis
from tenon.assembly.packages import built_in
from tenon.cli.main import app
from tenon.connect import kingdee
from tenon.connect.batches import rows_of
from tenon.connect.connectors.odbc import OdbcConnector
from tenon.connect.connectors.sql import SqlConnector
from tenon.connect.contract import Column, Connector, ConnectorSettings, Found
from tenon.connect.egress import guard
from tenon.connect.runner import Runner
from tenon.connect.settings import Connections
from tenon.define.models import Entity, StreamDef, Sync
from tenon.kernel.decimals import plain
from tenon.testkit.tds import TdsServer, serve
from tests import odbc_drivers
from tests.service.planning_world import shop_at

ROUTES = ("sql-sqlite", "odbc-sqlite", "sql-freetds", "odbc-freetds")


def ledger(path: Path, *, only: frozenset[str] | None = None) -> str:
    """A ledger with a row or two in each table, numbers and texts as an old one has them."""
    engine = sa.create_engine(f"sqlite:///{path}")
    tables = [t for t in kis.METADATA.sorted_tables if only is None or t.name in only]
    kis.METADATA.create_all(engine, tables)
    with engine.begin() as db:
        for table in tables:
            db.execute(table.insert(), [_row(table, number) for number in (1, 2, 3)])
    engine.dispose()
    return str(path)


def _row(table: sa.Table, number: int) -> dict[str, Any]:
    return {column.name: _value(column, number) for column in table.columns}


def _value(column: sa.Column[Any], number: int) -> Any:
    if isinstance(column.type, sa.DateTime):
        return datetime.fromisoformat(f"2026-01-0{number} 08:00:00")
    if isinstance(column.type, sa.String):
        return f"{column.name[1:4]} 冲压件{number}"[: column.type.length]
    if isinstance(column.type, sa.Numeric) and column.type.scale:
        return number + 0.25
    return number


@pytest.fixture(params=ROUTES)
def connector(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Connector]:
    kind, route = request.param.split("-")
    if kind == "odbc" or route == "freetds":
        odbc_drivers.need("FreeTDS" if route == "freetds" else "SQLite3")
    path = ledger(tmp_path / "kis.db")
    with ExitStack() as stack:
        values: dict[str, Any] = {"url": f"sqlite:///{path}"}
        if route == "freetds":
            server = stack.enter_context(serve(TdsServer(path, database="AIS20260101080000")))
            base = {"user": "tenon", "password": "right", "database": server.database}
            values = {"driver": "FreeTDS", "server": "127.0.0.1", "port": server.port, **base}
            if kind == "sql":
                url = f"mssql://tenon@127.0.0.1:{server.port}/{server.database}"
                values = {"url": url, "password": "right"}
        elif kind == "odbc":
            values = {"driver": "SQLite3", "file": path}
        port = server.port if route == "freetds" else 0
        settings = ConnectorSettings("kis", values, guard("kis", [("127.0.0.1", port)]))
        made: Connector = (SqlConnector if kind == "sql" else OdbcConnector)(settings)
        yield made
        made.close()


def read(connector: Connector, stream: StreamDef) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for batch in connector.read(stream, None):
        _, values = rows_of(batch)
        found += [tuple(_plain(v) for v in row) for row in values]
    return sorted(found)


def _plain(value: Any) -> str:
    text = str(value)
    return text.rstrip("0").rstrip(".") if "." in text and ":" not in text else text[:19]


def test_every_stream_is_read_alike_over_every_route(connector: Connector, tmp_path: Path) -> None:
    plain = SqlConnector(
        ConnectorSettings("kis", {"url": f"sqlite:///{tmp_path / 'kis.db'}"}, guard("kis", []))
    )
    found = kingdee.recognise(connector.discover())
    assert found is not None
    assert found.code == "kis_pro"
    assert len(found.offers) == len(kingdee.streams()) == 11
    for offer in found.offers:
        assert offer.missing == ()
        rows = read(connector, offer.stream)
        parts = {"t_ICItem_purchased": 1, "t_ICItem_made": 2}
        assert len(rows) == parts.get(offer.stream.name, 3), offer.stream.name
        assert rows == read(plain, offer.stream), offer.stream.name
    plain.close()


def test_a_ledger_without_stock_offers_what_it_has(tmp_path: Path) -> None:
    path = ledger(tmp_path / "kis.db", only=frozenset(kis.LEDGER_TABLES))
    connector = SqlConnector(
        ConnectorSettings("kis", {"url": f"sqlite:///{path}"}, guard("kis", []))
    )
    found = kingdee.recognise(connector.discover())
    connector.close()
    assert found is not None
    missing = {offer.stream.name: offer.missing for offer in found.offers if offer.missing}
    assert set(missing) == {"t_ICItem_purchased", "t_ICItem_made", "SEOrder", "SEOrderEntry",
                            "ICMO", "ICStockBillEntry"}  # fmt: skip
    ready = kingdee.ready(_tables_of(path))
    assert set(ready) == {"t_organization", "t_supplier", "t_emp", "t_voucherentry", "t_balance"}
    assert missing["ICStockBillEntry"] == ("ICStockBillEntry", "ICStockBill", "t_ICItem")


def _tables_of(path: str) -> list[Found]:
    connector = SqlConnector(
        ConnectorSettings("kis", {"url": f"sqlite:///{path}"}, guard("kis", []))
    )
    try:
        return connector.discover()
    finally:
        connector.close()


def table(name: str, *columns: str) -> Found:
    return Found(name, tuple(Column(c, "INT", True) for c in columns))


def test_a_stream_is_fitted_to_the_columns_that_are_there() -> None:
    """Without a time of change it is read as a whole; never an empty value in its stead."""
    tables = [
        table("T_ITEM"), table("t_account", "FAccountID", "FNumber"),
        table("t_Voucher", "FVoucherID", "FYear", "FPeriod", "FNumber", "FDate"),
        table("t_VoucherEntry", "FVoucherID", "FEntryID", "FDC", "FAmount"),
        table("t_Organization", "FNumber", "FName"),
    ]  # fmt: skip
    found = kingdee.recognise(tables)
    assert found is not None
    offers = {offer.stream.name: offer for offer in found.offers}
    voucher = offers["t_VoucherEntry"]
    assert voucher.stream.cursor is None
    assert voucher.left_out == ("t_VoucherEntry.FExplanation", "t_Voucher.FModifyTime")
    assert "FExplanation" not in voucher.stream.columns
    assert offers["t_Organization"].missing == ("t_Organization.FItemID",)


def test_other_tables_are_no_kingdee() -> None:
    assert kingdee.recognise([table("t_Item"), table("orders")]) is None
    standard = kingdee.recognise([table("GLVch"), table("GLPref")])
    assert standard is not None
    assert standard.offers == ()
    assert standard.note is not None


def test_the_package_reads_the_same_tables_by_the_same_keys() -> None:
    """The ready-made streams and the package's mappings must not drift apart."""
    _, definitions = built_in()
    mapped = {d.stream.table: d.stream for d in definitions
              if isinstance(d, Sync) and d.source == "kis"}  # fmt: skip
    shared = [s for s in kingdee.streams() if s.table in mapped]
    assert {s.table for s in shared} >= {
        "t_Organization", "t_Supplier", "t_ICItem", "ICMO", "ICStockBillEntry", "t_VoucherEntry",
        "t_Balance",
    }  # fmt: skip
    for stream in shared:
        other = mapped[stream.table]
        assert stream.key == other.key
        assert [(j.table, j.match) for j in stream.join] == [(j.table, j.match) for j in other.join]
        assert (stream.cursor and stream.cursor.column) == (other.cursor and other.cursor.column)


def test_the_ready_mappings_are_those_of_the_package() -> None:
    """Who joins a ledger on the pages gets what the built-in package would have given."""
    _, definitions = built_in()
    syncs = [d for d in definitions if isinstance(d, Sync) and d.source == "kis"]
    package = {(s.stream.table, str(s.stream.where)): s for s in syncs}
    known = {f.code: f for d in definitions if isinstance(d, Entity) for f in d.fields}
    seen = 0
    for ready in kingdee.mappings():
        theirs = package.get((ready.stream.table, str(ready.stream.where)))
        assert set(ready.fields) <= known.keys()
        if theirs is None:
            continue
        seen += 1
        assert ready.target == theirs.target
        assert ready.identity == theirs.identity
        assert ready.every_seconds == theirs.every_seconds
        if theirs.fields:
            assert ready.fields == theirs.fields, ready.stream.name
    assert seen == 9


def test_what_a_ledger_lacks_is_left_out_of_its_mapping() -> None:
    tables = [
        table("t_Item"), table("t_Account"), table("t_Voucher"), table("t_VoucherEntry"),
        table("t_Organization", "FItemID", "FNumber", "FName"),
    ]  # fmt: skip
    offer = kingdee.ready(tables)["t_organization"]
    assert set(offer.sync["fields"]) == {"code", "name"}
    assert set(offer.sync["identity"]["keys"]) == {"name"}
    assert offer.stream.cursor is None


def test_what_is_registered_can_be_looked_at() -> None:
    odbc_drivers.need("SQLite3")
    done = CliRunner().invoke(app, ["look"])
    assert done.exit_code == 0
    assert "SQLite3" in done.output


def test_the_package_syncs_a_ledger_served_as_sql_server(tmp_path: Path) -> None:
    """Vouchers and balances end to end, with the built-in package; a second run changes nothing."""
    odbc_drivers.need("FreeTDS")
    home = tmp_path / "home"
    home.mkdir()
    server = TdsServer(ledger(tmp_path / "kis.db"), database="AIS2026")
    with shop_at(home, f"sqlite:///{tmp_path / 'hub.db'}") as shop, serve(server):
        url = f"mssql://tenon@127.0.0.1:{server.port}/AIS2026"
        Connections(home).save({"kis": {"url": url, "password": "right"}})
        runner = Runner(shop.tenon.connect)
        for code in ("kis_voucher", "kis_balance"):
            first, second = runner.sync(code), runner.sync(code)
            assert (first.state, first.counts.read, first.counts.applied) == ("succeeded", 3, 3)
            assert (second.state, second.counts.applied) == ("succeeded", 0)
        balances = shop.all("account_balance")
    assert sorted((b.year, b.account_no) for b in balances) == [
        (n, f"Num 冲压件{n}") for n in (1, 2, 3)
    ]
    assert {plain(b.end_balance) for b in balances} == {"1.25", "2.25", "3.25"}
    assert all(one.lstrip().upper().startswith(("SELECT", "SET ", "SP_")) for one in server.asked)
