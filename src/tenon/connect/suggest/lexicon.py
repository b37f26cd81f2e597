"""What names mean: columns and tables against the words a plant uses, in three scripts.

English words stand for each other (`cust`, `client`: customer), Chinese ones are also known
spelled (kehu) and by their initials (KHMC). A name is compared as a set of meanings.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Final

import yaml

from tenon.connect.naming import initials, spelled
from tenon.define.models import Entity, FieldDef, MatchKey

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[\u4e00-\u9fff]+")
# Letters that say what type a column has: Kingdee's F, Yonyou's c, d, i.
_TYPED: Final = re.compile(r"^(?:F(?=[A-Z][A-Za-z0-9]*[a-z])|[cdibfn](?=[A-Z]))")
_HAN: Final = re.compile(r"[\u4e00-\u9fff]+")
_BRACKET: Final = re.compile(r"[（(\[【].*?[)）\]】]")
_PAIRS: Final = {
    "run order": "workorder", "run workcentre": "workcentre", "run centre": "workcentre",
    "run center": "workcentre", "run workshop": "workshop",
}  # fmt: skip
# Words that name a kind of thing: in a column's name they say whose column it is.
_KINDS: Final = frozenset(
    ["customer", "supplier", "item", "employee", "machine", "order", "workorder", "lot",
     "workcentre", "workshop", "location", "drawing", "unit", "component", "purchase"]
)  # fmt: skip
Tokens = frozenset[str]


@dataclass(frozen=True, slots=True)
class Likeness:
    """How far a name is like a phrase, and how that was seen."""

    score: float = 0.0
    phrase: str = ""
    how: str = ""  # name, own, comment, part, pinyin


NONE: Final = Likeness()


@dataclass(frozen=True, slots=True)
class Phrases:
    """What a thing may be called: Chinese words, and English ones as meanings."""

    zh: tuple[str, ...] = ()
    en: tuple[tuple[str, Tokens], ...] = ()


@cache
def words() -> Mapping[str, Any]:
    """The words as data."""
    text = resources.files("tenon.connect.suggest").joinpath("words.yaml").read_text("utf-8")
    found: Mapping[str, Any] = yaml.safe_load(text)
    return found


@cache
def _same() -> Mapping[str, str]:
    return {form: first for first, forms in words()["same"].items() for form in forms}


@cache
def _noise() -> frozenset[str]:
    return frozenset(map(str, words()["noise"]))


@cache
def _vocabulary() -> tuple[str, ...]:
    return tuple(sorted({w for w in _same() if len(w) > 2}, key=len, reverse=True))


def _split(word: str) -> Iterable[str]:
    """A word that is several run together (`workordercode`) as those."""
    if word in _same() or len(word) < 6:
        return (word,)
    parts, rest = [], word
    while rest:
        found = next((w for w in _vocabulary() if rest.startswith(w)), None)
        if found is None:
            found = rest if rest in {"no", "id"} else None
        if found is None:
            return (word,)
        parts.append(found)
        rest = rest[len(found) :]
    return parts


@lru_cache(maxsize=16384)
def meanings(name: str, *, keep_noise: bool = False) -> tuple[str, ...]:
    """The meanings of a name's words, in their order."""
    plain = _TYPED.sub("", unicodedata.normalize("NFKC", name), count=1)
    found: list[str] = []
    for word in _WORD.findall(plain):
        lower = word.lower()
        for part in _split(lower):
            stem = part if part in _same() else _stemmed(part)
            found.append(_same().get(stem, stem))
    at, joined = 0, list[str]()
    while at < len(found):
        pair = _PAIRS.get(" ".join(found[at : at + 2]))
        joined.append(pair or found[at])
        at += 2 if pair else 1
    kept = [w for w in joined if keep_noise or w not in _noise()]
    return tuple(kept or joined)


