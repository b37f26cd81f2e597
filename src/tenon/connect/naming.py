"""Codes made of names in either language: 金蝶账套 → jin_die_zhang_tao."""

from __future__ import annotations

import re
from functools import lru_cache

from pypinyin import Style, lazy_pinyin

_OTHER = re.compile(r"[^a-z0-9]+")


def code_of(label: str, otherwise: str) -> str:
    """A code of letters, digits and `_` that begins with a letter; `otherwise` when none is left.

    Chinese is spelled in pinyin; beyond four characters by initials, which people can still read.
    """
    han = sum("\u4e00" <= c <= "\u9fff" for c in label)
    spelled = " ".join(lazy_pinyin(label)) if han <= 4 else initials(label)
    code = _OTHER.sub("_", spelled.lower()).strip("_")
    return code[:40].rstrip("_") if code and code[0].isalpha() else otherwise


@lru_cache(maxsize=4096)
def initials(text: str) -> str:
    """The first letters of a Chinese text's syllables: 客户名称 → khmc."""
    return "".join(lazy_pinyin(text, style=Style.FIRST_LETTER)).lower()


@lru_cache(maxsize=4096)
def spelled(text: str) -> str:
    """A Chinese text in pinyin without spaces: 客户 → kehu."""
    return "".join(lazy_pinyin(text)).lower()
