"""What everybody may know: that it lives, what it is, how it is spoken to."""

from __future__ import annotations

from typing import Annotated, Any

from starlette.requests import Request

from tenon import __version__
from tenon.kernel import clock
from tenon.server.guard import Caller, public, router
from tenon.server.models import Settings
from tenon.server.shapes import Text

routes = router("settings")


@routes.get("/health")
def health(caller: Annotated[Caller, public]) -> dict[str, str]:
    """Tell that the server and its database answer."""
    return {"status": "ok"}


@routes.get("/settings")
def settings(caller: Annotated[Caller, public]) -> Settings:
    """Tell the public facts of this installation."""
    own = caller.tenon.settings
    return Settings(
        product="Tenon", version=__version__, plant=Text(zh=own.plant.zh, en=own.plant.en),
        zone=own.zone, now=clock.now(), demo_pace=clock.demo_pace(),
    )  # fmt: skip


@routes.get("/openapi.json", include_in_schema=False)
def openapi(request: Request, caller: Annotated[Caller, public]) -> dict[str, Any]:
    """Give the contract of the API.

    Public, because it is the same in every installation: it names no entity, field, role or
    person that was defined here.
    """
    schema: dict[str, Any] = request.app.openapi()
    return schema
