"""How old the data of each source is."""

from __future__ import annotations

from typing import Any

from tenon.boards.reading import Context
from tenon.boards.registry import card, figure
from tenon.define.models import CardDef
from tenon.kernel.text import Text

_SECONDS = Text("秒", "s")
_SET_ASIDE = Text("{count} 行搁置待处理", "{count} rows set aside")
_TONES = {"ok": "good", "syncing": "good", "never": "warning", "stale": "warning"}


@card("source_age")
def source_age(context: Context, _definition: CardDef) -> dict[str, Any]:
    """Seconds since each source was last read in full; opens to the source's page."""
    return {
        "kind": "sources",
        "figures": [
            figure(
                state.code,
                state.label,
                state.age_seconds,
                unit=_SECONDS,
                tone=_TONES.get(state.state, "bad"),
                note=state.message
                or (_SET_ASIDE.format(count=state.set_aside) if state.set_aside else None),
                link=f"/sources?source={state.code}",
            )
            for state in context.tenon.source_states(context.connection)
        ],
    }
