"""The published definitions."""

from __future__ import annotations

from typing import Annotated

from tenon.define import overview
from tenon.server.guard import Caller, requires, router
from tenon.server.models import DefinitionRow
from tenon.server.shapes import Text

routes = router("definitions")


@routes.get("/definitions")
def list_definitions(
    caller: Annotated[Caller, requires("definitions.read")],
) -> list[DefinitionRow]:
    """List every published definition with its version."""
    with caller.tenon.hub.read() as connection:
        rows = overview.published(connection)
    return [
        DefinitionRow(
            kind=r.kind, code=r.code, label=Text(**r.body["label"]), version=r.version,
            package=r.package, published_at=r.published_at, published_by=r.published_by,
        )
        for r in rows
    ]  # fmt: skip
