"""What is read of a source, as it is shown to those who look after it; retrying by reason."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tenon.connect.connectors.sql import SqlConnector
from tenon.connect.contract import ConnectorSettings
from tenon.connect.disclosure import disclosure
from tenon.connect.egress import guard
from tenon.connect.retry import retry
from tenon.define.models import CursorDef, StreamDef
from tests.service.sync_world import World, world_at

AT = "2026-11-20 08:00:00"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with world_at(tmp_path, f"sqlite:///{tmp_path / 'hub.db'}") as found:
        yield found


def shown(world: World, source: str) -> dict[str, Any]:
    with world.hub.read() as reading:
        return disclosure(world.deps, reading, source)


def test_the_statement_shown_is_one_that_the_source_can_be_asked(world: World) -> None:
    world.orders(("W1", "P1", 5, None, "O'Neil", AT), ("W2", "P1", 5, None, None, AT))
    tables = {table["sync"]: table for table in shown(world, "mes")["tables"]}
    statement = tables["mes_order"]["statement"]
    assert ":since" in statement
    with closing(sqlite3.connect(world.home / "mes.db")) as db:
        found = db.execute(statement, {"since": AT}).fetchall()
        assert len(found) == 2
        assert db.execute(statement, {"since": "2027-01-01 00:00:00"}).fetchall() == []
    assert ":since" not in tables["mes_report"]["statement"]


def test_what_the_last_reading_cost_stands_beside_it(world: World) -> None:
    (before,) = (t for t in shown(world, "mes")["tables"] if t["sync"] == "mes_order")
    assert (before["read"], before["seconds"], before["last_at"]) == (0, None, None)
    world.orders(("W1", "P1", 5, None, None, AT), ("W2", "P1", -5, None, None, AT))
    assert world.sync("mes_order").state == "succeeded"
    retry(world.deps, "mes", everything=True)  # it reads nothing of the source
    (after,) = (t for t in shown(world, "mes")["tables"] if t["sync"] == "mes_order")
    assert (after["read"], after["rows"]) == (2, 2)
    assert after["seconds"] >= 0
    assert after["last_at"] is not None


def test_login_and_writes_are_shown_and_no_secret(world: World) -> None:
    path = world.home / "mes.db"
    world.deps.connections.save(
        {
            "mes": {"url": f"sqlite:///{path}", "writes": {"wo": ["insert"], "x": []}},
            "kis": {"url": f"sqlite:///{path}", "user": "reader", "password": "secret:kis"},
        }
    )
    assert shown(world, "mes")["writes"] == [{"table": "wo", "actions": ["insert"]}]
    assert shown(world, "mes")["login"] is None
    world.deps.connections.secrets.set("kis", "top-secret-1")
    found = shown(world, "kis")
    assert (found["login"], found["writes"]) == ("reader", [])
    assert "top-secret" not in str(found)


def test_a_source_that_is_away_is_said_beside_the_table(world: World) -> None:
    (world.home / "mes.db").unlink()
    for table in shown(world, "mes")["tables"]:
        assert table["statement"] is None
        assert table["problem"].zh


def test_rows_are_retried_for_one_reason_alone(world: World) -> None:
    world.orders(
        ("W1", "P1", -5, None, None, AT), ("W2", "P1", "many", None, None, AT),
        ("W3", "P1", 5, None, "n" * 30, AT),
    )  # fmt: skip
    world.sync("mes_order")
    reasons = {key: row.reason_code for key, row in world.rows("wo", "set_aside").items()}
    assert reasons == {"W1": "below_minimum", "W2": "not_a_number", "W3": "too_long"}
    done = retry(world.deps, "mes", reason="too_long", everything=True)
    assert (done.tried, done.still_set_aside) == (1, 1)
    tries = {key: row.tries for key, row in world.rows("wo", "set_aside").items()}
    assert tries == {"W1": 1, "W2": 1, "W3": 2}
    assert retry(world.deps, "mes", reason="no_such", everything=True).tried == 0


@pytest.mark.parametrize("fixture", ["mariadb_url", "pg_url"])
def test_servers_can_be_asked_what_is_shown(fixture: str, request: pytest.FixtureRequest) -> None:
    url = sa.make_url(request.getfixturevalue(fixture))
    engine = sa.create_engine(url)
    settings = ConnectorSettings(
        "mes", {"url": url.render_as_string(hide_password=False)},
        guard("mes", [(str(url.host), int(url.port or 0))]),
    )  # fmt: skip
    connector = SqlConnector(settings)
    stream = StreamDef(
        name="wo", table="odd wo", key=("no",), cursor=CursorDef(column="changed"),
        where={"kind": ("a:b", "it's")},
    )  # fmt: skip
    table = sa.Table(
        "odd wo", sa.MetaData(), sa.Column("no", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(8)), sa.Column("changed", sa.String(20)),
    )  # fmt: skip
    try:
        with engine.begin() as connection:
            table.create(connection)
            values = [
                {"no": n, "kind": "it's" if n else "b", "changed": f"2026-11-2{n} 08:00:00"}
                for n in range(3)
            ]
            connection.execute(table.insert(), values)
        statement = connector.statement(stream)
        with engine.connect() as connection:
            asked = sa.text(statement.replace("a:b", "a\\:b"))
            found = connection.execute(asked, {"since": "2026-11-22 00:00:00"}).all()
        assert [row[0] for row in found] == [2]
        assert "5000" in statement
    finally:
        connector.close()
        engine.dispose()
