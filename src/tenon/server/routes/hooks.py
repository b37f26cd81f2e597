"""Webhooks: the door that senders knock at, and what came through it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final
from uuid import UUID

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from tenon.connect import hook_events, hooks
from tenon.server.guard import Caller, public, requires, router
from tenon.server.hook_models import (
    HookAnswer,
    HookEventList,
    HookEventPage,
    HookEventRow,
    HookState,
)
from tenon.server.paging import Page, PageSize
from tenon.server.shapes import ErrorAnswer

routes = router("hooks")

_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}


@routes.post(
    "/hooks/{code}",
    status_code=202,
    response_model=HookAnswer,
    responses={
        200: {"model": HookAnswer, "description": "Known before"},
        415: {"model": ErrorAnswer, "description": "Not application/json"},
    },
    openapi_extra=_BODY,
)
async def receive(request: Request, caller: Annotated[Caller, public], code: str) -> JSONResponse:
    """Take a signed webhook: its signature is what lets it in; answered after a durable write."""
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        raise HTTPException(415)
    message = hooks.Message(await _body(request), _headers(request), caller.address)
    event, state = await run_in_threadpool(hooks.receive, caller.tenon.connect, code, message)
    answer = HookAnswer(event=event, state=state)
    return JSONResponse(answer.model_dump(), 200 if state == "duplicate" else 202)


@routes.get("/hook-events")
def list_events(
    caller: Annotated[Caller, requires("sources.read")],
    state: HookState | None = None,
    page: Page = 1,
    page_size: PageSize = 50,
) -> HookEventList:
    """List the webhooks that were taken, newest first, and those that were refused."""
    with caller.tenon.hub.read() as connection:
        found = hook_events.page(connection, state=state, page_number=page, page_size=page_size)
    return HookEventList.model_validate(found)


@routes.get("/hook-events/{event_id}")
def event_page(
    caller: Annotated[Caller, requires("source_rows.read")], event_id: UUID
) -> HookEventPage:
    """Show a webhook exactly as it came."""
    with caller.tenon.hub.read() as connection:
        found = hook_events.detail(connection, str(event_id))
    return HookEventPage.model_validate(found)


@routes.post("/hook-events/{event_id}/retry")
def retry_event(
    caller: Annotated[Caller, requires("sources.manage")], event_id: UUID
) -> HookEventRow:
    """Let a failed event be worked in again."""
    with caller.tenon.hub.write() as tx:
        found = hook_events.retry(tx, str(event_id))
    return HookEventRow.model_validate(found)


async def _body(request: Request) -> bytes:
    found = bytearray()
    async for chunk in request.stream():
        found += chunk
        if len(found) > hooks.LONGEST_BODY:
            raise HTTPException(413)
    return bytes(found)


def _headers(request: Request) -> dict[str, Sequence[str]]:
    found: dict[str, list[str]] = {}
    for name, value in request.headers.items():
        found.setdefault(name.lower(), []).append(value)
    return dict(found)
