"""Where records come from, of the stand-in."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter

from tenon.server import lineage_models as m
from tenon.server.shapes import Text
from tests.e2e.standin.data import NOW, SOURCES, text
from tests.e2e.standin.rules import need

routes = APIRouter()

MAPPING = m.MappingVersion(
    code="crm_order_line", version=3, epoch=7, package="factory", package_version="0.1.0",
    published_at=NOW - timedelta(days=9), published_by="Tenon 0.1.0", current=False, exact=True,
)  # fmt: skip
_WHO = Text(zh="客户系统", en="CRM")


def _row(source: str, stream: str, key: str, *, wrote: bool = True) -> m.LineageRow:
    return m.LineageRow(
        source=source, label=text(SOURCES[source]), stream=stream, key=key,
        state="applied" if wrote else "gone", wrote=wrote,
        first_seen_at=NOW - timedelta(days=2), seen_at=NOW - timedelta(minutes=3),
        run_id="run-0007",
        run=m.LineageRun(kind="incremental", state="succeeded",
                         started_at=NOW - timedelta(minutes=3), batch=1) if wrote else None,
        mapping=MAPPING if wrote else MAPPING.model_copy(update={"exact": False, "current": True}),
    )  # fmt: skip


def _event(cause: str, id_: str | None) -> m.LineageEvent:
    changes = [
        m.LineageChange(field=Text(zh="数量", en="Quantity"), reference=False, before="1200",
                        after="1500"),
        m.LineageChange(field=Text(zh="物料", en="Item"), reference=True, before="a", after="b"),
    ]  # fmt: skip
    return m.LineageEvent(
        at=NOW - timedelta(hours=5), kind="updated", version=2, origin="live", actor=_WHO,
        cause=m.LineageCause(kind=cause, id=id_), changes=changes,
    )  # fmt: skip


def _rule(*columns: tuple[str, str | None], **more: object) -> m.LineageRule:
    told = [m.LineageColumn(name=n, value=v, masked=False) for n, v in columns]
    plain = {"clean": "text", "cleaned": columns[0][1] if columns else None, "choices": False,
             "times": None, "constant": None, "default": None, "lookup": None}  # fmt: skip
    return m.LineageRule(columns=told, **{**plain, **more})


def _field(code: str, zh: str, en: str, value: str | None, **more: object) -> m.LineageField:
    plain = {"type": "text", "value_label": None, "refers_to": None, "rule": None, "changed": None}
    return m.LineageField(code=code, label=Text(zh=zh, en=en), value=value, **{**plain, **more})


def _fields() -> list[m.LineageField]:
    looked_up = m.LineageLookup(
        kind="code", entity="item", entity_label=Text(zh="物料", en="Item"), by=None,
        how="confirmed", confirmed_by="王工", since=NOW - timedelta(days=30),
    )  # fmt: skip
    hidden = m.LineageRule(
        columns=[m.LineageColumn(name="lines_price", value=None, masked=True)], clean="text",
        cleaned=None, choices=False, times=None, constant=None, default=None, lookup=None,
    )  # fmt: skip
    return [
        _field("line_key", "行号", "Line", "SO-2511-0068|10",
               rule=_rule(("id", "so-2511-0068"), ("lines_line", "10"), clean="document_no",
                          cleaned="SO-2511-0068|10")),
        _field("item", "物料", "Item", "支架 120×80", type="ref",
               refers_to=m.RecordRef(entity="item", id="m-2"),
               rule=_rule(("lines_drawing_no", " DW-7 "), cleaned="DW-7", lookup=looked_up)),
        _field("qty", "数量", "Quantity", "1500", type="decimal",
               rule=_rule(("lines_qty", "1500.0000"), cleaned="1500.0000", times="lines_pack"),
               changed=_event("sync", "run-0007")),
        _field("status", "状态", "State", "open", type="choice",
               value_label=Text(zh="未结", en="Open"),
               rule=_rule(("lines_status", "进行中"), choices=True, cleaned="open")),
        _field("unit", "单位", "Unit", "件", rule=_rule(("lines_unit", None), cleaned=None,
                                                       default="件")),
        _field("currency", "币种", "Currency", "CNY", rule=_rule(constant="CNY", clean=None)),
        _field("amount", "金额", "Amount", "38500", rule=hidden),
        _field("due_at", "交期", "Due", "2025-11-28T00:00:00Z", type="datetime",
               rule=_rule(("lines_requested_date", "2025-11-28"), cleaned="2025-11-28"),
               changed=_event("person", None)),
        _field("remark", "备注", "Remark", None),
    ]  # fmt: skip


_RUNS = [
    m.LineageFlowRun(id="0197a0b0-0000-7000-8000-000000000001", state="waiting",
                     label=Text(zh="新订单下达", en="New order to the shop floor"),
                     started_at=NOW - timedelta(hours=1), ended_at=None),
]  # fmt: skip
_PUSHES = [
    m.LineagePush(push="mes_job", label=Text(zh="作业写入 MES", en="Jobs to the MES"), source="mes",
                  table="mes_job", key=key, state="sent", sent_at=NOW - timedelta(minutes=50),
                  echoed_at=None, flow_run_id=None)
    for key in ("WO-2511-00051-10", None)
]  # fmt: skip


@routes.get("/api/lineage/records/{entity}/{record_id}")
def record_lineage(entity: str, record_id: str) -> m.RecordLineage:
    """Where a record comes from."""
    need("source_rows.read")
    made = record_id != "none"
    rows = [_row("crm", "order_lines", "SO-2511-0068|10"),
            _row("kis", "t_ICItem", "2.07.0113", wrote=False)]  # fmt: skip
    return m.RecordLineage(
        entity=entity, entity_label=Text(zh="订单行", en="Order line"), id=record_id,
        title="SO-2511-0068|10", version=2, created_at=NOW - timedelta(days=2), created_by=_WHO,
        updated_at=NOW - timedelta(hours=5), updated_by=_WHO, fields=_fields(),
        rows=rows if made else [],
        events=[_event("sync", "run-0007"), _event("person", None)]
        if made else [],
        pushes=_PUSHES if made else [], flow_runs=_RUNS if made else [],
    )  # fmt: skip


@routes.get("/api/lineage/source-rows/{source}/{stream}/{key:path}")
def row_lineage(source: str, stream: str, key: str) -> m.RowLineage:
    """What a source row became."""
    need("source_rows.read")
    aside = key.startswith("MV009")
    record = m.RowRecord(entity="order_line", entity_label=Text(zh="订单行", en="Order line"),
                         id="0193-0068", title="SO-2511-0068|10")  # fmt: skip
    row = _row(source, stream, key)
    return m.RowLineage(
        row=row.model_copy(update={"state": "set_aside"}) if aside else row,
        reason=Text(zh="编码不存在", en="Unknown code") if aside else None,
        task_id="t-1" if aside else None,
        columns=[
            m.RowColumn(name="lines_qty", value="1500.0000",
                        makes=[Text(zh="数量", en="Quantity"), Text(zh="金额", en="Amount")]),
            m.RowColumn(name="lines_remark", value=None, makes=[]),
        ],
        record=None if aside else record,
        events=[] if aside else [_event("sync", "run-0007")],
        pushes=[] if aside else _PUSHES, flow_runs=[] if aside else _RUNS,
    )  # fmt: skip
