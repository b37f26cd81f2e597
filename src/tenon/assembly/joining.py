"""Joining a legacy system without YAML: what the pages and the commands of a source both do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy.engine import Connection

from tenon.assembly import own
from tenon.assembly.tenon import Tenon
from tenon.connect import browse, kingdee, linking, naming, trying
from tenon.connect.contract import Found
from tenon.connect.preview import problems
from tenon.connect.suggest import DRAFT, Suggestion, offers
from tenon.connect.suggest.drafting import free_name
from tenon.connect.tables import source_row
from tenon.define import overview
from tenon.define.models import Definition, Entity, HookDef, Label, Master, PushDef, SourceDef, Sync
from tenon.define.publish import body
from tenon.kernel.errors import BadInput, Conflict, NotFound
from tenon.kernel.text import Text
from tenon.records.ports import Actor

_BAD_DRAFT = Text(
    "这份同步设置有误：{problem}。请修改后再试。",
    "This sync is not right: {problem}. Change it, then try again.",
)
_HAS_ROWS = Text(
    "来源“{source}”已经送来 {rows} 行数据。移除后同步和连接设置会删除，已有的记录保留；"
    "确认要移除，请再次确认。",
    "{rows} rows came through the source “{source}”. Removing it deletes its syncs and its "
    "connection; the records stay. Confirm to remove it.",
)
_NEEDED = Text(
    "来源“{source}”仍被 {what} 使用；请先移除它们。",
    "The source “{source}” is still used by {what}; remove those first.",
)
_BACK = Text(
    "记录都保留。要恢复：重新连接该系统，并运行 tenon package rollback own {epoch} 恢复它的同步。",
    "Every record stays. To come back, connect the system again and run "
    "“tenon package rollback own {epoch}” for its syncs.",
)
_SAID: Final = Text("{zh}", "{en}")
_STALE = Text(
    "“{code}”已被 {by} 改过（第 {version} 版）；请重新打开后再改。",
    "“{code}” was changed by {by} meanwhile (version {version}); open it again, then change it.",
)
_NO_SUCH = Text("没有名为“{code}”的同步。", "There is no sync “{code}”.")
_OTHER_SOURCE = Text(
    "这份设置属于来源“{own}”，不是“{source}”。",
    "This sync is of the source “{own}”, not of “{source}”.",
)


@dataclass(frozen=True, slots=True)
class Removed:
    """What was removed, what stays, and how to come back."""

    code: str
    syncs: list[str]
    records: int
    back: Text


def try_connection(
    tenon: Tenon, kind: str, settings: dict[str, Any], code: str | None = None
) -> list[trying.Step]:
    """Try settings that need not be saved; with `code` the secrets kept for that source."""
    tenon.refuse_when_held()
    if code is not None:
        tenon.catalogue.source(code)
    manifest = linking.manifest_of(kind)
    values = linking.opened(tenon.connect.connections, manifest, code, settings)
    return trying.try_out(tenon.connect.connections, manifest, values, code or "new")


def add_source(
    tenon: Tenon, label: Label, kind: str, settings: dict[str, Any], *, by: Actor,
    code: str | None = None, system: Label | None = None,
) -> str:  # fmt: skip
    """Define a source in the plant's own package and keep its connection; its code."""
    made = code or naming.code_of(label.zh, "source")
    linking.manifest_of(kind)
    if code is None:
        made = own.free_code(tenon.catalogue, "source", made)
    source = SourceDef(
        code=made, label=label, system=system or label, connector=kind, every_seconds=30
    )
    _refuse_taken(tenon, source)
    linking.save(tenon.connect.connections, source, settings)
    try:
        own.put(tenon.hub, [source], by.name)
    except Exception:
        tenon.connect.connections.drop(made)
        raise
    tenon.refresh()
    return made


def connection(tenon: Tenon, code: str) -> dict[str, Any]:
    """The connection of a source as it was entered, secrets only as being set."""
    source = tenon.catalogue.source(code)
    package = package_of(tenon, ("source", code))
    return {
        "source": code, "connector": source.connector, "package": package,
        "settings": linking.shown(tenon.connect.connections, source),
        "ours": package == own.PACKAGE.code,
    }  # fmt: skip


