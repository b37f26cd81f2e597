"""Golden records, and the unknown codes that people settle."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query

from tenon.connect import settle
from tenon.master import service
from tenon.server.guard import Caller, requires, router
from tenon.server.models import (
    MasterList,
    MasterPage,
    TaskList,
    TaskResolution,
    UnknownCodeTask,
)
from tenon.server.paging import Page, PageSize

routes = router("masters")

Reader = Annotated[Caller, requires("masters.read")]


@routes.get("/tasks")
def list_tasks(
    caller: Reader,
    state: Literal["open", "done", "ignored", "all"] = "open",
    entity: Annotated[str | None, Query(max_length=48)] = None,
    page: Page = 1,
    page_size: PageSize = 50,
) -> TaskList:
    """List unknown codes."""
    with caller.tenon.hub.read() as connection:
        found = settle.task_list(
            connection, caller.tenon.catalogue, state=None if state == "all" else state,
            entity=entity, page=page, page_size=page_size,
        )  # fmt: skip
    return TaskList.model_validate(found)


@routes.post("/tasks/{task_id}/resolve")
def resolve_task(
    caller: Annotated[Caller, requires("masters.manage")], task_id: UUID, body: TaskResolution
) -> UnknownCodeTask:
    """Settle an unknown code; the rows that waited for it are tried again."""
    found = settle.resolve(
        caller.tenon.connect, caller.actor, str(task_id), body.action, body.record_id
    )
    return UnknownCodeTask.model_validate(found)


@routes.get("/masters/{entity}")
def list_masters(
    caller: Reader,
    entity: str,
    q: Annotated[str | None, Query(max_length=200)] = None,
    page: Page = 1,
    page_size: PageSize = 50,
) -> MasterList:
    """List golden records."""
    with caller.tenon.hub.read() as connection:
        found = service.masters(
            connection, caller.tenon.reader(caller.actor), entity, query=q,
            page=page, page_size=page_size,
        )  # fmt: skip
    return MasterList.model_validate(found)


@routes.get("/masters/{entity}/{record_id}")
def master_page(caller: Reader, entity: str, record_id: UUID) -> MasterPage:
    """Show a golden record with its codes in every system."""
    with caller.tenon.hub.read() as connection:
        reader = caller.tenon.reader(caller.actor)
        found = service.master_page(connection, reader, entity, str(record_id))
    return MasterPage.model_validate(found)
