"""Routings and bills of materials come out of the plant's own tables whole."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import sqlalchemy as sa

from tenon.assembly import Tenon, open_tenon
from tenon.assembly.home import HomeSettings, write_settings
from tenon.cli.joining import join, read_plant
from tenon.connect.runner import Runner
from tenon.connect.tables import source_row
from tenon.factory.components import load_boms
from tenon.factory.routing import load_routings, newest
from tenon.records.ports import SYSTEM
from tests.plant.conftest import one, reading

SYNCS = ("mes_work_centre", "mes_item", "kis_material", "kis_product", "mes_routing", "kis_bom")


def test_routings_and_bills_of_materials(week: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    write_settings(home, HomeSettings())
    join(home, read_plant(week / "plant.json"))
    with reading(week / "mes.db") as mes, reading(week / "kis.db") as kis:
        steps = one(mes, "SELECT count(*) FROM pro_route")
        products = one(mes, "SELECT count(DISTINCT product_code) FROM pro_route")
        parts = one(kis, "SELECT count(*) FROM ICBOMChild")
        code = one(mes, "SELECT min(product_code) FROM pro_route")
        expected = mes.execute(
            "SELECT seq, setup_min, run_min_per_piece FROM pro_route WHERE product_code = ? "
            "ORDER BY seq",
            (code,),
        ).fetchall()
    with open_tenon(home) as tenon:
        for sync in SYNCS:
            outcome = Runner(tenon.connect).sync(sync)
            assert outcome.error is None, (sync, outcome.error)
        assert Runner(tenon.connect).sync("mes_routing").counts.unchanged == steps
        assert states(tenon, "pro_route") == {"applied": steps}
        assert states(tenon, "ICBOMChild") == {"applied": parts}
        with tenon.hub.read() as connection:
            reader = tenon.reader(SYSTEM)
            item = reader.table("item")
            ids = dict(connection.execute(sa.select(item.c.code, item.c.id)).all())
            routings = newest(load_routings(connection, reader, list(ids.values())))
            boms = load_boms(connection, reader, list(routings))
        assert len(routings) == products
        found = [
            (op["seq"], op["setup_min"], op["run_min_per_piece"])
            for op in routings[ids[code]].operations
        ]
        assert found == [(s, Decimal(str(a)), Decimal(str(b))) for s, a, b in expected]
        # The drawing number joins the two systems; one product's is mistyped, and has none.
        assert len(boms) >= products - 1
        assert {len(bom.lines) for bom in boms.values()} == {2}
        assert {bom.version for bom in boms.values()} == {1}


def states(tenon: Tenon, stream: str) -> dict[str, int]:
    query = (
        sa.select(source_row.c.state, sa.func.count())
        .where(source_row.c.stream == stream)
        .group_by(source_row.c.state)
    )
    with tenon.hub.read() as connection:
        return dict(connection.execute(query).all())
