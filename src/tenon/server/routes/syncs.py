"""Steering the syncs: pausing and resuming sources and streams, ending runs."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from tenon.connect import backfill, control, drift
from tenon.connect import runs as run_service
from tenon.connect.span import Span
from tenon.kernel.errors import NotFound
from tenon.kernel.text import Text
from tenon.server.guard import Caller, requires, router
from tenon.server.source_models import BackfillAsk, DriftDecision, Reason, RunPage, SourceState

_NOT_CONNECTED = Text(
    "来源“{source}”没有连接设置。", "The source “{source}” has no connection settings."
)

routes = router("sources")

Manager = Annotated[Caller, requires("sources.manage")]


@routes.post("/sources/{code}/pause")
def pause_source(caller: Manager, code: str, body: Reason) -> SourceState:
    """Read nothing of a source until it is resumed; what runs ends after its batch."""
    return _pause(caller, code, "", body.reason)


@routes.post("/sources/{code}/resume")
def resume_source(caller: Manager, code: str) -> SourceState:
    """Read a source again, from where it was left."""
    return _resume(caller, code, "")


@routes.post("/sources/{code}/syncs/{sync}/pause")
def pause_sync(caller: Manager, code: str, sync: str, body: Reason) -> SourceState:
    """Pause one sync of a source; the others go on."""
    control.sync_of(caller.tenon.catalogue, code, sync)
    return _pause(caller, code, sync, body.reason)


@routes.post("/sources/{code}/syncs/{sync}/resume")
def resume_sync(caller: Manager, code: str, sync: str) -> SourceState:
    """Let a sync go on from where it was left."""
    control.sync_of(caller.tenon.catalogue, code, sync)
    return _resume(caller, code, sync)


@routes.post("/sources/{code}/syncs/{sync}/backfill", status_code=202)
def ask_backfill(caller: Manager, code: str, sync: str, body: BackfillAsk) -> SourceState:
    """Have a range of a stream read again; the watermark stays where it is."""
    tenon = caller.tenon
    tenon.refuse_when_held()
    found = control.sync_of(tenon.catalogue, code, sync)
    span = Span(body.by, body.low, body.high)
    with tenon.hub.write() as tx:
        backfill.ask(
            tx, tenon.catalogue, found, span, body.reason, caller.actor.name, at_once=body.at_once
        )
    tenon.syncing.wake(code)
    return _state(caller, code)


@routes.post("/sources/{code}/syncs/{sync}/drift")
def decide_drift(caller: Manager, code: str, sync: str, body: DriftDecision) -> SourceState:
    """Accept the columns of a stream as they are now, or refuse them."""
    tenon = caller.tenon
    found = control.sync_of(tenon.catalogue, code, sync)
    with tenon.hub.write() as tx:
        drift.decide(tx, tenon.catalogue, found, caller.actor.name, accept=body.accept)
    tenon.syncing.wake(code)
    return _state(caller, code)


@routes.post("/backfills/{backfill_id}/cancel")
def cancel_backfill(caller: Manager, backfill_id: UUID, body: Reason) -> None:
    """Give a back-fill up; what it has written stays."""
    with caller.tenon.hub.write() as tx:
        backfill.cancel(tx, str(backfill_id), body.reason, caller.actor.name)


@routes.post("/runs/{run_id}/cancel")
def cancel_run(caller: Manager, run_id: UUID, body: Reason) -> RunPage:
    """End a run after the batch it is at, and pause its sync; what was committed stays."""
    tenon = caller.tenon
    with tenon.hub.write() as tx:
        control.cancel(tx, str(run_id), body.reason, caller.actor.name)
    with tenon.hub.read() as connection:
        found = run_service.run_page(connection, tenon.catalogue, str(run_id))
    return RunPage.model_validate(found)


def _pause(caller: Caller, code: str, sync: str, reason: str) -> SourceState:
    tenon = caller.tenon
    tenon.catalogue.source(code)
    with tenon.hub.write() as tx:
        control.pause(tx, code, sync, reason, caller.actor.name)
    return _state(caller, code)


def _resume(caller: Caller, code: str, sync: str) -> SourceState:
    tenon = caller.tenon
    tenon.catalogue.source(code)
    with tenon.hub.write() as tx:
        control.resume(tx, code, sync)
    tenon.syncing.wake(code)
    return _state(caller, code)


def _state(caller: Caller, code: str) -> SourceState:
    with caller.tenon.hub.read() as connection:
        states = caller.tenon.source_states(connection)
    for state in states:
        if state.code == code:
            return SourceState.model_validate(state)
    raise NotFound("not_connected", _NOT_CONNECTED, source=code)
