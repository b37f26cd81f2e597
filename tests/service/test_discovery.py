"""What a database says of its tables: comments, keys, and its own estimate of their rows."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from tenon.connect.connectors.sql import SqlConnector
from tenon.connect.contract import ConnectorSettings, Found
from tenon.connect.egress import guard

ROWS = 250


def discovered(url: str) -> dict[str, Found]:
    place = sa.make_url(url)
    listed = [(place.host or "localhost", place.port or 0)] if place.host else []
    plain = place.set(drivername=place.get_backend_name()).render_as_string(hide_password=False)
    connector = SqlConnector(ConnectorSettings("erp", {"url": plain}, guard("erp", listed)))
    try:
        return {one.name: one for one in connector.discover()}
    finally:
        connector.close()


def fill(url: str, *more: str) -> None:
    """Make a table of 250 rows, one without any, and a view."""
    engine = sa.create_engine(url)
    data = sa.MetaData()
    table = sa.Table(
        "khda", data, sa.Column("khbm", sa.String(20), primary_key=True, comment="客户编码"),
        sa.Column("khmc", sa.String(60), comment="客户名称"), comment="客户档案",
    )  # fmt: skip
    sa.Table("empty one", data, sa.Column("id", sa.Integer, primary_key=True))
    with engine.begin() as db:
        data.create_all(db)
        db.execute(table.insert(), [{"khbm": f"K{n}", "khmc": "x"} for n in range(ROWS)])
        db.exec_driver_sql("CREATE VIEW v_kh AS SELECT khbm FROM khda")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
        for statement in more:
            db.exec_driver_sql(statement)
    engine.dispose()


def test_sqlite_says_how_many_rows_there_may_be(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'erp.db'}"
    fill(url)
    found = discovered(url)
    assert (found["khda"].rows, found["empty one"].rows, found["v_kh"].rows) == (ROWS, 0, None)
    assert found["khda"].key == ("khbm",)
    assert found["khda"].comment is None  # it keeps none


@pytest.mark.mariadb
def test_mariadb_says_what_is_written_beside_tables_and_columns(mariadb_url: str) -> None:
    fill(mariadb_url, "ANALYZE TABLE khda")
    _commented(discovered(mariadb_url))


@pytest.mark.postgres
def test_postgresql_says_what_is_written_beside_tables_and_columns(pg_url: str) -> None:
    fill(pg_url, "ANALYZE khda")
    _commented(discovered(pg_url))


def _commented(found: dict[str, Found]) -> None:
    table = found["khda"]
    assert table.comment == "客户档案"
    assert {c.name: c.comment for c in table.columns} == {"khbm": "客户编码", "khmc": "客户名称"}
    assert table.key == ("khbm",)
    assert table.rows == pytest.approx(ROWS, rel=0.2)
    assert "v_kh" in found
