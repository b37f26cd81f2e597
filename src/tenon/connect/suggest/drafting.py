"""A draft out of what was matched: key, cursor, identity, rules, each with its reason."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tenon.connect.contract import Found
from tenon.connect.naming import code_of
from tenon.connect.suggest import lexicon, reasons
from tenon.connect.suggest.columns import Facts
from tenon.connect.suggest.matching import LEAST, Column, Matcher, Pick
from tenon.define.catalogue import Catalogue
from tenon.define.models import Entity, FieldDef, Master, SourceDef, Sync
from tenon.kernel.text import Text

_CHANGED: Final = ("update time", "update", "last update time")
_STREAM: Final = re.compile(r"[^A-Za-z0-9_]+")


@dataclass(slots=True)
class Drafting:
    """Builds one draft; `why` and `sure` gather as it goes."""

    catalogue: Catalogue
    found: Found
    columns: Sequence[Column]
    entity: Entity
    picks: dict[str, Pick]
    matcher: Matcher
    connected: frozenset[str]
    source: SourceDef
    why: dict[str, Text] = field(default_factory=dict)
    sure: dict[str, float] = field(default_factory=dict)

    def fields(self) -> dict[str, Any]:
        """The rules of the fields."""
        rules: dict[str, Any] = {}
        for one in self.entity.fields:
            pick = self.picks.get(one.code)
            if pick is not None:
                rules[one.code] = self._rule(one, pick)
                self._note(one.code, pick.why, pick.score)
        return rules

    def _rule(self, one: FieldDef, pick: Pick) -> dict[str, Any]:
        single = len(pick.columns) == 1
        rule: dict[str, Any] = {"from": pick.columns[0] if single else list(pick.columns)}
        if one.type == "ref":
            rule |= self._lookup(one, pick)
        elif pick.choices:
            rule["choices"] = dict(pick.choices)
        elif one.unique:
            rule["clean"] = "document_no"
        sign = self._sign(one)
        if sign is not None:
            rule["times"] = sign.name
            pick_why = reasons.SIGNED.format(column=sign.name)
            self._note(f"{one.code}.times", pick_why, 0.9)
        if pick.left:
            more = reasons.LEFT.format(values="、".join(pick.left[:6]))
            why = Text(pick.why.zh + more.zh, pick.why.en + more.en)
            self.picks[one.code] = Pick(
                pick.columns, min(pick.score, 0.5), why, pick.choices, pick.left
            )
            self._note(one.code, why, min(pick.score, 0.5))
        return rule

    def _lookup(self, one: FieldDef, pick: Pick) -> dict[str, Any]:
        if pick.by is None:
            return {"master": one.target} | ({} if one.required else {"unknown": "leave"})
        return {"ref": one.target, "by": pick.by, "clean": "document_no"}

    def _sign(self, one: FieldDef) -> Facts | None:
        place = f"{self.entity.code}.{one.code}"
        if place not in lexicon.words()["signs"]:
            return None
        hit = self.matcher.named(lexicon.said("signs", place))
        return hit[0].facts if hit and hit[0].facts.signs else None

    def stream(self, key: Sequence[str]) -> dict[str, Any]:
        """The stream: where it reads, by which key, from which cursor."""
        name = _STREAM.sub("_", self.found.name.removeprefix("/api/")).strip("_")
        if not name or not name[0].isalpha():
            name = code_of(self.found.name, "t")
        taken = {s.stream.name for s in self.catalogue.syncs_of(self.source.code)}
        said: dict[str, Any] = {"name": free_name(name, taken), "key": list(key)}
        if self.found.path is not None:
            said["path"] = self.found.path
            if self.found.explode:
                said["explode"] = self.found.explode
        elif self.source.connector == "files":
            said["table"] = re.sub(r"\d{4,}[\d_-]*", "*", self.found.name)
        else:
            said["table"] = self.found.name
        cursor = self._cursor()
        return said | ({"cursor": cursor} if cursor else {})

    def _cursor(self) -> dict[str, Any] | None:
        if self.source.connector == "files":
            return None
        for one in self.found.columns:
            if one.type.upper() in {"ROWVERSION", "TIMESTAMP"} and self._is_sqlserver(one.name):
                self._note("cursor", reasons.CURSOR_VERSION.format(column=one.name), 0.95)
                return {"column": one.name, "type": "rowversion"}
        wanted = lexicon.phrases(("修改时间", "更新时间", "最后修改时间", "修改日期"), _CHANGED)
        times = [c for c in self.columns if c.facts.kind == "time"]
        # “Updated” is the program's own word; “changed” may be when the matter was.
        scored = [
            (c.named.like(wanted).score, "change" not in c.facts.name.lower(), c) for c in times
        ]
        best = max(scored, key=lambda one: one[:2], default=None)
        if best is None or best[0] < 0.7:
            self._note("cursor", reasons.NO_CURSOR, 0.9)
            return None
        name = best[2].facts.name
        self._note("cursor", reasons.CURSOR_TIME.format(column=name), 0.9)
        return {"column": name}

    def _is_sqlserver(self, column: str) -> bool:
        return all(c.facts.kind == "bytes" for c in self.columns if c.facts.name == column)

    def key(self, code: str | None) -> list[str]:
        """The columns that recognise a row."""
        by_name = {c.facts.name.casefold(): c.facts for c in self.columns}
        if code is not None and self._repeats(by_name.get(code.casefold())):
            self._note("key", reasons.ONE_PER_CODE, 0.85)
            return [code]
        if self.found.key:
            self._note("key", reasons.PRIMARY, 0.99)
            return list(self.found.key)
        if self.found.explode:
            made = self._line_key()
            if made:
                self._note("key", reasons.UNIQUE, 0.85)
                return made
        unique = [c for c in self.columns if c.facts.unique and c.facts.kind != "time"]
        wanted = lexicon.phrases(("编码", "编号", "单号", "代码"), ("id", "code"))
        best = max(unique, key=lambda c: c.named.like(wanted).score, default=None)
        if best is None:
            self._note("key", reasons.NO_KEY, 0.0)
            return []
        self._note("key", reasons.UNIQUE, 0.8)
        return [best.facts.name]

    def _repeats(self, facts: Facts | None) -> bool:
        """Whether a golden record's code stands in many rows of this table."""
        declared = [k.casefold() for k in self.found.key]
        return facts is not None and not facts.unique and declared != [facts.name.casefold()]

    def _line_key(self) -> list[str]:
        """Of a list within an item: the item's own key and the line's number."""
        ids = lexicon.phrases(("编号", "单号"), ("id", "code", "order code", "order id"))
        lines = lexicon.phrases(("行号",), ("line", "line code", "seq", "line id", "id"))
        heads = [(c.named.like(ids).score, c) for c in self.columns if c.header]
        owns = [(c.named.like(lines).score, c) for c in self.columns if not c.header]
        head = max(heads, key=lambda p: p[0], default=None)
        own = max(owns, key=lambda p: p[0], default=None)
        if head and own and min(head[0], own[0]) >= LEAST:
            return [head[1].facts.name, own[1].facts.name]
        return []

    def identity(self, master: Master) -> dict[str, Any] | None:
        """How rows of base data are recognised; None when the table has no code."""
        code, name = self.picks.get("code"), self.picks.get("name")
        if code is None:
            return None
        named = (name or code).columns[0]
        keys = self._keys(master, code.columns[0])
        others = owners(self.catalogue, self.entity, self.source.code, self.connected)
        founds, why = founding(self.catalogue, self.entity, bool(keys), others)
        self._note("identity.code", code.why, code.score)
        self._note("identity.name", (name or code).why, (name or code).score)
        self._note("identity.founds", why, 0.8)
        return {"code": code.columns[0], "name": named, "founds": founds, "keys": keys}

    def _keys(self, master: Master, code: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for key in master.keys:
            pick = self.picks.get(key.code)
            column = pick.columns[0] if pick else None
            score = pick.score if pick else 0.0
            if column is None:
                hit = self.matcher.named(lexicon.of_key(master.entity, key))
                column, score = (hit[0].facts.name, hit[1].score) if hit else (None, 0.0)
            if column is None or (column == code and key.clean == "name"):
                continue
            found[key.code] = column
            target = {"target": self.entity.label.zh, "target_en": self.entity.label.en}
            self._note(f"identity.keys.{key.code}", reasons.KEY_OF.format(**target), score)
        self._other_names(master, found)
        self._other_keys(master, found)
        return found

    def _other_names(self, master: Master, found: dict[str, str]) -> None:
        """The only name of a table may be the full one or the short one: it is tried as either."""
        names = [k.code for k in master.keys if k.clean == "name"]
        there = [found[key] for key in names if key in found]
        if len(there) == 1:
            for key in names:
                if key not in found:
                    found[key] = there[0]
                    self._note(f"identity.keys.{key}", reasons.ANY_NAME, 0.7)

    def _other_keys(self, master: Master, found: dict[str, str]) -> None:
        """A key that nothing is named after, but whose values golden records have."""
        known = self.matcher.known
        if known is None:
            return
        used = set(found.values())
        for key in master.keys:
            if key.code in found:
                continue
            shares = [
                (known.keys(master, key.code, c.facts.texts), c.facts.name)
                for c in self.columns
                if c.facts.kind == "text" and not c.facts.few
                and (c.facts.name not in used or key.clean == "name")
            ]  # fmt: skip
            share, column = max(shares, default=(0.0, ""))
            if share >= 0.3:
                found[key.code] = column
                why = reasons.KEY_SHARE.format(
                    share=f"{share:.0%}", target=self.entity.label.zh,
                    target_en=self.entity.label.en,
                )  # fmt: skip
                self._note(f"identity.keys.{key.code}", why, 0.6 + 0.3 * share)

    def _note(self, place: str, why: Text, sure: float) -> None:
        self.why[place], self.sure[place] = why, sure


def free_name(wanted: str, taken: Collection[str]) -> str:
    """The name of a stream, with a number behind it when the source has one of this name."""
    number, name = 1, wanted[:48].rstrip("_")
    while name in taken:
        number += 1
        name = f"{wanted[:44].rstrip('_')}_{number}"
    return name


def order_of(catalogue: Catalogue, draft: Sync, *, repeats: bool = False) -> int:
    """When a draft runs among all: as the packages have it for the same entity.

    Of those that make golden records the one that knows more of them goes first, for a record's
    fields are those of the row that made it; `repeats`: it tells of them only by the way.
    """
    entity = catalogue.entity(draft.target)
    same = [s for s in catalogue.of(Sync) if s.target == entity.code]
    if draft.identity is None or not draft.identity.founds:
        return max((s.order for s in same), default=100)
    lacking = len(entity.fields) - len(draft.fields)
    first = min((s.order for s in same if s.identity and s.identity.founds), default=10)
    return min(first + lacking + (10 if repeats else 0), 29)


def owners(
    catalogue: Catalogue, entity: Entity, source: str, connected: Collection[str]
) -> list[Sync]:
    """The syncs of other connected sources that make records of an entity."""
    return [
        s for s in catalogue.of(Sync)
        if s.target == entity.code and s.source != source and s.source in connected
        and (s.identity is None or s.identity.founds)
    ]  # fmt: skip


def founding(
    catalogue: Catalogue, entity: Entity, has_keys: bool, others: Sequence[Sync]
) -> tuple[bool, Text]:
    """Whether a source makes golden records of its own, and why."""
    label = {"target": entity.label.zh, "target_en": entity.label.en}
    if not others:
        return True, reasons.FOUNDS.format(**label)
    if lexicon.words()["founds"].get(entity.code) == "first" or not has_keys:
        owner = catalogue.source(others[0].source).label
        return False, reasons.MATCHES.format(owner=owner.zh, **label)
    return True, reasons.FOUNDS_TOO.format(**label)
