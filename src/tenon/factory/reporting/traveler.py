"""The traveler 流转卡: a work order's operations, each with the QR code that reports it."""

from __future__ import annotations

from typing import Any, Final, Protocol
from urllib.parse import quote, urlencode

import segno
import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from tenon.connect.deps import ConnectDeps
from tenon.factory.reporting import codes
from tenon.factory.reporting.reports import Reporting
from tenon.kernel.decimals import plain
from tenon.kernel.errors import Conflict, NotFound
from tenon.kernel.text import Text
from tenon.records.ports import Actor

_NO_ORDER = Text("没有这张工单。", "There is no such work order.")
_NOTHING = Text(
    "工单 {number} 还没有可报工的工序（待工艺、已作废或已结束）。",
    "The work order {number} has no operation to report: it awaits engineering, or is over.",
)
_OVER: Final = frozenset({"engineering", "cancelled", "closed", "finished"})


class Printing(Reporting, Protocol):
    """The part of an opened Tenon that printing travelers needs."""

    connect: ConnectDeps


def traveler(
    tenon: Printing, actor: Actor, work_order_id: str, base: str, *, renew: bool
) -> dict[str, Any]:
    """A work order's traveler; `base` is the address that phones reach."""
    reader = tenon.reader(actor)
    order, operation, item = (reader.table(n) for n in ("work_order", "operation", "item"))
    with tenon.hub.write() as tx:
        head = tx.execute(
            sa.select(
                order, item.c.code.label("item_code"), item.c.name.label("item_name"),
                item.c.drawing_no, item.c.drawing_rev, item.c.unit,
            )
            .join_from(order, item, order.c.item == item.c.id, isouter=True)
            .where(order.c.id == work_order_id)
        ).mappings().first()  # fmt: skip
        if head is None:
            raise NotFound("no_work_order", _NO_ORDER)
        rows = tx.execute(
            sa.select(operation)
            .where(operation.c.work_order == work_order_id, operation.c.state != "cancel")
            .order_by(operation.c.seq)
        ).mappings().all()  # fmt: skip
        if head["status"] in _OVER or not rows:
            raise Conflict("nothing_to_report", _NOTHING, number=head["work_order_no"])
        tokens = codes.issue(
            tx, tenon.connect.connections.secrets, [r["id"] for r in rows], renew=renew
        )
    names = ("id", "work_order_no", "item_code", "item_name", "drawing_no", "drawing_rev", "qty")
    return {
        "work_order": {name: head[name] for name in names}
        | {"unit": head["unit"] or "", "due_at": head["due_at"], "plan_end": head["plan_end"]},
        "operations": [
            {
                "id": row["id"], "seq": row["seq"], "process": row["process"],
                "name": row["name"] or row["process"] or str(row["seq"]),
                "work_centre": row["work_centre"], "outside": bool(row["outside"]),
                "qty_plan": row["qty_plan"],
                "url": (url := _url(base, tokens[row["id"]], head, row)), "qr_svg": _qr(url),
            }
            for row in rows
        ],
    }  # fmt: skip


def _url(base: str, token: str, order: RowMapping, row: RowMapping) -> str:
    """The address in the code: the token, and what a phone without a network shows of the job.

    All of it stands behind the #, so it reaches no server's log; only the token is trusted.
    """
    qty = "" if row["qty_plan"] is None else plain(row["qty_plan"])
    said = {"o": order["work_order_no"], "s": row["seq"], "n": row["name"] or "", "q": qty}
    return f"{base}/r/#{token}&{urlencode(said, quote_via=quote)}"


def _qr(url: str) -> str:
    """The address as a QR code; level M survives a thumb's worth of oil on the paper."""
    drawn: str = segno.make(url, error="m", micro=False).svg_inline(border=2, omitsize=True)
    return drawn.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
