"""The stream of live events."""

from __future__ import annotations

from typing import Annotated

from starlette.requests import Request
from starlette.responses import StreamingResponse

from tenon.server.guard import Caller, router, signed_in
from tenon.server.live import Live

routes = router("live")


class EventStream(StreamingResponse):
    """An answer that does not end by itself."""

    media_type = "text/event-stream"


@routes.get("/live", response_class=EventStream)
async def live(request: Request, caller: Annotated[Caller, signed_in]) -> EventStream:
    """Hear that something changed: `hello`, then `changed` with `{"topics": […]}`."""
    streams: Live = request.app.state.live
    stream = streams.open(caller.actor, caller.token or "")
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return EventStream(streams.events(stream), headers=headers)
