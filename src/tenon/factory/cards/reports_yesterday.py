"""Yesterday's job reports: how many, how much, how punctually."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from tenon.boards.reading import Context
from tenon.boards.registry import card, figure
from tenon.define.models import CardDef
from tenon.kernel import clock
from tenon.kernel.text import Text

_LATE = timedelta(hours=2)
_REPORTS = Text("条", "reports")
_PIECES = Text("件", "pcs")


@card("reports_yesterday")
def reports_yesterday(context: Context, _definition: CardDef) -> dict[str, Any]:
    """Finish reports keyed on yesterday's date in the plant's zone."""
    report = context.reader.table("job_report")
    begin = clock.day_start(context.now, context.zone, days=-1)
    end = clock.day_start(context.now, context.zone)
    rows = context.connection.execute(
        sa.select(
            report.c.qty_good, report.c.qty_scrap_work, report.c.qty_scrap_material,
            report.c.finished_at, report.c.reported_at, report.c.employee,
        ).where(
            report.c.reported_at >= begin, report.c.reported_at < end, report.c.report == "finish"
        )
    ).all()  # fmt: skip
    late = sum(bool(r.finished_at) and r.reported_at - r.finished_at > _LATE for r in rows)
    good = sum(r.qty_good or 0 for r in rows)
    scrap = sum((r.qty_scrap_work or 0) + (r.qty_scrap_material or 0) for r in rows)
    day = f"{begin.astimezone(context.zone):%m-%d}"
    return {
        "kind": "figures",
        "hint": Text(f"{day} 录入的完工报工", f"finish reports keyed in on {day}").as_dict(),
        "figures": [
            figure("reports", Text("报工", "Reports"), len(rows), unit=_REPORTS),
            figure("people", Text("报工人数", "Operators"), len({r.employee for r in rows})),
            figure("good", Text("合格数", "Good"), good, unit=_PIECES),
            figure("scrap", Text("报废数", "Scrap"), scrap, unit=_PIECES),
            figure(
                "late",
                Text("迟报(超 2 小时)", "Keyed over 2 h late"),
                late,
                unit=_REPORTS,
                tone="warning" if late else "good",
            ),
        ],
    }
