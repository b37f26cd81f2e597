"""Rows written into tables of real legacy systems: compared first, all of a group or none."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from tenon.connect.connectors.sql import SqlConnector
from tenon.connect.contract import ConnectorSettings, WriteRow, Written
from tenon.connect.egress import guard
from tenon.kernel.errors import Retry, Stop
from tenon.testkit.proxy import CuttingProxy, cutting_proxy

TABLE = sa.Table(
    "Job Queue",
    sa.MetaData(),
    sa.Column("job_no", sa.CHAR(12), primary_key=True),
    sa.Column("name", sa.String(60)),
    sa.Column("qty", sa.Numeric(18, 4)),
    sa.Column("outside", sa.Integer),
    sa.Column("state", sa.String(10)),
    sa.Column("update_time", sa.DateTime),
)
LINK = sa.Table(
    "link",
    TABLE.metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("job_no", sa.String(12)),
)


@dataclass
class Legacy:
    """A source that may be written, as its owner sees it and as we see it."""

    url: str
    encoding: str

    def connector(self, url: str | None = None) -> SqlConnector:
        parsed = sa.make_url(url or self.url)
        listed = [(parsed.host, parsed.port)] if parsed.host and parsed.port else []
        values = {"url": url or self.url, "encoding": self.encoding}
        return SqlConnector(ConnectorSettings("legacy", values, guard("legacy", listed)))

    def engine(self) -> sa.Engine:
        engine = sa.create_engine(self.url, poolclass=NullPool)
        if self.encoding != "utf-8":
            sa.event.listen(engine, "connect", self._decode)
        return engine

    def _decode(self, dbapi: Any, _record: Any) -> None:
        dbapi.text_factory = lambda raw: raw.decode(self.encoding)

    def rows(self, table: sa.Table = TABLE) -> list[Any]:
        with self.engine().connect() as connection:
            return list(connection.execute(sa.select(table).order_by(*table.primary_key)))

    def set(self, job_no: str, **values: Any) -> None:
        with self.engine().begin() as tx:
            tx.execute(TABLE.update().where(TABLE.c.job_no == job_no).values(values))


@pytest.fixture(params=["sqlite", "gb18030", "mariadb", "postgresql"])
def legacy(request: pytest.FixtureRequest, tmp_path: Path) -> Legacy:
    if request.param in {"sqlite", "gb18030"}:
        encoding = "utf-8" if request.param == "sqlite" else "gb18030"
        found = Legacy(f"sqlite:///{tmp_path / 'legacy.db'}", encoding)
    else:
        fixture = "mariadb_url" if request.param == "mariadb" else "pg_url"
        found = Legacy(request.getfixturevalue(fixture), "utf-8")
    TABLE.metadata.create_all(found.engine())
    return found


def job(number: int, **values: Any) -> WriteRow:
    every = {
        "job_no": f"J{number}", "name": f"冲压 {number}", "qty": Decimal("12.5000"),
        "outside": False, "state": "WAIT", "update_time": datetime(2026, 5, 1, 8, 30),  # noqa: DTZ001
    } | values  # fmt: skip
    return WriteRow(
        "job queue", ("job_no",), every, compare=("job_no", "name", "outside"),
        only_if={"state": ("WAIT",)},
    )  # fmt: skip


def link(number: int) -> WriteRow:
    return WriteRow("link", ("job_no",), {"job_no": f"J{number}"}, number="id")


def states(answers: list[list[Written]]) -> list[list[str]]:
    return [[one.state for one in group] for group in answers]


def test_rows_are_there_once_however_often_they_are_written(legacy: Legacy) -> None:
    connector = legacy.connector()
    groups = [[job(1), link(1)], [job(2), link(2)]]
    assert states(connector.write(groups)) == [["sent", "sent"]] * 2
    assert states(connector.write(groups)) == [["same", "same"]] * 2
    connector.close()
    assert states(legacy.connector().write([[job(3), link(3)], *groups])) == [
        ["sent", "sent"], ["same", "same"], ["same", "same"],
    ]  # fmt: skip
    first = legacy.rows()[0]
    assert (first.job_no.strip(), first.name, first.qty) == ("J1", "冲压 1", Decimal("12.5"))
    assert first.update_time == datetime(2026, 5, 1, 8, 30)  # noqa: DTZ001
    assert [(r.id, r.job_no) for r in legacy.rows(LINK)] == [(1, "J1"), (2, "J2"), (3, "J3")]


def test_what_the_system_did_since_is_left_alone(legacy: Legacy) -> None:
    """A row sent before, which its owner has gone on with, is the same: nothing is undone."""
    legacy.connector().write([[job(1)]])
    legacy.set("J1", state="RUN", qty=Decimal(7), update_time=datetime(2026, 5, 2))  # noqa: DTZ001
    assert states(legacy.connector().write([[job(1)]])) == [["same"]]
    (row,) = legacy.rows()
    assert (row.state, row.qty) == ("RUN", Decimal(7))


def test_a_change_goes_in_only_while_the_row_still_waits(legacy: Legacy) -> None:
    connector = legacy.connector()
    connector.write([[job(1)]])
    more = replace(job(1, qty=Decimal(20)), change=("qty", "update_time"))
    assert states(connector.write([[more]])) == [["changed"]]
    assert states(connector.write([[more]])) == [["same"]]
    assert legacy.rows()[0].qty == Decimal(20)
    legacy.set("J1", state="RUN")
    other = replace(job(1, qty=Decimal(30)), change=("qty",))
    (((said,),)) = connector.write([[other]])
    assert (said.state, said.column, said.ours, said.theirs) == ("conflict", "state", "WAIT", "RUN")
    assert legacy.rows()[0].qty == Decimal(20)


def test_a_conflict_keeps_its_group_out_and_no_other(legacy: Legacy) -> None:
    connector = legacy.connector()
    connector.write([[job(1, name="别的")]])
    answers = connector.write([[job(9), job(1), link(1)], [job(2), link(2)]])
    assert states(answers) == [["sent", "conflict", "sent"], ["sent", "sent"]]
    assert (answers[0][1].column, answers[0][1].theirs) == ("name", "别的")
    assert [r.job_no.strip() for r in legacy.rows()] == ["J1", "J2"]
    assert [r.job_no for r in legacy.rows(LINK)] == ["J2"]


def test_a_dry_run_says_what_would_be_and_keeps_nothing(legacy: Legacy) -> None:
    connector = legacy.connector()
    assert states(connector.write([[job(1), link(1)]], dry=True)) == [["sent", "sent"]]
    assert legacy.rows() == []
    assert states(connector.write([[job(1), link(1)]])) == [["sent", "sent"]]


def test_a_table_or_column_that_is_not_there_is_named(legacy: Legacy) -> None:
    connector = legacy.connector()
    with pytest.raises(Stop) as absent:
        connector.write([[replace(job(1), table="nothing")]])
    assert absent.value.code == "stream_absent"
    with pytest.raises(Stop) as column:
        connector.write([[job(1, colour="red")]])
    assert column.value.params["columns"] == "colour"
    assert legacy.rows() == []


@pytest.mark.parametrize("legacy", ["mariadb", "postgresql"], indirect=True)
def test_the_network_cut_anywhere(legacy: Legacy) -> None:
    """F8: at each class of byte offset the outcome is known or the call is made again, once."""
    url = sa.make_url(legacy.url)
    with cutting_proxy(str(url.host), int(url.port or 0)) as proxy:
        through = url.set(host="127.0.0.1", port=proxy.port).render_as_string(hide_password=False)
        lengths = _conversation(legacy, through, proxy)
        number, unsure = 100, 0
        for way, length in lengths.items():
            for after in sorted({0, 1, *range(7, length, max(1, length // 14)), length - 1}):
                number += 1
                proxy.cut(way, after)
                unsure += _try(legacy, through, number)
                proxy.heal()
                assert states(legacy.connector(through).write([[job(number), link(number)]]))[0][
                    0
                ] in {"sent", "same"}
                assert [r.job_no.strip() for r in legacy.rows()].count(f"J{number}") == 1
                assert [r.job_no for r in legacy.rows(LINK)].count(f"J{number}") == 1
    assert unsure > 10


def _conversation(legacy: Legacy, url: str, proxy: CuttingProxy) -> dict[str, int]:
    """How many bytes a write needs each way."""
    connector = legacy.connector(url)
    connector.write([[job(100), link(100)]])
    passed = dict(proxy.passed)
    connector.close()
    return passed


def _try(legacy: Legacy, url: str, number: int) -> int:
    """Write over a line that is cut; never told as done unless it is there."""
    connector = legacy.connector(url)
    try:
        connector.write([[job(number), link(number)]])
    except Retry:
        return 1
    finally:
        connector.close()
    assert [r.job_no.strip() for r in legacy.rows()].count(f"J{number}") == 1
    return 0
