"""The other side: `dbos_side HUB FOLDER FLOW JSON`; DBOS Transact with what suits it best.

`local`: four transactional steps, each a checkpoint; `segment`: the four effects in one
transactional step, as DESIGN would have it; `outward`: one plain step. Runs are enqueued in the
business's transaction. SQLite is in WAL mode. No rows of our own for runs and steps are kept
here, which people need to see what a flow does: with DBOS they would come on top.
"""

from __future__ import annotations

import importlib
import json
import sqlite3
import sys
from typing import Any

import sqlalchemy as sa

from benchmarks.engines.task import CAUSE, EFFECT, STEPS, Noted, check, measure

# As many as ours claims together. Without a bound it stalls on SQLite: a step that holds the write
# lock waits for a pooled connection, and those who hold the pool's connections wait for the lock.
AT_ONCE = 16

dbos: Any = importlib.import_module("dbos")


class Side:
    """DBOS with its workflows, queue and data source."""

    def __init__(self, url: str, poll: float) -> None:
        self.noted = Noted()
        config = {
            "name": "bench", "system_database_url": url, "application_version": "1",
            "log_level": "ERROR",
        }  # fmt: skip
        dbos.DBOS(config=config)
        self.source = dbos.SQLAlchemyDatasource.create(url)
        self.engine: sa.Engine = self.source.engine
        with self.engine.begin() as tx:
            CAUSE.create(tx)
            EFFECT.create(tx)

        def call(run: str) -> str:  # DBOS marks functions, and cannot mark a method
            self.noted.begin(run)
            self.noted.calls.append(run)
            return run

        step = dbos.DBOS.step(name="call")(call)
        tx_step = self.source.run_tx_step
        options = {"isolation_level": "READ COMMITTED" if "postgres" in url else "SERIALIZABLE"}

        def local(run: str) -> None:
            for number in range(STEPS):
                tx_step({"name": f"s{number}", **options}, self._effect, run, number)

        def segment(run: str) -> None:
            tx_step({"name": "all", **options}, self._effects, run)

        def outward(run: str) -> str:
            answer: str = step(run)
            return answer

        for flow in (local, segment, outward):
            dbos.DBOS.workflow(name=flow.__name__)(flow)
        dbos.DBOS.launch()
        dbos.DBOS.register_queue("bench", polling_interval_sec=poll, worker_concurrency=AT_ONCE)
        self.client = dbos.DBOSClient(system_database_engine=self.engine)

    def ask(self, flow: str, run: str) -> None:
        """A business row and the workflow, in one transaction."""
        options = {
            "queue_name": "bench", "workflow_name": flow, "workflow_id": run, "app_version": "1",
        }  # fmt: skip
        with self.engine.begin() as tx:
            tx.execute(CAUSE.insert().values(id=run))
            self.client.enqueue_in_transaction(tx, options, run)

    def done(self) -> int:
        """How many workflows ended well."""
        table = "workflow_status" if self.engine.name == "sqlite" else "dbos.workflow_status"
        query = sa.text(f"SELECT count(*) FROM {table} WHERE status = 'SUCCESS'")
        with self.engine.connect() as connection:
            return connection.scalar(query) or 0

    def _effect(self, run: str, number: int) -> None:
        if number == 0:
            self.noted.begin(run)
        row = {"id": f"{run}:{number}", "run": run, "step": number}
        self.source.sql_session().connection().execute(EFFECT.insert().values(row))

    def _effects(self, run: str) -> None:
        for number in range(STEPS):
            self._effect(run, number)


def main(hub: str, _folder: str, flow: str, asked: str) -> None:
    """Measure, print what was found."""
    wanted = json.loads(asked)
    if hub.startswith("sqlite"):
        with sqlite3.connect(hub.removeprefix("sqlite:///")) as database:
            database.execute("PRAGMA journal_mode=WAL")
        url = hub
    else:
        url = hub.replace("postgresql://", "postgresql+psycopg://")
    side = Side(url, wanted["poll"])
    found = measure(lambda run: side.ask(flow, run), side.done, side.noted, wanted)
    check(side.engine, flow, side.noted, side.done())
    print(json.dumps(found), flush=True)
    dbos.DBOS.destroy()


if __name__ == "__main__":
    main(*sys.argv[1:])