def _stemmed(word: str) -> str:
    for ending, instead in (("ies", "y"), ("ed", ""), ("ed", "e"), ("es", ""), ("s", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            stem = word[: -len(ending)] + instead
            if stem in _same():
                return stem
    return word


def phrases(zh: Iterable[str], en: Iterable[str]) -> Phrases:
    """Words as phrases that names can be compared with."""
    return _phrases(tuple(zh), tuple(en))


@lru_cache(maxsize=4096)
def _phrases(zh: tuple[str, ...], en: tuple[str, ...]) -> Phrases:
    english = tuple((text, frozenset(meanings(text))) for text in dict.fromkeys(en) if text)
    return Phrases(tuple(dict.fromkeys(_plain(z) for z in zh if _plain(z))), english)


def of_entity(entity: Entity) -> Phrases:
    """What tables of an entity are called."""
    said = words()["entities"].get(entity.code, {})
    return phrases(
        [entity.label.zh, *said.get("zh", ())],
        [entity.code.replace("_", " "), *said.get("en", ()), entity.label.en],
    )


def of_field(entity: Entity, one: FieldDef) -> Phrases:
    """What columns of a field are called."""
    zh, en = _said("fields", entity.code, one.code)
    own = words()["entities"].get(entity.code, {}).get("zh", ())
    both = [f"{o}{z}" for o in own for z in zh[:3]] if one.code in {"code", "name"} else []
    return phrases([one.label.zh, *zh, *both], [one.code.replace("_", " "), *en, one.label.en])


def of_key(entity: str, key: MatchKey) -> Phrases:
    """What columns of a match key are called."""
    zh, en = _said("keys", entity, key.code)
    more_zh, more_en = _said("fields", entity, key.code)
    return phrases([key.label.zh, *zh, *more_zh], [*en, *more_en, key.code.replace("_", " ")])


def said(section: str, place: str) -> Phrases:
    """The phrases under a place of a section of the words."""
    found = words()[section].get(place, {})
    return phrases(found.get("zh", ()), found.get("en", ()))


def _said(section: str, entity: str, code: str) -> tuple[list[str], list[str]]:
    table, zh, en = words()[section], [], []
    for place in (f"{entity}.{code}", f"*.{code}"):
        zh += table.get(place, {}).get("zh", ())
        en += table.get(place, {}).get("en", ())
    return zh, en


@dataclass(frozen=True, slots=True)
class Named:
    """A table or column by its name and comment; `own` are words that say nothing more there."""

    name: str
    comment: str | None = None
    own: Tokens = frozenset()
    lead: tuple[str, ...] = field(default=())

    def like(self, wanted: Phrases) -> Likeness:
        """The phrase it is most like."""
        found = [self._chinese(wanted), self._english(wanted), self._pinyin(wanted)]
        return max(found, key=lambda one: one.score)

    def _chinese(self, wanted: Phrases) -> Likeness:
        best = NONE
        for text, exact in ((self.name, 1.0), (self.comment or "", 0.97)):
            plain = _plain(text)
            if not _HAN.search(plain):
                continue
            for phrase in wanted.zh:
                score = _chinese_score(plain, phrase, exact)
                if score > best.score:
                    best = Likeness(score, phrase, "name" if text is self.name else "comment")
        return best

    def _english(self, wanted: Phrases) -> Likeness:
        mine = frozenset((*self.lead, *meanings(self.name)))
        bare = (mine - self.own) or mine
        best = NONE
        for text, theirs in wanted.en:
            score, how = _english_score(mine, bare, theirs, self.own)
            if score > best.score:
                best = Likeness(score, text, how)
        return best

    def _pinyin(self, wanted: Phrases) -> Likeness:
        plain = re.sub(r"[^a-z0-9]", "", self.name.lower())
        for phrase in wanted.zh:
            if len(phrase) > 1 and plain == spelled(phrase):
                return Likeness(0.9, phrase, "pinyin")
            if len(phrase) > 2 and plain == initials(phrase):
                return Likeness(0.8, phrase, "pinyin")
        return NONE


def _english_score(mine: Tokens, bare: Tokens, theirs: Tokens, own: Tokens) -> tuple[float, str]:
    if not theirs:
        return 0.0, ""
    if mine == theirs:
        return 1.0, "name"
    if bare in {theirs, theirs - own}:
        return 0.94 if bare == theirs else 0.9, "own"
    # Whose column it is must agree: the supplier's name is not the customer's.
    if (bare ^ theirs) & _KINDS:
        return 0.0, ""
    shared = len(bare & theirs) / len(bare | theirs)
    if theirs < bare and shared >= 0.5:
        return 0.45 + 0.4 * shared, "part"
    # A name that says less than what is wanted may mean anything.
    return (0.3 + 0.4 * shared, "part") if bare < theirs and shared >= 0.5 else (0.0, "")


def _chinese_score(plain: str, phrase: str, exact: float) -> float:
    if plain == phrase:
        return exact
    if phrase in plain and len(phrase) > 1:
        return 0.5 + 0.4 * len(phrase) / len(plain)
    if plain in phrase and len(plain) > 1:
        return 0.45 + 0.4 * len(plain) / len(phrase)
    return 0.0


def _plain(text: str) -> str:
    """Chinese as compared: without brackets, spaces and marks."""
    bare = _BRACKET.sub("", unicodedata.normalize("NFKC", text))
    return re.sub(r"[\s:：,，。、/_\-.]+", "", bare).strip()
