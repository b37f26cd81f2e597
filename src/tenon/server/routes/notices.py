"""Notices: what the caller's role is told."""

from __future__ import annotations

from typing import Annotated

from tenon.automate import notices
from tenon.server.flow_models import NoticeList, NoticesLeft, NoticesRead
from tenon.server.guard import Caller, router, signed_in
from tenon.server.paging import Page, PageSize

routes = router("notices")

Anybody = Annotated[Caller, signed_in]


@routes.get("/notices")
def list_notices(
    caller: Anybody, *, unread: bool = False, page: Page = 1, page_size: PageSize = 50
) -> NoticeList:
    """List the caller's notices, newest first."""
    with caller.tenon.hub.read() as connection:
        found = notices.page(
            connection, caller.actor, unread=unread, page_number=page, page_size=page_size
        )
    return NoticeList.model_validate(found)


@routes.post("/notices/read")
def read_notices(caller: Anybody, body: NoticesRead) -> NoticesLeft:
    """Mark notices as read; how many are left."""
    with caller.tenon.hub.write() as tx:
        left = notices.read(tx, caller.actor, body.ids)
    return NoticesLeft(unread=left)
