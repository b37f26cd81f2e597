"""How people mistype: noise that normalising repairs, and slips that nothing repairs."""

import random

FULL_WIDTH = {ord(c): ord(c) + 0xFEE0 for c in "0123456789"}
CLEAN_SHARE = 0.82


def widen(text: str) -> str:
    """Return the text with its digits in full width."""
    return text.translate(FULL_WIDTH)


def typed(rng: random.Random, text: str) -> str:
    """Return a document number as a person types it; NFKC, strip, upper, no spaces repairs it."""
    if rng.random() < CLEAN_SHARE:
        return text
    way = rng.randrange(5)
    if way == 0:
        return text + " " * rng.randrange(1, 4)
    if way == 1:
        return widen(text)
    if way == 2:
        return text.lower()
    if way == 3:
        return " " + text
    place = rng.randrange(2, len(text) - 1)
    return text[:place] + " " + text[place:]


def written_code(rng: random.Random, text: str, clean: float = 0.55) -> str:
    """Return a drawing, asset or item number written another way (case, width, separators)."""
    if rng.random() < clean:
        return text
    way = rng.randrange(6)
    if way == 0:
        return text.replace("-", "")
    if way == 1:
        return text.replace("-", " ")
    if way == 2:
        return text.lower()
    if way == 3:
        return widen(text)
    if way == 4:
        return text.replace("-", "_")
    return text.replace("-", "", 1) + " "


def written_number(rng: random.Random, text: str) -> str:
    """Return a code whose separators matter, noisy only in case, width and spaces."""
    if rng.random() < CLEAN_SHARE:
        return text
    return rng.choice((text + "  ", widen(text), text.lower(), " " + text))


def written_name(rng: random.Random, text: str) -> str:
    """Return a name with stray spaces or full-width brackets, as old systems keep them."""
    if rng.random() < 0.7:
        return text
    return rng.choice((text + " ", text + "   ", " " + text, text[:2] + " " + text[2:]))


def mistyped(rng: random.Random, text: str) -> str:
    """Return the text with one character wrong, so that it matches nothing."""
    place = rng.randrange(len(text) // 2, len(text))
    old = text[place]
    if old.isdigit():
        new = str((int(old) + 5) % 10)
    elif old.isascii():
        new = "X" if old.upper() != "X" else "Z"
    else:
        new = "佰" if old != "佰" else "仟"
    return text[:place] + new + text[place + 1 :] + ("9" if text.isascii() else "")
