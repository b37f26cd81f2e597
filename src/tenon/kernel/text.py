"""Texts in two languages, and the normal forms by which codes and names are compared."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

_CODE_NOISE = re.compile(r"[\s\-_./·,，、]+")
_NAME_NOISE = re.compile(r"[\s\-_./·,，、()（）]+")


@dataclass(frozen=True, slots=True)
class Text:
    """A text in Chinese and in English."""

    zh: str
    en: str

    def format(self, **params: Any) -> Text:
        """Both languages with `{name}` placeholders filled from `params`."""
        return Text(_fill(self.zh, params), _fill(self.en, params))

    def as_dict(self) -> dict[str, str]:
        """`{"zh": …, "en": …}`."""
        return {"zh": self.zh, "en": self.en}


def _fill(template: str, params: dict[str, Any]) -> str:
    # Plain replacement: str.format would let a parameter's attributes be reached (S5).
    return re.sub(r"\{(\w+)\}", lambda m: str(params.get(m[1], m[0])), template)


def normal_code(value: str) -> str:
    """A code as compared between systems: NFKC, upper case, without spaces and `-_./`."""
    return _CODE_NOISE.sub("", unicodedata.normalize("NFKC", value)).upper()


def normal_document_no(value: str) -> str:
    """A document number as typed by people: NFKC, upper case, without spaces, hyphens kept."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", value)).upper()


def normal_name(value: str) -> str:
    """A name as compared between systems: NFKC, upper case, without spaces and brackets."""
    return _NAME_NOISE.sub("", unicodedata.normalize("NFKC", value)).upper()


def tidy(value: str) -> str:
    """A text as stored: without the padding of CHAR columns and without NUL."""
    return value.replace("\x00", "").strip()
