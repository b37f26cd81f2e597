"""Any figure can be asked why: where a record comes from, and what a source row became."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from sqlalchemy.engine import Connection

from tenon.automate.about import runs_about
from tenon.connect.lineage import Lineage
from tenon.server.guard import Caller, requires, router
from tenon.server.lineage_models import RecordLineage, RowLineage

routes = router("lineage")

Reader = Annotated[Caller, requires("source_rows.read")]


@routes.get("/lineage/records/{entity}/{record_id}")
def record_lineage(caller: Reader, entity: str, record_id: UUID) -> RecordLineage:
    """Show where a record and each of its fields come from, and what became of it."""
    with caller.tenon.hub.read() as connection:
        found = _asked(caller, connection).record(entity, str(record_id))
        runs = _flow_runs(caller, connection, entity, str(record_id))
    return RecordLineage.model_validate(found | {"flow_runs": runs})


@routes.get("/lineage/source-rows/{source}/{stream}/{key:path}")
def row_lineage(caller: Reader, source: str, stream: str, key: str) -> RowLineage:
    """Show what a source row became: its record, events, flows, write-backs."""
    with caller.tenon.hub.read() as connection:
        found = _asked(caller, connection).row(source, stream, key)
        record = found["record"]
        runs = _flow_runs(caller, connection, record["entity"], record["id"]) if record else []
    return RowLineage.model_validate(found | {"flow_runs": runs})


def _asked(caller: Caller, connection: Connection) -> Lineage:
    return Lineage(connection, caller.tenon.reader(caller.actor))


def _flow_runs(
    caller: Caller, connection: Connection, entity: str, record_id: str
) -> list[dict[str, Any]]:
    """The record's flow runs; none for those who may not see flows."""
    if not caller.tenon.policy.can(caller.actor, "flows.read"):
        return []
    return runs_about(connection, caller.tenon.catalogue, entity, record_id)
