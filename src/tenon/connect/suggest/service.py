"""Suggesting a sync for a table, and what each table of a source most likely holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from tenon.connect import browse, kingdee
from tenon.connect.contract import Found
from tenon.connect.deps import ConnectDeps
from tenon.connect.suggest import lexicon, ready, reasons
from tenon.connect.suggest.columns import Facts, facts_of
from tenon.connect.suggest.drafting import Drafting, order_of, owners
from tenon.connect.suggest.known import Known
from tenon.connect.suggest.lexicon import Named
from tenon.connect.suggest.matching import Column, Matcher, Pick, by_field
from tenon.define.catalogue import Catalogue
from tenon.define.models import Entity, Master, Sync
from tenon.kernel.text import Text

DRAFT: Final = "draft"  # the code of what has none yet
_SAMPLE: Final = 2000
_WORTH: Final = 0.42
_SHOWN: Final = 5


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


@dataclass(frozen=True, slots=True)
class _Match:
    entity: Entity
    picks: dict[str, Pick]
    columns: list[Column]
    offer: Offer


def offers(catalogue: Catalogue, found: Sequence[Found]) -> dict[str, Offer]:
    """For each table, by name, what it most likely holds by its names; nothing where unlikely."""
    ledger = kingdee.recognise(found)
    known = kingdee.ready(found)
    best: dict[str, Offer] = {}
    entities = {e.code: e for e in catalogue.of(Entity)}
    for table in found:
        offer = known.get(table.name.casefold())
        if ledger and offer and offer.sync["target"] in entities:
            code = offer.sync["target"]
            why = ready.reason(ledger)
            best[table.name] = Offer(code, entities[code].label.text(), why, 0.99)
            continue
        named = _table(table)
        likely = [e for e in catalogue.of(Entity) if named.like(lexicon.of_entity(e)).score >= 0.6]
        columns = _columns(table, facts_of(table, browse.Sample((), []))) if likely else []
        matches = _matches(catalogue, table, columns, likely, None)
        if matches and matches[0].offer.score >= _WORTH:
            best[table.name] = matches[0].offer
    return best


def suggest(deps: ConnectDeps, source: str, table: str, target: str | None = None) -> Suggestion:
    """A draft for a table; of `target` when a person has chosen it, else of what is likeliest."""
    catalogue = deps.catalogue()
    definition = catalogue.source(source)
    found = browse.table(deps, source, table)
    connected = frozenset(deps.connections.codes())
    tables = browse.tables(deps, source)
    made = _ready(catalogue, tables, found, source, target, connected)
    if made is not None:
        return made
    with browse.opened(deps, source) as connector:
        stream = browse.stream_of(found, definition.connector)
        sample = browse.sample(connector, stream, _SAMPLE)
    columns = _columns(found, facts_of(found, sample))
    wanted = (catalogue.entity(target),) if target else catalogue.of(Entity)
    with deps.hub.read() as connection:
        known = Known(connection, catalogue, source)
        homeless = _homeless(catalogue, tables)
        matches = _matches(catalogue, found, columns, wanted, known, homeless)
        every = matches
        if target:
            every = _matches(catalogue, found, columns, catalogue.of(Entity), None)
        best = matches[0]
        matcher = Matcher(catalogue, best.columns, known, homeless)
        drafting = Drafting(
            catalogue, found, best.columns, best.entity, best.picks, matcher, connected, definition
        )  # fmt: skip
        others = [m.offer for m in every if m.entity.code != best.entity.code]
        return _drafted(drafting, best, [o for o in others if o.score >= _WORTH][:_SHOWN])


def _homeless(catalogue: Catalogue, tables: Sequence[Found]) -> frozenset[str]:
    """The golden entities that none of a source's tables is about."""
    homes = {offer.entity for offer in offers(catalogue, tables).values()}
    return frozenset(m.entity for m in catalogue.of(Master) if m.entity not in homes)


def _ready(
    catalogue: Catalogue, tables: Sequence[Found], found: Found, source: str, target: str | None,
    connected: frozenset[str],
) -> Suggestion | None:  # fmt: skip
    """The draft that a recognised ledger has for its table; None when it must be guessed."""
    ledger = kingdee.recognise(tables)
    offer = kingdee.ready(tables).get(found.name.casefold())
    if ledger is None or offer is None or target not in {None, offer.sync["target"]}:
        return None
    made = ready.draft(catalogue, ledger, offer, source, DRAFT, connected)
    if made is None:
        return None
    draft, why, sure = made
    _warn(catalogue, catalogue.entity(draft.target), draft, connected, why, sure)
    return Suggestion(draft, why, sure)


def _warn(
    catalogue: Catalogue, entity: Entity, draft: Sync, connected: frozenset[str],
    why: dict[str, Text], sure: dict[str, float],
) -> None:  # fmt: skip
    """Say so when another system gives the same documents: a number belongs to one of them."""
    others = owners(catalogue, entity, draft.source, connected)
    if draft.identity is not None or not others or by_field(entity) is None:
        return
    owner = catalogue.source(others[0].source).label
    more = reasons.OTHER_SOURCE.format(
        target=entity.label.zh, target_en=entity.label.en, owner=owner.zh
    )
    before = why["target"]
    why["target"] = Text(f"{more.zh}；{before.zh}", f"{more.en}; {before.en}")
    sure["target"] = min(sure["target"], 0.3)


