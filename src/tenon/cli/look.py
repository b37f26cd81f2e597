"""`tenon look [SOURCE]`: what could be connected here, and what a source has; only looking."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from tenon.assembly import open_tenon
from tenon.cli.options import HERE, Home
from tenon.cli.speech import out, plainly, say, tell
from tenon.connect import kingdee
from tenon.connect.connectors.odbc.machine import registered
from tenon.connect.contract import Found
from tenon.kernel.text import Text

_NONE = Text("本机没有登记 ODBC 驱动。", "No ODBC driver is registered on this machine.")
_SHOWN = 40
_DSN, _DRIVER = Text("数据源", "Data source"), Text("驱动", "Driver")
_TABLE, _COLUMNS, _KEY = Text("表", "Table"), Text("列数", "Columns"), Text("主键", "Key")
_TABLES = Text("共 {count} 个表和视图。", "{count} tables and views.")
_READY = Text("可以读取：按 {cursor}", "ready: by {cursor}")
_WHOLE = Text("可以读取：整表比较", "ready: read as a whole and compared")
_LACKS = Text("缺少：{missing}", "lacks {missing}")


def look(
    source: Annotated[str | None, typer.Argument(help="来源 / source, e.g. kis")] = None,
    home: Home = HERE,
) -> None:
    """看看能接什么，只看不改 / What can be connected here, or what a source has."""
    with plainly():
        if source is None:
            _machine()
            return
        with open_tenon(home, write=False) as tenon:
            connector = tenon.connect.connections.open(tenon.catalogue.source(source))
            try:
                found = connector.discover()
            finally:
                connector.close()
        _found(found)
        _ledger(found)


def _machine() -> None:
    known = registered()
    if not known.drivers:
        tell(_NONE)
    table = Table(say(_DSN), say(_DRIVER), show_edge=False)
    for name, driver in known.dsns.items():
        table.add_row(name, driver)
    for driver in known.drivers:
        table.add_row("—", driver)
    out.print(table)


def _found(found: list[Found]) -> None:
    table = Table(say(_TABLE), say(_COLUMNS), say(_KEY), show_edge=False)
    for one in found[:_SHOWN]:
        table.add_row(one.name, str(len(one.columns)), ", ".join(one.key))
    out.print(table)
    tell(_TABLES.format(count=len(found)))


def _ledger(found: list[Found]) -> None:
    ledger = kingdee.recognise(found)
    if ledger is None:
        return
    tell(ledger.label)
    if ledger.note is not None:
        tell(ledger.note)
    table = Table(show_edge=False, show_header=False)
    for offer in ledger.offers:
        cursor = offer.stream.cursor
        state = _READY.format(cursor=cursor.column) if cursor else _WHOLE
        if offer.missing:
            state = _LACKS.format(missing=", ".join(offer.missing))
        table.add_row(say(offer.label), offer.stream.name, say(state))
    out.print(table)