def change_connection(tenon: Tenon, code: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Keep new settings of a source's connection."""
    linking.save(tenon.connect.connections, tenon.catalogue.source(code), settings)
    return connection(tenon, code)


def remove_source(tenon: Tenon, code: str, by: Actor, *, really: bool = False) -> Removed:
    """Remove one of the plant's own sources; its records stay."""
    tenon.catalogue.source(code)
    own.refuse_foreign(_packages(tenon), ("source", code))
    with tenon.hub.read() as reading:
        rows = _rows_of(reading, code)
    if rows and not really:
        raise Conflict("source_has_rows", _HAS_ROWS, source=code, rows=rows)
    parts = _parts_of(tenon, code)
    epoch = tenon.catalogue.epoch
    own.drop(tenon.hub, [("source", code), *parts], by.name)
    tenon.connect.connections.drop(code)
    tenon.refresh()
    return Removed(code, [c for k, c in parts if k == "sync"], rows, _BACK.format(epoch=epoch))


def draft_of(tenon: Tenon, source: str, data: dict[str, Any]) -> Sync:
    """A draft's sync out of data; BadInput says what is wrong with it."""
    tenon.catalogue.source(source)
    said = {"kind": "sync", "source": source, **data}
    said["code"] = said.get("code") or DRAFT
    try:
        draft = Sync.model_validate(said)
    except ValidationError as error:
        problem = "; ".join(
            f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:5]
        )
        raise BadInput("bad_draft", _BAD_DRAFT, problem=problem[:600]) from error
    if draft.source != source:
        raise BadInput("other_source", _OTHER_SOURCE, own=draft.source, source=source)
    tenon.catalogue.entity(draft.target)
    return draft


def add_sync(tenon: Tenon, draft: Sync, by: Actor) -> str:
    """Publish a draft as a new sync of the plant's own; its code."""
    catalogue = tenon.catalogue
    wanted = f"{draft.source}_{draft.target}" if draft.code == DRAFT else draft.code
    taken = {s.stream.name for s in catalogue.syncs_of(draft.source)}
    name = free_name(draft.stream.name, taken)
    stream = draft.stream.model_copy(update={"name": name})
    code = own.free_code(catalogue, "sync", wanted)
    made = draft.model_copy(update={"code": code, "stream": stream})
    _refuse_incomplete(tenon, made)
    own.put(tenon.hub, [made], by.name)
    tenon.refresh()
    return code


def change_sync(
    tenon: Tenon, code: str, draft: Sync, by: Actor, version: int | None = None
) -> None:
    """Publish a sync of the plant's own anew; Conflict when `version` is not the newest."""
    now = sync_page(tenon, code)
    own.refuse_foreign(_packages(tenon), ("sync", code))
    if version is not None and version != now["version"]:
        raise Conflict(
            "stale_version", _STALE, code=code, by=now["changed_by"], version=now["version"]
        )
    made = draft.model_copy(update={"code": code})
    _refuse_incomplete(tenon, made)
    own.put(tenon.hub, [made], by.name)
    tenon.refresh()


def remove_sync(tenon: Tenon, code: str, by: Actor) -> Removed:
    """Remove a sync of the plant's own; its records stay."""
    sync = tenon.catalogue.sync(code)
    own.refuse_foreign(_packages(tenon), ("sync", code))
    with tenon.hub.read() as reading:
        rows = _rows_of(reading, sync.source, sync.stream.name)
    epoch = tenon.catalogue.epoch
    own.drop(tenon.hub, [("sync", code)], by.name)
    tenon.refresh()
    return Removed(code, [code], rows, _BACK.format(epoch=epoch))


def sync_page(tenon: Tenon, code: str) -> dict[str, Any]:
    """A sync as published: its data, whose it is, which version."""
    with tenon.hub.read() as reading:
        row = overview.published_one(reading, "sync", code)
    if row is None:
        raise NotFound("unknown_definition", _NO_SUCH, code=code)
    return {
        "code": code, "draft": row.body, "package": row.package, "version": row.version,
        "ours": row.package == own.PACKAGE.code, "changed_at": row.published_at,
        "changed_by": row.published_by,
    }  # fmt: skip


def targets(tenon: Tenon) -> list[dict[str, Any]]:
    """The entities that a table may fill, golden ones first."""
    masters = {m.entity: m for m in tenon.catalogue.of(Master)}
    entities = sorted(tenon.catalogue.of(Entity), key=lambda e: e.code not in masters)
    return [
        {
            "entity": e.code, "label": e.label.text(), "master": e.code in masters,
            "key": [f.code for f in e.fields if f.unique or f.code == "code"][:1],
            "keys": [
                {"code": k.code, "label": k.label.text()}
                for k in (masters[e.code].keys if e.code in masters else ())
            ],
            "fields": [
                {
                    "code": f.code, "label": f.label.text(), "type": f.type,
                    "required": f.required, "target": f.target,
                    "choices": [{"code": c.code, "label": c.label.text()} for c in f.choices],
                }
                for f in e.fields
            ],
        }
        for e in entities
    ]  # fmt: skip


