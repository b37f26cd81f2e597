"""Which column fills which field of an entity, how sure that is, and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from tenon.connect.suggest import lexicon
from tenon.connect.suggest.columns import Facts
from tenon.connect.suggest.known import Known
from tenon.connect.suggest.lexicon import Likeness, Named, Phrases
from tenon.connect.suggest.reasons import (
    KNOWN,
    NUMBERS_IN,
    SHARED_KEY,
    TAX,
    TRANSLATED,
    UNITS,
    name_reason,
)
from tenon.define.catalogue import Catalogue
from tenon.define.models import Entity, FieldDef, Master
from tenon.kernel.text import Text

LEAST: Final = 0.55
_NUMBERS: Final = frozenset({"number", "whole", "digits"})
_KINDS: Final = {
    "integer": _NUMBERS, "decimal": _NUMBERS, "datetime": frozenset({"time"}),
    "date": frozenset({"time"}),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """A column as it is matched: by its own name, or as a part of a line or its header."""

    facts: Facts
    named: Named
    header: bool = False


@dataclass(frozen=True, slots=True)
class Pick:
    """A column chosen for a field (several, for one that is made of them)."""

    columns: tuple[str, ...]
    score: float
    why: Text
    choices: dict[str, str | bool] = field(default_factory=dict)
    left: tuple[str, ...] = ()  # values that nothing translates
    by: str | None = None  # of a reference: the field it is found by
    share: float | None = None  # of the values that are known here


@dataclass(frozen=True, slots=True)
class Matcher:
    """Matches the columns of one table with the fields of entities."""

    catalogue: Catalogue
    columns: Sequence[Column]
    known: Known | None
    homeless: frozenset[str] = frozenset()  # golden entities that the source has no table of

    def fields(self, entity: Entity) -> dict[str, Pick]:
        """The best column of each field; a column fills one field, and may lead to one record."""
        pairs = [
            (pick.score, -at, -position, f, pick)
            for position, f in enumerate(entity.fields)
            for at, column in enumerate(self.columns)
            if (pick := self.pick(entity, f, column)) and pick.score >= LEAST
        ]
        pairs.sort(key=lambda pair: pair[:3], reverse=True)
        found: dict[str, Pick] = {}
        taken: set[tuple[str, bool]] = set()
        for _, _, _, one, pick in pairs:
            place = (pick.columns[0], one.type == "ref")
            if one.code not in found and place not in taken:
                found[one.code] = pick
                taken.add(place)
        self._made(entity, found)
        return {code: _capped(pick) for code, pick in found.items()}

    def pick(self, entity: Entity, one: FieldDef, column: Column) -> Pick | None:
        """How well a column fills a field."""
        if one.type == "ref":
            return self._reference(entity, one, column)
        if f"{entity.code}.{one.code}" in lexicon.words()["made_of"]:
            return None
        like = column.named.like(lexicon.of_field(entity, one))
        if one.type in {"choice", "boolean"}:
            return _translated(entity, one, column, like)
        return _plain(one, column, like)

    def named(self, wanted: Phrases, *, own: Iterable[str] = ()) -> tuple[Column, Likeness] | None:
        """The column that is called like this."""
        more = frozenset(own)
        found = [
            (Named(c.named.name, c.named.comment, c.named.own | more, c.named.lead), c)
            for c in self.columns
        ]
        scored = [(named.like(wanted), c) for named, c in found]
        best = max(scored, key=lambda pair: pair[0].score, default=None)
        return (best[1], best[0]) if best and best[0].score >= LEAST else None

    def _reference(self, entity: Entity, one: FieldDef, column: Column) -> Pick | None:
        target = self.catalogue.entity(one.target or "")
        master = self._master(target)
        by = None if master else by_field(target)
        if column.facts.kind in {"time", "bytes"} or (master is None and by is None):
            return None
        if by is not None and f"{target.code}.{by.code}" in lexicon.words()["made_of"]:
            return None  # it takes several columns: see _made
        like = column.named.like(_phrases_of_reference(entity, one, target, by))
        score = like.score - (0.35 if "name" in lexicon.meanings(column.facts.name) else 0.0)
        share = self._share(target, master, by, column.facts)
        why = name_reason(like, column.facts, target.label.text())
        if master is not None and target.code in self.homeless:
            certain = column.named.like(lexicon.of_key(target.code, master.keys[0]))
            if certain.score >= 0.9:
                score, key = certain.score + 0.1, master.keys[0].label
                why = SHARED_KEY.format(
                    target=target.label.zh, target_en=target.label.en, key=key.zh, key_en=key.en
                )
        if share is not None and share >= 0.5:
            score = max(score, 0.55) + 0.3 * share
            text = KNOWN if master else NUMBERS_IN
            why = text.format(
                share=f"{share:.0%}", target=target.label.zh, target_en=target.label.en
            )
        elif share is not None and column.facts.kind == "whole":
            score -= 0.4  # a number that only that system's own tables know
        return Pick((column.facts.name,), score, why, by=by.code if by else None, share=share)

    def _share(
        self, target: Entity, master: Master | None, by: FieldDef | None, facts: Facts
    ) -> float | None:
        if self.known is None or not facts.texts:
            return None
        if master is not None:
            found = self.known.codes(target.code, facts.texts)
            return found if found or facts.kind == "whole" else None
        return self.known.documents(target, by, facts.texts) if by else None

    def _made(self, entity: Entity, found: dict[str, Pick]) -> None:
        """Fields made of several columns, and references to records whose number is."""
        table = lexicon.words()["made_of"]
        for one in entity.fields:
            parts = table.get(f"{entity.code}.{one.code}")
            if parts and all(part in found for part in parts):
                picks = [found[part] for part in parts]
                found[one.code] = _joined(picks, None)
            target = self.catalogue.entity(one.target) if one.type == "ref" and one.target else None
            by = by_field(target) if target else None
            parts = table.get(f"{target.code}.{by.code}") if target and by else None
            if target and by and parts:
                columns = self._parts(target, parts)
                if columns:
                    found[one.code] = _joined(columns, by.code)

    def _parts(self, target: Entity, parts: Sequence[str]) -> list[Pick] | None:
        """The columns that name a record by several of its fields."""
        picks = []
        for part in parts:
            one = target.by_code[part]
            if one.type == "ref":
                head = self.catalogue.entity(one.target or "")
                number = by_field(head)
                wanted = lexicon.of_field(head, number) if number else Phrases()
                hit = self.named(wanted)
            else:
                hit = self.named(lexicon.of_field(target, one), own=lexicon.meanings("order"))
            if hit is None:
                return None
            column, like = hit
            why = name_reason(like, column.facts, target.label.text())
            picks.append(Pick((column.facts.name,), like.score, why))
        return picks

    def _master(self, entity: Entity) -> Master | None:
        return next((m for m in self.catalogue.of(Master) if m.entity == entity.code), None)


def by_field(entity: Entity) -> FieldDef | None:
    """The field by which people name a record of an entity: its unique number."""
    return next((f for f in entity.fields if f.unique), None)


def _phrases_of_reference(
    entity: Entity, one: FieldDef, target: Entity, by: FieldDef | None
) -> Phrases:
    own = lexicon.of_entity(target)
    field_ = lexicon.of_field(entity, one)
    number = lexicon.of_field(target, by) if by else Phrases()
    zh = [*field_.zh, *own.zh, *number.zh]
    zh += [f"{w}{end}" for w in own.zh[:6] for end in ("编码", "代码", "编号", "号", "内码")]
    names = [text for text, _ in (*own.en, *field_.en)]
    en = [*names, *(f"{text} code" for text in names), *(f"{text} id" for text in names)]
    return lexicon.phrases(zh, [*en, *(text for text, tokens in number.en if len(tokens) > 1)])


def _plain(one: FieldDef, column: Column, like: Likeness) -> Pick | None:
    facts, score = column.facts, like.score
    allowed = _KINDS.get(one.type)
    if allowed is not None and facts.kind not in {*allowed, "empty"}:
        return None
    if one.type == "text" and facts.kind in {"time", "bytes"}:
        return None
    why = name_reason(like, facts, one.label.text())
    if one.code == "tax_id" and facts.tax_ids > 0.8:
        score, why = max(score, 0.9), TAX.format(share=f"{facts.tax_ids:.0%}")
    elif one.code == "unit" and _units(facts):
        score, why = max(score + 0.1, 0.7), UNITS.format(values="、".join(facts.texts[:4]))
    if score and facts.kind == "empty":
        score -= 0.05
    if column.header and one.type != "ref":
        score -= 0.1  # what stands beside the line is the line's
    if score and (one.unique or one.code == "code"):
        surrogate = facts.kind == "whole" and "id" in lexicon.meanings(facts.name)
        score += (0.05 if facts.unique else 0.0) - (0.25 if surrogate else 0.0)
    return Pick((facts.name,), score, why)


def _translated(entity: Entity, one: FieldDef, column: Column, like: Likeness) -> Pick | None:
    facts = column.facts
    if one.type == "boolean" and (facts.yes_no or not facts.texts):
        return _plain(one, column, like) if facts.kind != "time" else None
    if not facts.few or facts.kind == "time":
        return None
    choices, left = translate(entity, one, facts.texts)
    share = len(choices) / len(facts.texts)
    choices |= _unseen(entity, one, facts.texts, choices)
    score = like.score * (0.45 + 0.5 * share) + (0.05 if share == 1 else 0.0)
    if one.type == "boolean" and share < 1:
        return None
    if column.header:
        score -= 0.1
    shown = "、".join(f"{k} → {v}" for k, v in list(choices.items())[:4])
    why = TRANSLATED.format(column=facts.name, values=shown or "—")
    return Pick((facts.name,), score, why, choices, left)


def translate(
    entity: Entity, one: FieldDef, texts: Iterable[str]
) -> tuple[dict[str, str | bool], tuple[str, ...]]:
    """What values mean among a field's choices, and those that mean nothing known."""
    forms: dict[str, str | bool] = {}
    for choice in one.choices:
        for text in (choice.code, choice.label.zh, choice.label.en):
            forms[_form(text)] = choice.code
    for code, words in lexicon.words()["values"].get(f"{entity.code}.{one.code}", {}).items():
        for word in words:
            forms[_form(str(word))] = code == "true" if one.type == "boolean" else code
    found = {t: forms[_form(t)] for t in texts if _form(t) in forms}
    return found, tuple(t for t in texts if t not in found)


