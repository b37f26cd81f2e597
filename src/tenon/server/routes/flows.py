"""Flows and their runs."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Query

from tenon.automate import runs, switch
from tenon.server.flow_models import FlowChange, FlowRow, FlowRunList, FlowRunPage, RunState
from tenon.server.guard import Caller, requires, router
from tenon.server.paging import Page, PageSize

routes = router("flows")

Reader = Annotated[Caller, requires("flows.read")]
Manager = Annotated[Caller, requires("flows.manage")]


@routes.get("/flows")
def list_flows(caller: Reader) -> list[FlowRow]:
    """List the flows, whether each is switched on, and how its runs stand."""
    tenon = caller.tenon
    with tenon.hub.read() as connection:
        found = runs.flows(connection, tenon.catalogue, tenon.zone)
    return [FlowRow.model_validate(row) for row in found]


@routes.patch("/flows/{code}")
def change_flow(caller: Manager, code: str, body: FlowChange) -> FlowRow:
    """Switch a flow on or off; runs under way go on to their end."""
    tenon = caller.tenon
    tenon.catalogue.flow(code)
    with tenon.hub.write() as tx:
        switch.set_enabled(tx, code, body.enabled, caller.actor.id)
        found = runs.flows(tx, tenon.catalogue, tenon.zone)
    return next(FlowRow.model_validate(row) for row in found if row["code"] == code)


@routes.get("/flow-runs")
def list_runs(
    caller: Reader,
    flow: Annotated[str | None, Query(max_length=48)] = None,
    state: RunState | None = None,
    q: Annotated[str | None, Query(max_length=100)] = None,
    page: Page = 1,
    page_size: PageSize = 50,
) -> FlowRunList:
    """List the runs of flows, newest first."""
    with caller.tenon.hub.read() as connection:
        found = runs.page(
            connection, caller.tenon.catalogue, flow=flow, state=state, q=q,
            page_number=page, page_size=page_size,
        )  # fmt: skip
    return FlowRunList.model_validate(found)


@routes.get("/flow-runs/{run_id}")
def run_page(caller: Reader, run_id: UUID) -> FlowRunPage:
    """Show a run with its steps."""
    return _page(caller, run_id)


@routes.post("/flow-runs/{run_id}/retry")
def retry_run(caller: Manager, run_id: UUID) -> FlowRunPage:
    """Let a failed run go on from the step where it failed."""
    with caller.tenon.hub.write() as tx:
        runs.retry(tx, str(run_id))
    return _page(caller, run_id)


@routes.post("/flow-runs/{run_id}/cancel")
def cancel_run(caller: Manager, run_id: UUID) -> FlowRunPage:
    """End a run where it stands; what it has done stays done."""
    with caller.tenon.hub.write() as tx:
        runs.cancel(tx, str(run_id))
    return _page(caller, run_id)


def _page(caller: Caller, run_id: UUID) -> FlowRunPage:
    with caller.tenon.hub.read() as connection:
        found = runs.run_page(connection, caller.tenon.catalogue, str(run_id))
    return FlowRunPage.model_validate(found)