def list_tables(tenon: Tenon, source: str, query: str, page: int, page_size: int) -> dict[str, Any]:
    """A page of a source's tables: what seems useful first, then by name."""
    found = browse.tables(tenon.connect, source)
    catalogue = tenon.catalogue
    ledger = kingdee.recognise(found)
    known = kingdee.ready(found)
    likely = offers(catalogue, found)
    chosen = browse.matching(found, query)
    chosen.sort(key=lambda t: (-likely[t.name].score if t.name in likely else 0.0, t.name))
    shown = chosen[(page - 1) * page_size : page * page_size]
    return {
        "tables": [
            {
                "name": t.name, "label": _called(t, known.get(t.name.casefold())),
                "columns": t.columns, "key": list(t.key), "rows": t.rows,
                "sync": one.code if (one := browse.sync_of(catalogue, source, t)) else None,
                "offer": likely.get(t.name),
            }
            for t in shown
        ],
        "total": len(chosen), "page": page, "page_size": page_size,
        "ledger": {"code": ledger.code, "label": ledger.label, "note": ledger.note}
        if ledger else None,
    }  # fmt: skip


def _called(table: Found, offer: kingdee.Offer | None) -> Text | None:
    if offer is not None:
        return offer.label
    return Text(table.comment, table.comment) if table.comment else None


def suggestion_as_answer(found: Suggestion) -> dict[str, Any]:
    """A suggestion as the API answers it."""
    others = [{"target": o.entity, "label": o.label, "score": o.score} for o in found.others]
    return {
        "draft": body(found.draft), "why": found.why, "sure": found.sure, "others": others,
        "missing": found.missing,
    }  # fmt: skip


def rows(tenon: Tenon, source: str, table: str, limit: int) -> dict[str, Any]:
    """The first rows of a table, as texts."""
    tenon.refuse_when_held()
    found = browse.table(tenon.connect, source, table)
    stream = browse.stream_of(found, tenon.catalogue.source(source).connector)
    with browse.opened(tenon.connect, source) as connector:
        return browse.shown_rows(browse.sample(connector, stream, limit))


def package_of(tenon: Tenon, key: own.Key) -> str:
    """The package that a definition belongs to."""
    return _packages(tenon).get(key, own.PACKAGE.code)


def _packages(tenon: Tenon) -> dict[own.Key, str]:
    with tenon.hub.read() as reading:
        return overview.packages_of(reading)


def _refuse_taken(tenon: Tenon, source: SourceDef) -> None:
    if source.code in {s.code for s in tenon.catalogue.of(SourceDef)}:
        raise Conflict("source_taken", _TAKEN, code=source.code)


_TAKEN: Final = Text(
    "已经有编码为“{code}”的来源；请换一个名称。",
    "There is a source with the code “{code}” already; choose another name.",
)


def _rows_of(reading: Connection, source: str, stream: str | None = None) -> int:
    query = sa.select(sa.func.count()).select_from(source_row).where(source_row.c.source == source)
    if stream is not None:
        query = query.where(source_row.c.stream == stream)
    return reading.scalar(query) or 0


def _parts_of(tenon: Tenon, code: str) -> list[own.Key]:
    """The definitions of a source that go with it; Conflict when another package has some."""
    kinds: tuple[type[Definition], ...] = (Sync, HookDef, PushDef)
    mine = [d for d in tenon.catalogue.definitions if isinstance(d, kinds)]
    keys = [(d.kind, d.code) for d in mine if getattr(d, "source", None) == code]
    packages = _packages(tenon)
    foreign = [c for k, c in keys if packages.get((k, c)) != own.PACKAGE.code]
    if foreign:
        raise Conflict("source_needed", _NEEDED, source=code, what=", ".join(foreign))
    return keys


def _refuse_incomplete(tenon: Tenon, draft: Sync) -> None:
    """BadInput when the runner would refuse the sync as a whole."""
    found = problems(tenon.catalogue, draft)
    if found:
        zh = "；".join(p.message.zh.rstrip("。") for p in found[:3]) + "。"
        raise BadInput(
            "bad_draft", _SAID, zh=zh, en=" ".join(p.message.en for p in found[:3]),
            field=found[0].field,
        )  # fmt: skip
