"""The registry of cards: a card is one function in one file, registered by its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tenon.boards.reading import Context
from tenon.define.models import CardDef
from tenon.kernel.errors import Config
from tenon.kernel.text import Text

_UNKNOWN = Text(
    "没有名为“{card}”的卡片；可用：{known}。", "There is no card “{card}”; known: {known}."
)

# A card answers with its kind, figures and rows (server/models.py `Card`).
Card = Callable[[Context, CardDef], dict[str, Any]]

_cards: dict[str, Card] = {}


def card(name: str) -> Callable[[Card], Card]:
    """Register a card under `name`."""

    def register(function: Card) -> Card:
        _cards[name] = function
        return function

    return register


def find(name: str) -> Card:
    """The card registered under `name`."""
    try:
        return _cards[name]
    except KeyError:
        known = ", ".join(sorted(_cards))
        raise Config("unknown_card", _UNKNOWN, card=name, known=known) from None


def figure(
    key: str,
    label: Text,
    value: Any,
    *,
    unit: Text | None = None,
    tone: str = "normal",
    note: Text | None = None,
    link: str | None = None,
) -> dict[str, Any]:
    """One figure of a card, as the API gives it."""
    return {
        "key": key,
        "label": label.as_dict(),
        "value": value,
        "unit": unit.as_dict() if unit else None,
        "tone": tone,
        "note": note.as_dict() if note else None,
        "link": link,
    }
