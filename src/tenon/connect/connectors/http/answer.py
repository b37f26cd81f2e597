"""JSON as strangers send it: its text decoded by rule, its numbers exact, its oddities kept.

What one row got wrong harms that row only: `NaN`, numbers that nothing can hold and names that
stand twice are kept apart for the mapping to judge. What is not JSON at all is ValueError.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, Final

_MOST_DIGITS: Final = 60
_FARTHEST: Final = 60  # of the first digit from the point
_CHARSET: Final = re.compile(r"charset\s*=\s*\"?([\w.:-]+)", re.IGNORECASE)
# What a server may say that its text is, when it is not UTF-8. No encoding that reads anything
# (Latin-1, say, which many servers name by default): it would make rubbish of Chinese silently.
_SAID: Final = {
    "gbk": "gb18030", "gb2312": "gb18030", "gb18030": "gb18030", "big5": "big5",
    "utf-16": "utf-16", "utf-16le": "utf-16-le", "utf-16be": "utf-16-be",
}  # fmt: skip
_MARKS: Final = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"),
                 (codecs.BOM_UTF16_BE, "utf-16"))  # fmt: skip


class Doubled(dict[str, Any]):
    """An object in which a name stands twice: which of the two is meant nobody can tell."""


class Ambiguous(ValueError):
    """A name stands twice where one value was looked for."""


class NotText(ValueError):
    """The bytes are no text in any encoding that was named."""


def decoded(body: bytes, content_type: str, encoding: str | None) -> str:
    """The text of an answer: as the settings say, by its mark, as UTF-8, or as its server says."""
    said = _CHARSET.search(content_type)
    named = _SAID.get(said[1].lower()) if said else None
    tries = [encoding] if encoding else [_marked(body) or "utf-8", named]
    for one in tries:
        if one is None:
            continue
        try:
            return body.decode(one)
        except UnicodeDecodeError:
            continue
    raise NotText


def parsed(text: str) -> tuple[Any, bool]:
    """The value, and whether a name stands twice anywhere in it; ValueError when it is no JSON."""
    doubled: list[str] = []
    try:
        value = json.loads(
            text, parse_float=_fraction, parse_int=_whole, parse_constant=str,
            object_pairs_hook=_object(doubled),
        )  # fmt: skip
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value, bool(doubled)


def is_doubled(value: Any) -> bool:
    """Whether a name stands twice in this value."""
    if isinstance(value, dict):
        return isinstance(value, Doubled) or any(map(is_doubled, value.values()))
    return isinstance(value, list) and any(map(is_doubled, value))


def at(answer: Any, place: str) -> Any:
    """What stands at a place of an answer; None when there is nothing.

    Ambiguous when a name on the way stands twice: either might be meant.
    """
    for name in place.split(".") if place else ():
        if not isinstance(answer, dict):
            return None
        if isinstance(answer, Doubled):
            raise Ambiguous
        answer = answer.get(name)
    return answer


def _object(doubled: list[str]) -> Callable[[list[tuple[str, Any]]], dict[str, Any]]:
    def made(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) == len(pairs):
            return found
        doubled.append("")
        return Doubled(pairs)

    return made


def _whole(text: str) -> int | str:
    # Python takes seconds over a million digits, and refuses thousands.
    return int(text) if len(text) <= _MOST_DIGITS else text


def _fraction(text: str) -> Decimal | str:
    """The exact number; its text when writing it out would fill the memory (1e999999999)."""
    if len(text) > _MOST_DIGITS:
        return text
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    return number if abs(number.adjusted()) <= _FARTHEST else text


def _marked(body: bytes) -> str | None:
    return next((name for mark, name in _MARKS if body.startswith(mark)), None)
