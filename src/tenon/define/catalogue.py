"""The catalogue: the published definitions of one moment, checked against each other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import yaml
from pydantic import ValidationError
from sqlalchemy.engine import Connection

from tenon.define.models import (
    KINDS,
    BoardDef,
    Definition,
    Entity,
    Flow,
    HookDef,
    Identity,
    MapRule,
    Master,
    Package,
    PushDef,
    Role,
    SourceDef,
    Sync,
)
from tenon.kernel.errors import Config, NotFound
from tenon.kernel.text import Text

_INVALID = Text(
    "定义 {where} 有误：{problem}。请修改后再发布。",
    "The definition {where} is wrong: {problem}. Mend it, then publish.",
)
_UNKNOWN = Text("没有名为“{code}”的{kind}定义。", "There is no {kind} definition “{code}”.")

D = TypeVar("D", bound=Definition)

# The same safe loader in C where PyYAML has it: a package is read at every start.
_SAFE: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, eq=False)
class Catalogue:
    """Published definitions by kind and code; `epoch` rises with each publish."""

    epoch: int
    definitions: tuple[Definition, ...] = field(repr=False)

    @cached_property
    def _index(self) -> dict[tuple[str, str], Definition]:
        return {(d.kind, d.code): d for d in self.definitions}

    def of(self, kind: type[D]) -> tuple[D, ...]:
        """All definitions of a kind, in their published order."""
        return self._by_kind.get(kind, ())

    @cached_property
    def _by_kind(self) -> dict[type[Any], tuple[Any, ...]]:
        kinds = dict.fromkeys(map(type, self.definitions))
        return {k: tuple(d for d in self.definitions if type(d) is k) for k in kinds}

    def _get(self, kind: type[D], code: str) -> D:
        name = kind.model_fields["kind"].default
        found = self._index.get((name, code))
        if not isinstance(found, kind):
            raise NotFound("unknown_definition", _UNKNOWN, kind=name, code=code)
        return found

    def entity(self, code: str) -> Entity:
        """The entity with this code."""
        return self._get(Entity, code)

    def master(self, code: str) -> Master:
        """The golden entity with this code."""
        return self._get(Master, code)

    def source(self, code: str) -> SourceDef:
        """The source with this code."""
        return self._get(SourceDef, code)

    def sync(self, code: str) -> Sync:
        """The sync with this code."""
        return self._get(Sync, code)

    def hook(self, code: str) -> HookDef:
        """The hook with this code."""
        return self._get(HookDef, code)

    def push(self, code: str) -> PushDef:
        """The push with this code."""
        return self._get(PushDef, code)

    def flow(self, code: str) -> Flow:
        """The flow with this code."""
        return self._get(Flow, code)

    def role(self, code: str) -> Role:
        """The role with this code."""
        return self._get(Role, code)

    def board(self, code: str) -> BoardDef:
        """The board with this code."""
        return self._get(BoardDef, code)

    def syncs_of(self, source: str) -> tuple[Sync, ...]:
        """The syncs of a source, in the order they run."""
        return tuple(sorted((s for s in self.of(Sync) if s.source == source), key=_by_order))


class CatalogueNow(Protocol):
    """Gives the catalogue of the moment."""

    def __call__(self, tx: Connection | None = None) -> Catalogue:
        """Within a write transaction what it saw first; it asks over the same connection."""
        ...


def _by_order(sync: Sync) -> tuple[int, str]:
    return sync.order, sync.code


def parse(data: Any, where: str) -> Definition:
    """One definition from its data; Config names what is wrong and where."""
    kind = KINDS.get(data.get("kind", "")) if isinstance(data, dict) else None
    if kind is None:
        problem = f"kind must be one of {', '.join(KINDS)}"
        raise Config("invalid_definition", _INVALID, where=where, problem=problem)
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        problem = "; ".join(
            f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:5]
        )
        raise Config("invalid_definition", _INVALID, where=where, problem=problem) from error


def read_package(folder: Path) -> tuple[Package, tuple[Definition, ...]]:
    """A package's definitions from its YAML files (several documents a file).

    They may name what other packages define, so they are checked when they are planned.
    """
    found: list[Definition] = []
    for path in sorted(folder.rglob("*.yaml")):
        for number, data in enumerate(yaml.load_all(path.read_text("utf-8"), _SAFE), 1):
            if data is not None:
                found.append(parse(data, f"{path.relative_to(folder)}#{number}"))
    packages = [d for d in found if isinstance(d, Package)]
    if len(packages) != 1:
        problem = f"a package has one package.yaml, found {len(packages)}"
        raise Config("invalid_definition", _INVALID, where=str(folder.name), problem=problem)
    return packages[0], tuple(found)


def check(definitions: Iterable[Definition]) -> None:
    """Refuse definitions that name what does not exist."""
    catalogue = Catalogue(0, tuple(definitions))
    seen: set[tuple[str, str]] = set()
    for definition in catalogue.definitions:
        where = f"{definition.kind} {definition.code}"
        if (definition.kind, definition.code) in seen:
            raise Config("invalid_definition", _INVALID, where=where, problem="defined twice")
        seen.add((definition.kind, definition.code))
        for problem in _problems(definition, catalogue):
            raise Config("invalid_definition", _INVALID, where=where, problem=problem)


def _problems(definition: Definition, catalogue: Catalogue) -> Iterable[str]:
    entities = {e.code: e for e in catalogue.of(Entity)}
    if isinstance(definition, Entity):
        for target in {f.target for f in definition.fields if f.target} - entities.keys():
            yield f"unknown target entity {target}"
        for column in {c for index in definition.indexes for c in index}:
            if column not in definition.by_code:
                yield f"index on unknown field {column}"
    elif isinstance(definition, Master) and definition.entity not in entities:
        yield f"unknown entity {definition.entity}"
    elif isinstance(definition, Sync):
        yield from _sync_problems(definition, catalogue, entities)
    elif isinstance(definition, Flow) and definition.trigger.record not in entities:
        yield f"unknown entity {definition.trigger.record}"
    elif isinstance(definition, HookDef):
        yield from _hook_problems(definition, catalogue)
    elif isinstance(definition, PushDef):
        yield from _push_problems(definition, catalogue, entities)


def _hook_problems(hook: HookDef, catalogue: Catalogue) -> Iterable[str]:
    own = {s.code for s in catalogue.syncs_of(hook.source)}
    for code in hook.syncs:
        if code not in own:
            yield f"{code} is no sync of the source {hook.source}"
    if hook.item is None and hook.path is None:
        yield "a hook needs `item` or `path`: where the item itself is"


def _push_problems(
    push: PushDef, catalogue: Catalogue, entities: dict[str, Entity]
) -> Iterable[str]:
    sources = {s.code: s for s in catalogue.of(SourceDef)}
    if push.source not in sources:
        yield f"unknown source {push.source}"
    elif sources[push.source].ledger:
        yield f"{push.source} is a ledger, and a ledger is never written"
    if push.stream not in {s.stream.name for s in catalogue.syncs_of(push.source)}:
        yield f"no sync reads the stream {push.stream} of {push.source}"
    if push.entity not in entities:
        yield f"unknown entity {push.entity}"
    for column in {*push.key, *push.changes} - push.columns.keys():
        yield f"column {column} is not among the columns written"


def _sync_problems(sync: Sync, catalogue: Catalogue, entities: dict[str, Entity]) -> Iterable[str]:
    masters = {m.entity: m for m in catalogue.of(Master)}
    if sync.source not in {s.code for s in catalogue.of(SourceDef)}:
        yield f"unknown source {sync.source}"
    for other in catalogue.syncs_of(sync.source):
        if other.code != sync.code and other.stream.name == sync.stream.name:
            yield f"stream {sync.stream.name} is also read by sync {other.code}"
    yield from _schedule_problems(sync, catalogue)
    if sync.target not in entities:
        yield f"unknown target entity {sync.target}"
        return
    for code, rule in sync.fields.items():
        if code not in entities[sync.target].by_code:
            yield f"{sync.target} has no field {code}"
        yield from _rule_problems(code, rule, masters, entities)
    if sync.identity:
        yield from _identity_problems(sync, sync.identity, catalogue, masters)


def _schedule_problems(sync: Sync, catalogue: Catalogue) -> Iterable[str]:
    """What is wrong with the syncs that a sync waits for, one after the other."""
    syncs = {s.code: s for s in catalogue.of(Sync)}
    sources = {s.code: s.schedule for s in catalogue.of(SourceDef)}
    seen = [sync.code]
    while True:
        last = syncs[seen[-1]]
        schedule = last.schedule or sources.get(last.source)
        if schedule is None or schedule.after is None:
            return
        if schedule.after not in syncs:
            yield f"unknown sync {schedule.after}"
            return
        if schedule.after in seen:
            yield f"the sync {schedule.after} would wait for itself"
            return
        seen.append(schedule.after)


def _rule_problems(
    code: str, rule: MapRule, masters: dict[str, Master], entities: dict[str, Entity]
) -> Iterable[str]:
    if rule.master and rule.master not in masters:
        yield f"field {code}: {rule.master} is no golden entity"
    elif rule.master and rule.by and rule.by not in {k.code for k in masters[rule.master].keys}:
        yield f"field {code}: {rule.master} has no match key {rule.by}"
    if rule.ref and (rule.ref not in entities or rule.by not in entities[rule.ref].by_code):
        yield f"field {code}: {rule.ref} has no field {rule.by}"


def _identity_problems(
    sync: Sync, identity: Identity, catalogue: Catalogue, masters: dict[str, Master]
) -> Iterable[str]:
    if sync.target not in masters:
        yield f"{sync.target} is no golden entity"
        return
    owner = identity.found_unless
    if owner and owner not in {s.code for s in catalogue.of(Sync)}:
        yield f"unknown sync {owner}"
    known = {k.code for k in masters[sync.target].keys}
    for key in identity.keys.keys() - known:
        yield f"{sync.target} has no match key {key}"
