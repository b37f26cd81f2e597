"""Drafts that need no guessing: the tables of a ledger that was recognised."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from tenon.connect.kingdee import Ledger, Offer
from tenon.connect.suggest import reasons
from tenon.connect.suggest.drafting import founding, free_name, owners
from tenon.define.catalogue import Catalogue, check
from tenon.define.models import Entity, Sync
from tenon.kernel.errors import TenonError
from tenon.kernel.text import Text

_SURE = 0.99


def reason(ledger: Ledger) -> Text:
    """Why the mapping is known."""
    return reasons.READY.format(ledger=ledger.label.zh, ledger_en=ledger.label.en)


def draft(
    catalogue: Catalogue, ledger: Ledger, offer: Offer, source: str, code: str,
    connected: Collection[str],
) -> tuple[Sync, dict[str, Text], dict[str, float]] | None:  # fmt: skip
    """The ready draft with its reasons; None where this installation lacks what it fills."""
    entity = next((e for e in catalogue.of(Entity) if e.code == offer.sync["target"]), None)
    if entity is None:
        return None
    taken = {s.stream.name for s in catalogue.syncs_of(source)}
    label = {"zh": offer.label.zh, "en": offer.label.en}
    data: dict[str, Any] = {
        **offer.sync, "kind": "sync", "code": code, "label": label, "source": source,
        "stream": offer.stream.model_copy(update={"name": free_name(offer.stream.name, taken)}),
    }  # fmt: skip
    places = [*data["fields"], "key", "cursor", "target"]
    why = dict.fromkeys(places, reason(ledger))
    identity = data.get("identity")
    if identity:
        others = owners(catalogue, entity, source, connected)
        founds, because = founding(catalogue, entity, bool(identity["keys"]), others)
        founds = founds or bool(identity.get("founds"))
        data["identity"] = {**identity, "founds": founds}
        why["identity.founds"] = because
        if not founds:
            data["fields"] = {}
            data["order"] = max(s.order for s in catalogue.of(Sync) if s.target == entity.code)
    try:
        made = Sync.model_validate(data)
        check((*(d for d in catalogue.definitions if d.code != code), made))
    except (ValueError, TenonError):
        return None  # the entity was changed here: then it is guessed like any other
    return made, why, dict.fromkeys(why, _SURE)