def _unseen(
    entity: Entity, one: FieldDef, texts: Sequence[str], seen: dict[str, str | bool]
) -> dict[str, str | bool]:
    """What else the column may hold one day, in the script and case of what it holds now."""
    said = lexicon.words()["values"].get(f"{entity.code}.{one.code}")
    if not seen or said is None:
        return {}
    latin = all(t.isascii() for t in texts)
    upper = all(t.upper() == t for t in texts)
    more: dict[str, str | bool] = {}
    for code, words in said.items():
        meant: str | bool = code == "true" if one.type == "boolean" else code
        if meant in seen.values():
            continue
        for word in map(str, words):
            if word.isascii() == latin:
                more[word.upper() if upper else word] = meant
    return more


def _form(text: str) -> str:
    return text.strip().casefold().replace(" ", "_").replace("-", "_")


def _units(facts: Facts) -> bool:
    units = {str(u).casefold() for u in lexicon.words()["units"]}
    return facts.few and all(t.casefold() in units for t in facts.texts)


def _joined(picks: Sequence[Pick], by: str | None) -> Pick:
    zh = "；".join(dict.fromkeys(p.why.zh for p in picks))
    en = "; ".join(dict.fromkeys(p.why.en for p in picks))
    columns = tuple(p.columns[0] for p in picks)
    return Pick(columns, min(p.score for p in picks), Text(zh, en), by=by)


def _capped(pick: Pick) -> Pick:
    score = round(min(pick.score, 0.99), 2)
    return Pick(pick.columns, score, pick.why, pick.choices, pick.left, pick.by, pick.share)
