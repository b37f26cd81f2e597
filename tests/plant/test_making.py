"""Making a plant: the same seed gives the same plant, the profile and refusals."""

from __future__ import annotations

import hashlib
import json
import stat
from pathlib import Path

import pytest

from plant.making import make
from plant.paths import path_of
from plant.settings import PlantConfig
from tests.plant.conftest import one, reading


def fingerprint(home: Path) -> dict[str, str]:
    """Return a digest of all rows of each system."""
    digests = {}
    for system in ("mes", "wms", "kis", "crm", "truth"):
        with reading(path_of(home, system)) as db:
            db.text_factory = bytes
            digest = hashlib.sha256()
            names = db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
            for (name,) in names.fetchall():
                rows = db.execute(f'SELECT * FROM "{name.decode()}"').fetchall()
                for row in sorted(map(repr, map(tuple, rows))):
                    digest.update(row.encode())
            digests[system] = digest.hexdigest()
    return digests


def test_the_same_seed_makes_the_same_plant(tmp_path: Path) -> None:
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        make(PlantConfig(home=tmp_path / name, days=4, seed=seed))
    first, second, other = (fingerprint(tmp_path / name) for name in "abc")
    assert first == second
    assert all(first[system] != other[system] for system in first)


def test_the_history_ends_on_a_working_day_at_half_past_ten(week: Path) -> None:
    described = json.loads((week / "plant.json").read_text("utf-8"))
    assert described["made_until"] == "2026-08-11 10:30:00"
    assert PlantConfig(home=week, days=6).made_until.strftime("%A %H:%M") == "Monday 10:30"
    assert described["systems"]["mes"]["encoding"] == "gb18030"
    assert described["counts"]["work_orders"] > 200
    clock = json.loads((week / "clock.json").read_text("utf-8"))
    assert clock == {"sim": "2026-08-11T10:30:00+08:00", "wall": None, "pace": 0}
    with reading(week / "mes.db") as db:
        assert one(db, "SELECT max(update_time) FROM dv_state_log") <= "2026-08-11 10:30:00"
    assert stat.S_IMODE((week / "crm" / "token").stat().st_mode) == 0o600


def test_a_ledger_only_finance_has_no_stock_tables(tmp_path: Path) -> None:
    make(PlantConfig(home=tmp_path / "ledger", days=2, profile="ledger"))
    with reading(tmp_path / "ledger" / "kis.db") as db:
        names = {row[0] for row in db.execute("SELECT name FROM sqlite_master")}
        raw = one(db, "SELECT count(*) FROM t_Item WHERE FNumber LIKE '1.01.%'")
    assert {"t_Voucher", "t_Organization", "t_Balance"} <= names
    assert not {"ICStockBill", "ICMO", "SEOrder", "t_ICItem"} & names
    assert raw == 0


def test_a_folder_that_holds_a_plant_is_refused(week: Path) -> None:
    with pytest.raises(FileExistsError, match="already holds a plant"):
        make(PlantConfig(home=week, days=1))


def test_an_unknown_profile_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'full' and 'ledger'"):
        PlantConfig(home=tmp_path, profile="half")
