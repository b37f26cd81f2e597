"""The connect wizard: connectors, connections, what a source has, drafts of syncs."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from tenon.assembly import joining
from tenon.connect.preview import preview
from tenon.connect.settings import MANIFESTS
from tenon.connect.suggest import suggest
from tenon.define.models import Label
from tenon.kernel.errors import NotFound
from tenon.kernel.text import Text
from tenon.server.connect_models import (
    ConnectionChange,
    ConnectionSettings,
    ConnectionTry,
    ConnectorKind,
    NewLabel,
    NewSource,
    NewSync,
    PreviewAnswer,
    PreviewAsk,
    SourceRemoved,
    SuggestAsk,
    Suggestion,
    SyncChange,
    SyncPage,
    TableList,
    TableRows,
    Target,
    TryAnswer,
)
from tenon.server.guard import Caller, requires, router
from tenon.server.paging import Page, PageSize
from tenon.server.source_models import SourceState

routes = router("connect")

Reader = Annotated[Caller, requires("sources.read")]
RowReader = Annotated[Caller, requires("source_rows.read")]
Manager = Annotated[Caller, requires("sources.manage")]

_GONE = Text("没有来源“{code}”。", "There is no source “{code}”.")


@routes.get("/connectors")
def list_connectors(_caller: Reader) -> list[ConnectorKind]:
    """List the kinds of connection and what each asks of a person."""
    return [ConnectorKind.model_validate(one) for one in MANIFESTS.values()]


@routes.post("/connections/try")
def try_connection(caller: Manager, body: ConnectionTry) -> TryAnswer:
    """Try a connection step by step; nothing is saved."""
    steps = joining.try_connection(caller.tenon, body.connector, dict(body.settings), body.source)
    return TryAnswer.model_validate({"steps": steps})


@routes.post("/sources", status_code=201)
def add_source(caller: Manager, body: NewSource) -> SourceState:
    """Join a legacy system: its definition, its connection, its secret."""
    code = joining.add_source(
        caller.tenon, _label(body.label), body.connector, dict(body.settings), by=caller.actor,
        code=body.code, system=_label(body.system) if body.system else None,
    )  # fmt: skip
    return _state(caller, code)


@routes.get("/sources/{code}/connection")
def show_connection(caller: Manager, code: str) -> ConnectionSettings:
    """Show a connection as it was entered, secrets only as being set."""
    return ConnectionSettings.model_validate(joining.connection(caller.tenon, code))


@routes.put("/sources/{code}/connection")
def change_connection(caller: Manager, code: str, body: ConnectionChange) -> ConnectionSettings:
    """Change a connection; a secret that is not sent stays, unless the address changes."""
    found = joining.change_connection(caller.tenon, code, dict(body.settings))
    return ConnectionSettings.model_validate(found)


@routes.delete("/sources/{code}")
def remove_source(caller: Manager, code: str, *, really: bool = False) -> SourceRemoved:
    """Remove one of the plant's own sources; its records stay."""
    removed = joining.remove_source(caller.tenon, code, caller.actor, really=really)
    return SourceRemoved.model_validate(removed)


@routes.get("/sources/{code}/tables")
def list_tables(
    caller: Reader,
    code: str,
    q: Annotated[str, Query(max_length=100)] = "",
    page: Page = 1,
    page_size: PageSize = 50,
) -> TableList:
    """List what a source has, with what each table most likely holds."""
    tenon = caller.tenon
    tenon.refuse_when_held()
    found = joining.list_tables(tenon, code, q, page, page_size)
    return TableList.model_validate(found)


@routes.get("/sources/{code}/tables/{name:path}/rows")
def list_rows(
    caller: RowReader, code: str, name: str, limit: Annotated[int, Query(ge=1, le=200)] = 20
) -> TableRows:
    """Show the first rows of a table."""
    return TableRows.model_validate(joining.rows(caller.tenon, code, name, limit))


@routes.get("/targets")
def list_targets(caller: Reader) -> list[Target]:
    """List the entities that a table may fill."""
    return [Target.model_validate(one) for one in joining.targets(caller.tenon)]


@routes.post("/sources/{code}/suggest")
def suggest_sync(caller: Manager, code: str, body: SuggestAsk) -> Suggestion:
    """Suggest how a table is mapped, with the reason for each field."""
    caller.tenon.refuse_when_held()
    found = suggest(caller.tenon.connect, code, body.table, body.target)
    return Suggestion.model_validate(joining.suggestion_as_answer(found))


@routes.post("/sources/{code}/preview")
def preview_sync(caller: Manager, code: str, body: PreviewAsk) -> PreviewAnswer:
    """Show what a draft's first rows would become; nothing is written."""
    tenon = caller.tenon
    tenon.refuse_when_held()
    draft = joining.draft_of(tenon, code, body.draft)
    found = preview(tenon.connect, draft, body.limit)
    return PreviewAnswer.model_validate(found.as_answer())


@routes.post("/syncs", status_code=201)
def add_sync(caller: Manager, body: NewSync) -> SyncPage:
    """Publish a draft as a sync of the plant's own."""
    draft = joining.draft_of(caller.tenon, body.source, body.draft)
    code = joining.add_sync(caller.tenon, draft, caller.actor)
    return _sync(caller, code)


@routes.get("/syncs/{code}")
def show_sync(caller: Reader, code: str) -> SyncPage:
    """Show a sync as it is published."""
    return _sync(caller, code)


@routes.put("/syncs/{code}")
def change_sync(caller: Manager, code: str, body: SyncChange) -> SyncPage:
    """Publish a sync of the plant's own anew."""
    source = body.source or caller.tenon.catalogue.sync(code).source
    draft = joining.draft_of(caller.tenon, source, body.draft)
    joining.change_sync(caller.tenon, code, draft, caller.actor, body.version)
    return _sync(caller, code)


@routes.delete("/syncs/{code}")
def remove_sync(caller: Manager, code: str) -> SourceRemoved:
    """Remove a sync of the plant's own; its records stay."""
    return SourceRemoved.model_validate(joining.remove_sync(caller.tenon, code, caller.actor))


def _sync(caller: Caller, code: str) -> SyncPage:
    return SyncPage.model_validate(joining.sync_page(caller.tenon, code))


def _label(given: NewLabel) -> Label:
    return Label(zh=given.zh, en=given.en or given.zh)


def _state(caller: Caller, code: str) -> SourceState:
    with caller.tenon.hub.read() as connection:
        states = caller.tenon.source_states(connection)
    for state in states:
        if state.code == code:
            return SourceState.model_validate(state)
    raise NotFound("unknown_definition", _GONE, code=code)
