"""Boards."""

from __future__ import annotations

from typing import Annotated

from tenon.boards import service
from tenon.server.guard import Caller, requires, router
from tenon.server.models import Board

routes = router("boards")


@routes.get("/boards/{code}")
def board(caller: Annotated[Caller, requires("boards.read")], code: str) -> Board:
    """Show a board with its cards."""
    return Board.model_validate(service.board(caller.tenon, caller.actor, code))
