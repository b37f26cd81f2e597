"""A board: its cards in order, of one moment."""

from __future__ import annotations

from typing import Any

from tenon.boards import registry
from tenon.boards.cards import source_age
from tenon.boards.reading import Opened, reading
from tenon.records.ports import Actor

__all__ = ["board", "source_age"]


def board(tenon: Opened, actor: Actor, code: str) -> dict[str, Any]:
    """A board with its cards; NotFound when there is none."""
    definition = tenon.catalogue.board(code)
    with reading(tenon, actor) as context:
        cards = [
            {"code": c.card, "title": c.title.text().as_dict(), "as_of": context.now}
            | {"hint": None, "orders": []}
            | registry.find(c.card)(context, c)
            for c in definition.cards
        ]
    return {"code": code, "title": definition.label.text().as_dict(), "cards": cards}
