"""Suggesting a sync for a table, and what each table of a source most likely holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tenon.connect import browse
from tenon.connect.contract import Found
from tenon.connect.deps import ConnectDeps
from tenon.define.catalogue import Catalogue
from tenon.define.models import Entity, Label, MapRule, Sync
from tenon.kernel.text import Text

_NAME = Text("列名与字段名相同", "The column is called like the field")


@dataclass(frozen=True, slots=True)
class Offer:
    """An entity that a table may fill: how likely, and why."""

    entity: str
    label: Text
    why: Text
    score: float


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A draft, the reason for each field and how sure it is, and what else the table may hold."""

    draft: Sync
    why: dict[str, Text] = field(default_factory=dict)
    sure: dict[str, float] = field(default_factory=dict)
    others: list[Offer] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def offers(catalogue: Catalogue, found: Sequence[Found]) -> dict[str, Offer]:
    """For each table, by name, what it most likely holds; nothing where nothing is likely."""
    return {}


def suggest(deps: ConnectDeps, source: str, table: str, target: str | None = None) -> Suggestion:
    """A draft for a table; of `target` when a person has chosen it, else of what is likeliest."""
    catalogue = deps.catalogue()
    found = browse.table(deps, source, table)
    entity = catalogue.entity(target) if target else catalogue.of(Entity)[0]
    columns = {c.name.casefold(): c.name for c in found.columns}
    rules = {
        f.code: MapRule.model_validate({"from": columns[f.code]})
        for f in entity.fields
        if f.code in columns
    }
    draft = Sync(
        code="draft", label=Label(zh=table, en=table), source=source, target=entity.code,
        stream=browse.stream_of(found, catalogue.source(source).connector), fields=rules,
    )  # fmt: skip
    missing = [f.code for f in entity.fields if f.required and f.code not in rules]
    return Suggestion(draft, dict.fromkeys(rules, _NAME), dict.fromkeys(rules, 1.0), [], missing)
