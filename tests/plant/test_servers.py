"""The WMS in MariaDB and the MES in PostgreSQL hold what the files would hold."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from plant.making import make
from plant.settings import PlantConfig
from plant.systems import read_config
from tests.plant.conftest import one, reading


def test_wms_in_mariadb_and_mes_in_postgresql(
    tmp_path: Path, mariadb_url: str, pg_url: str
) -> None:
    make(PlantConfig(home=tmp_path / "files", days=2))
    served = PlantConfig(home=tmp_path / "served", days=2, wms_url=mariadb_url, mes_url=pg_url)
    make(served)
    for url, system, tables in (
        (mariadb_url, "wms", ("wm_move", "wm_item", "wm_balance", "wm_lot")),
        (pg_url, "mes", ("mes_job", "pro_feedback", "dv_state_log", "dv_param_sample")),
    ):
        engine = create_engine(url)
        with engine.connect() as server, reading(tmp_path / "files" / f"{system}.db") as file:
            for table in tables:
                count = f"SELECT count(*) FROM {table}"
                assert server.execute(text(count)).scalar_one() == one(file, count) > 0
        engine.dispose()
    engine = create_engine(mariadb_url)
    with engine.connect() as server:
        qty, when = server.execute(
            text("SELECT qty, moved_at FROM wm_move WHERE move_no = 'MV00000001'")
        ).one()
    engine.dispose()
    assert isinstance(qty, Decimal)
    assert when.isoformat(" ") == "2026-08-03 00:00:00"
    assert read_config(served.home) == served
    with pytest.raises(ValueError, match="already holds"):
        make(PlantConfig(home=tmp_path / "again", days=2, wms_url=mariadb_url))


def test_an_unknown_kind_of_server_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot live in"):
        make(PlantConfig(home=tmp_path / "p", days=1, wms_url="sqlite:///x.db"))
