"""The legacy systems: their state, their runs, the rows set aside, the rows as read."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Query

from tenon.connect import lineage, service
from tenon.connect import runs as run_service
from tenon.connect.disclosure import disclosure
from tenon.connect.retry import retry
from tenon.server.disclosure_models import SourceAccess
from tenon.server.guard import Caller, requires, router
from tenon.server.models import RetryAnswer, SetAsideList, SourceRow
from tenon.server.paging import Page, PageSize
from tenon.server.source_models import (
    CheckAnswer,
    RunList,
    RunPage,
    RunRow,
    RunState,
    SourceState,
)

routes = router("sources")

Reader = Annotated[Caller, requires("sources.read")]
Manager = Annotated[Caller, requires("sources.manage")]
Code = Annotated[str | None, Query(max_length=48)]


@routes.get("/sources")
def list_sources(caller: Reader) -> list[SourceState]:
    """List the sources and the state of their connections."""
    with caller.tenon.hub.read() as connection:
        states = caller.tenon.source_states(connection)
    return [SourceState.model_validate(state) for state in states]


@routes.post("/sources/{code}/check")
def check_source(caller: Manager, code: str) -> CheckAnswer:
    """Test a connection."""
    caller.tenon.refuse_when_held()
    return CheckAnswer.model_validate(service.check_source(caller.tenon.connect, code))


@routes.post("/sources/{code}/sync", status_code=202)
def sync_source(caller: Manager, code: str) -> list[RunRow]:
    """Start a round of a source's syncs now; the newest run of each is the answer."""
    tenon = caller.tenon
    tenon.refuse_when_held()
    tenon.syncing.now(code)
    with tenon.hub.read() as connection:
        rows = run_service.latest(connection, tenon.catalogue, code)
    return [RunRow.model_validate(row) for row in rows]


@routes.get("/sources/{code}/access")
def source_access(caller: Reader, code: str) -> SourceAccess:
    """Show what is read of a source and how, for those who look after it."""
    tenon = caller.tenon
    tenon.refuse_when_held()
    with tenon.hub.read() as connection:
        found = disclosure(tenon.connect, connection, code)
    return SourceAccess.model_validate(found)


@routes.get("/runs")
def list_runs(
    caller: Reader,
    source: Code = None,
    state: RunState | None = None,
    *,
    changed: bool = False,
    page: Page = 1,
    page_size: PageSize = 50,
) -> RunList:
    """List sync runs, newest first."""
    with caller.tenon.hub.read() as connection:
        found = run_service.runs(
            connection, caller.tenon.catalogue, source=source, state=state, changed=changed,
            page=page, page_size=page_size,
        )  # fmt: skip
    return RunList.model_validate(found)


@routes.get("/runs/{run_id}")
def run_page(caller: Reader, run_id: UUID) -> RunPage:
    """Show a run with its batches."""
    with caller.tenon.hub.read() as connection:
        found = run_service.run_page(connection, caller.tenon.catalogue, str(run_id))
    return RunPage.model_validate(found)


@routes.get("/set-aside")
def set_aside(
    caller: Reader,
    source: Code = None,
    reason: Code = None,
    page: Page = 1,
    page_size: PageSize = 50,
) -> SetAsideList:
    """List the rows set aside, with counts by reason."""
    with caller.tenon.hub.read() as connection:
        found = service.set_aside(
            connection, caller.tenon.catalogue, source=source, reason=reason,
            page=page, page_size=page_size,
        )  # fmt: skip
    return SetAsideList.model_validate(found)


@routes.post("/set-aside/retry")
def retry_set_aside(caller: Manager, source: Code = None, reason: Code = None) -> RetryAnswer:
    """Try the rows set aside again: of one source or of all, for one reason or for any."""
    tenon = caller.tenon
    if source is not None:
        tenon.catalogue.source(source)
    return RetryAnswer.model_validate(retry(tenon.connect, source, reason=reason, everything=True))


@routes.get("/source-rows/{source}/{stream}/{key:path}")
def source_row(
    caller: Annotated[Caller, requires("source_rows.read")], source: str, stream: str, key: str
) -> SourceRow:
    """Show a source row exactly as it was read."""
    with caller.tenon.hub.read() as connection:
        reader = caller.tenon.reader(caller.actor)
        found = lineage.row_page(connection, reader, source, stream, key)
    return SourceRow.model_validate(found)