def _drafted(drafting: Drafting, match: _Match, others: list[Offer]) -> Suggestion:
    entity, found = match.entity, drafting.found
    masters = {m.entity: m for m in drafting.catalogue.of(Master)}
    if entity.code in masters and entity.code in drafting.matcher.homeless:
        _by_shared_key(drafting, masters[entity.code])
    rules = drafting.fields()
    identity = None
    if entity.code in masters:
        identity = drafting.identity(masters[entity.code])
        if identity is not None and not identity["founds"]:
            rules = {}  # who only matches writes nothing
    key = drafting.key(identity["code"] if identity else None)
    label = found.comment or entity.label.zh
    data: dict[str, Any] = {
        "kind": "sync", "code": DRAFT, "source": drafting.source.code, "target": entity.code,
        "label": {"zh": label, "en": found.comment or entity.label.en},
        "stream": drafting.stream(key), "fields": rules,
    }  # fmt: skip
    if identity is not None:
        data["identity"] = identity
    drafting.why["target"], drafting.sure["target"] = match.offer.why, match.offer.score
    writes = identity is None or bool(identity["founds"])
    missing = [f.code for f in entity.fields if f.required and f.code not in rules and writes]
    draft = Sync.model_validate(data)
    order = order_of(
        drafting.catalogue, draft, repeats=drafting.why.get("key") is reasons.ONE_PER_CODE
    )
    draft = draft.model_copy(update={"order": order})
    _warn(drafting.catalogue, entity, draft, drafting.connected, drafting.why, drafting.sure)
    return Suggestion(draft, drafting.why, drafting.sure, others, missing)


def _by_shared_key(drafting: Drafting, master: Master) -> None:
    """Where a source has no table of its own for them, their certain key is their code."""
    key, entity = master.keys[0], drafting.entity
    pick = drafting.picks.get(key.code)
    if pick is not None and "code" in entity.by_code:
        why = reasons.SHARED_KEY.format(
            target=entity.label.zh, target_en=entity.label.en, key=key.label.zh,
            key_en=key.label.en,
        )  # fmt: skip
        drafting.picks["code"] = replace(pick, why=why, score=0.8)


def _matches(
    catalogue: Catalogue, found: Found, columns: Sequence[Column], entities: Sequence[Entity],
    known: Known | None, homeless: frozenset[str] = frozenset(),
) -> list[_Match]:  # fmt: skip
    named = _table(found)
    matches = []
    for entity in entities:
        own = frozenset(lexicon.meanings(entity.code))
        fitted = [
            Column(c.facts, Named(c.named.name, c.named.comment, own, c.named.lead), c.header)
            for c in columns
        ]
        picks = Matcher(catalogue, fitted, known, homeless).fields(entity)
        offer = _offer(named, entity, picks, columns)
        matches.append(_Match(entity, picks, fitted, offer))
    return sorted(matches, key=lambda m: -m.offer.score)


def _offer(
    named: Named, entity: Entity, picks: Mapping[str, Pick], columns: Sequence[Column]
) -> Offer:
    like = named.like(lexicon.of_entity(entity))
    required = [f.code for f in entity.fields if f.required]
    covered = sum(picks[c].score for c in required if c in picks) / max(len(required), 1)
    used = {column for pick in picks.values() for column in pick.columns}
    explained = len(used) / max(len(columns), 1)
    score = 0.55 * like.score + 0.3 * covered + 0.15 * min(1.0, explained * 1.5)
    target = {"target": entity.label.zh, "target_en": entity.label.en}
    parts = [reasons.TABLE_NAME.format(name=named.name, **target)] if like.score else []
    if used:
        shown = "、".join(sorted(used)[:6])
        parts.append(reasons.COLUMNS_FIT.format(count=len(used), columns=shown))
    why = Text("；".join(p.zh for p in parts), "; ".join(p.en for p in parts))
    return Offer(entity.code, entity.label.text(), why, round(min(score, 0.99), 2))


def _table(found: Found) -> Named:
    name = found.name
    if found.path is not None:
        name = found.path.rstrip("/").rpartition("/")[2]
        if found.explode:
            name = f"{_singular(name)}_{found.explode}"
    elif "." in name:
        name = name.rpartition(".")[0]  # a file's ending
    return Named(name, found.comment)


def _columns(found: Found, facts: Sequence[Facts]) -> list[Column]:
    if not found.explode:
        return [Column(one, Named(one.name, one.comment)) for one in facts]
    prefix = f"{found.explode}_"
    lead: tuple[str, ...] = ()
    if found.path is not None:
        lead = lexicon.meanings(_singular(found.path.rstrip("/").rpartition("/")[2]))
    made = []
    for one in facts:
        own = one.name.startswith(prefix)
        bare = {"id", "code", "no", "number"} if not own else set()
        named = Named(
            one.name.removeprefix(prefix), one.comment,
            lead=lead if one.name.lower() in bare else (),
        )  # fmt: skip
        made.append(Column(one, named, header=not own))
    return made


def _singular(word: str) -> str:
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word
