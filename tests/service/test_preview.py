"""A draft's first rows: what they would become, why some would not, and nothing written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tenon.connect.preview import preview
from tenon.define.models import Sync
from tenon.kernel.errors import Conflict
from tests.service.sync_world import World, world_at

ORDER: dict[str, Any] = {
    "kind": "sync", "code": "draft", "label": {"zh": "工单", "en": "Orders"}, "source": "mes",
    "target": "work_order", "stream": {"name": "orders", "table": "wo", "key": ["no"]},
    "fields": {
        "number": {"from": "no", "clean": "document_no"}, "item": {"from": "product",
        "master": "item"}, "qty": "qty", "due_at": "due",
    },
}  # fmt: skip
ITEM: dict[str, Any] = {
    "kind": "sync", "code": "draft", "label": {"zh": "物料", "en": "Items"}, "source": "mes",
    "target": "item", "stream": {"name": "products", "table": "product", "key": ["code"]},
    "identity": {"code": "code", "name": "name", "founds": True, "keys": {"drawing_no": "drawing"}},
    "fields": {"code": "code", "name": "name", "drawing_no": "drawing"},
}  # fmt: skip


def everything(world: World) -> dict[str, list[Any]]:
    """Every row of every table of the hub."""
    found: dict[str, list[Any]] = {}
    with world.hub.read() as connection:
        for name in sorted(sa.inspect(connection).get_table_names()):
            rows = connection.execute(sa.text(f'SELECT * FROM "{name}"'))
            found[name] = sorted(map(repr, rows))
    return found


def filled(world: World) -> None:
    world.items((1, "M1", "支架", "D-1", "2026-01-01"))
    world.sync("kis_item")
    world.sql("mes", "INSERT INTO product VALUES ('P1','支架','d 1','2026-01-01'),"
              "('P2','垫片','D-2','2026-01-01')")  # fmt: skip
    world.sync("mes_item")
    world.orders(
        ("W1", "P1", "5", "2026-02-01", None, "2026-01-01"),
        ("W2", "P9", "5", None, None, "2026-01-01"),
        ("W3", "P1", "-5", None, None, "2026-01-01"),
        ("W4", "P1", "five", None, None, "2026-01-01"),
        ("W5", "P1", "6", "31.12.2026", None, "2026-01-01"),
    )


def test_rows_show_what_they_would_become_and_why_not(tmp_path: Path, hub_url: str) -> None:
    with world_at(tmp_path, hub_url) as world:
        filled(world)
        before = everything(world)
        answer = preview(world.deps, Sync.model_validate(ORDER), 20).as_answer()
        items = preview(world.deps, Sync.model_validate(ITEM), 20).as_answer()
        assert everything(world) == before
        assert before["crosswalk"], "nothing to compare"
    rows = {row["key"]: row for row in answer["rows"]}
    assert (answer["read"], answer["good"], answer["set_aside"]) == (5, 1, 4)
    assert sum(r["count"] for r in answer["reasons"]) == 4
    assert {r["code"] for r in answer["reasons"]} == {
        "unknown_code", "below_minimum", "not_a_number", "bad_time",
    }  # fmt: skip
    shown = {one["field"]: one["shown"].zh for one in rows["W1"]["result"] if one["shown"]}
    assert shown == {"number": "W1", "item": "支架", "qty": "5", "due_at": "2026-02-01 00:00"}
    assert rows["W1"]["problem"] is None
    assert "P9" in rows["W2"]["problem"].zh
    assert "P9" in rows["W2"]["waits"].zh
    assert dict(rows["W4"]["source"])["qty"] == "five"
    assert [i["outcome"].zh for i in items["rows"]] == ["已有：支架", "新建：垫片"]


def test_a_number_that_belongs_to_another_row_is_told_before_the_database_says_so(
    tmp_path: Path,
) -> None:
    with world_at(tmp_path, f"sqlite:///{tmp_path / 'hub.db'}") as world:
        filled(world)
        world.sync("mes_order")
        answer = preview(world.deps, Sync.model_validate(ORDER), 20).as_answer()
    rows = {row["key"]: row for row in answer["rows"]}
    assert "W1" in rows["W1"]["problem"].zh
    assert "mes" in rows["W1"]["problem"].zh


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"fields": {"number": "no"}}, "qty", "必填"),
        ({"stream": {"name": "orders", "table": "wo", "key": []}}, "key", "主键"),
        ({"fields": {**ORDER["fields"], "qty": "quantity"}}, None, "quantity"),
        ({"stream": {"name": "wo", "table": "wo", "key": ["no"]}}, None, "wo"),
        ({"fields": {}, "target": "report"}, None, "至少"),
    ],
)
def test_what_cannot_be_published_is_said_beside_the_field(
    tmp_path: Path, change: dict[str, Any], field: str | None, words: str
) -> None:
    with world_at(tmp_path, f"sqlite:///{tmp_path / 'hub.db'}") as world:
        filled(world)
        answer = preview(world.deps, Sync.model_validate(ORDER | change), 20).as_answer()
    assert answer["rows"] == []
    assert any(p.field == field and words in p.message.zh for p in answer["problems"])


def test_a_table_that_is_not_there_is_a_plain_conflict(tmp_path: Path) -> None:
    with world_at(tmp_path, f"sqlite:///{tmp_path / 'hub.db'}") as world:
        stream = {"name": "gone", "table": "gone", "key": ["no"]}
        with pytest.raises(Conflict, match="stream_absent"):
            preview(world.deps, Sync.model_validate(ORDER | {"stream": stream}), 20)
