"""Work orders that Tenon enters into the MES: taken over or refused, and noted for the replay.

A plant is made again from its seed when it is started; what came from outside must come again at
the same second, so it stands in a journal before it is stored.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, LargeBinary, Text, cast, create_engine, event, literal
from sqlalchemy import select as sql_select
from sqlalchemy.pool import NullPool

from plant.legacy import mes
from plant.model.plant import Plant
from plant.model.things import Entered
from plant.paths import path_of
from plant.record.mes import TENON
from plant.settings import PlantConfig
from plant.systems import url_of


class Journal:
    """What came from outside, with the second of plant time at which it was taken over."""

    def __init__(self, home: Path) -> None:
        self._path = home / "adopted.jsonl"

    def until(self, instant: int) -> list[tuple[int, Entered | None]]:
        """The entries up to an instant; None stands for the joining. Later ones are dropped."""
        kept = [e for e in self._entries() if e["at"] <= instant]
        fresh = self._path.with_suffix(".new")
        fresh.write_text("".join(json.dumps(e) + "\n" for e in kept), encoding="utf-8")
        fresh.replace(self._path)
        return [(e["at"], _entered(e["entered"]) if e["entered"] else None) for e in kept]

    def add(self, at: int, entered: Entered | None) -> None:
        """Note that this was taken over at an instant, before it is stored."""
        said = None if entered is None else _said(entered)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"at": at, "entered": said}) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def _entries(self) -> Iterator[dict[str, Any]]:
        if self._path.exists():
            for line in self._path.read_text("utf-8").splitlines():
                yield json.loads(line)


class Adopter:
    """Looks for work orders that wait for the MES's answer."""

    def __init__(self, config: PlantConfig) -> None:
        url = url_of(config, "mes")
        self._gbk = url is None
        self._engine = _engine(url, path_of(config.home, "mes"))

    def waiting(self) -> list[Entered]:
        """The work orders without an answer, oldest first."""
        order = mes.WORKORDER.c
        query = (
            sql_select(order.workorder_code, order.product_code, order.quantity)
            .where(order.order_source == TENON, order.remark.is_(None))
            .order_by(order.workorder_code)
        )
        with self._engine.connect() as connection:
            return [self._whole(connection, *row) for row in connection.execute(query)]

    def refuse(self, entered: Entered, why: str, now: str) -> None:
        """Answer that a work order is not taken over."""
        order, job = mes.WORKORDER, mes.JOB
        remark: Any = f"拒绝：{why}"
        if self._gbk:
            remark = cast(literal(remark.encode("gb18030"), LargeBinary), Text)
        values = {"remark": remark, "status": "CANCELLED", "update_time": literal(now, Text)}
        ended = {"state": "CANCEL", "update_time": literal(now, Text)}
        if not self._gbk:
            values["update_time"] = ended["update_time"] = now
        with self._engine.begin() as tx:
            mine = order.c.workorder_code == entered.code
            tx.execute(order.update().where(mine).values(values))
            tx.execute(job.update().where(job.c.workorder_code == entered.code).values(ended))

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def _whole(self, connection: Connection, code: str, product: str, qty: Any) -> Entered:
        source, job = mes.WORKORDER_SOURCE.c, mes.JOB.c
        lines = connection.execute(
            sql_select(source.id, source.order_no, source.order_line, source.quantity)
            .where(source.workorder_code == code)
            .order_by(source.id)
        ).all()
        jobs = connection.execute(
            sql_select(job.op_seq, job.job_no).where(job.workorder_code == code)
        )
        return Entered(
            code,
            product,
            round(float(qty)),
            tuple((str(no).strip(), int(line), round(float(part))) for _, no, line, part in lines),
            tuple(int(number) for number, *_ in lines),
            {int(seq): str(no) for seq, no in jobs},
        )


def _engine(url: str | None, path: Path) -> Engine:
    if url is not None:
        return create_engine(url, poolclass=NullPool)
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool, connect_args={"timeout": 30})

    @event.listens_for(engine, "connect")
    def _decode(dbapi: Any, _record: Any) -> None:
        dbapi.text_factory = lambda raw: raw.decode("gb18030")

    return engine


def _said(entered: Entered) -> dict[str, Any]:
    return {
        "code": entered.code,
        "product": entered.product,
        "qty": entered.qty,
        "lines": [list(line) for line in entered.lines],
        "numbers": list(entered.numbers),
        "jobs": [[seq, no] for seq, no in entered.jobs.items()],
    }


def _entered(said: dict[str, Any]) -> Entered:
    return Entered(
        said["code"],
        said["product"],
        said["qty"],
        tuple((no, line, qty) for no, line, qty in said["lines"]),
        tuple(said["numbers"]),
        dict(said["jobs"]),
    )


def take_over(plant: Plant, adopter: Adopter, journal: Journal, at: int) -> None:
    """Answer every work order that waits: noted first, then taken over; or refused."""
    for entered in adopter.waiting():
        why = plant.refusal(entered)
        if why is not None:
            adopter.refuse(entered, why, plant.world.text(at) or "")
            continue
        journal.add(at, entered)
        plant.adopt(entered)
