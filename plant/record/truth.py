"""Schema of the truth file: what happened, and what was recorded of it and when."""

from sqlalchemy import Column, Integer, MetaData, String, Table, Text

from plant.legacy.columns import key, number_key, quantity, text, whole

METADATA = MetaData()


def _at(name: str) -> Column[int]:
    return Column(name, Integer, nullable=True, index=False)


# Instants are whole seconds of plant time since the origin kept in `about`.
ABOUT = Table("about", METADATA, key("name"), Column("value", Text))

# -- happened ---------------------------------------------------------------------------------
ORDER_LINE = Table(
    "happened_order_line",
    METADATA,
    key("order_no"),
    number_key("line"),
    _at("created_at"),
    whole("standard"),
    text("drawing_no", 80),
    text("wms_item", 40),
)
LINE_EVENT = Table(
    "happened_line_event",
    METADATA,
    number_key("id"),
    text("order_no", 40),
    whole("line"),
    _at("at"),
    text("kind", 20),  # qty, cancelled, closed
    quantity("qty"),
)
WORK_ORDER = Table(
    "happened_work_order",
    METADATA,
    key("wo"),
    text("product_code", 40),
    _at("created_at"),
    _at("released_at"),
    _at("cancelled_at"),
    _at("closed_at"),
)
HOLD = Table("happened_hold", METADATA, key("wo"), number_key("from_at"), _at("until_at"))
ALLOCATION = Table(
    "happened_allocation",
    METADATA,
    number_key("id"),
    text("wo", 40),
    text("order_no", 40),
    whole("line"),
    _at("at"),
)
OPERATION = Table(
    "happened_operation",
    METADATA,
    key("job_no"),
    text("wo", 40),
    whole("op_seq"),
    text("kind", 10),  # press, manual, outside
    text("process", 40),
    _at("created_at"),
    _at("cancelled_at"),
    quantity("planned_min"),
    _at("started_at"),
    _at("ended_at"),
    text("machine", 40),
    quantity("qty_in"),
    quantity("qty_good"),
    quantity("qty_scrap"),
)
RECEIPT = Table("happened_receipt", METADATA, key("wo"), _at("at"), quantity("qty"))
SHIPMENT = Table(
    "happened_shipment",
    METADATA,
    number_key("id"),
    text("order_no", 40),
    whole("line"),
    _at("at"),
    quantity("qty"),
)
ISSUE = Table(
    "happened_issue",
    METADATA,
    number_key("id"),
    text("wo", 40),
    text("item_code", 40),
    _at("at"),
    quantity("qty"),
)
STOP = Table(
    "happened_stop",
    METADATA,
    number_key("id"),
    text("machine", 40),
    text("kind", 20),  # breakdown, power_cut, absence
    _at("foretold_from"),
    _at("start_at"),
    _at("end_at"),
)

# -- recorded ---------------------------------------------------------------------------------
REPORT = Table(
    "recorded_report",
    METADATA,
    key("true_job_no"),
    key("kind", 10),
    text("job_no", 40),
    text("feedback_no", 40),
    _at("evidence_at"),
    _at("keyed_at"),
    text("fault", 20),
)
RUN = Table(
    "recorded_run",
    METADATA,
    number_key("id"),
    text("machine", 40),
    text("job_no", 40),
    text("true_job_no", 40),
    _at("start_at"),
    _at("end_at"),
)
MOVE = Table(
    "recorded_move",
    METADATA,
    key("move_no"),
    text("move_type", 20),
    text("item_code", 40),
    text("workorder_no", 60),
    text("order_no", 60),
    whole("order_line"),
    quantity("qty"),
    whole("direction"),
    _at("moved_at"),
    _at("keyed_at"),
    _at("void_at"),
    text("true_wo", 40),
)
ALLOCATED = Table(
    "recorded_allocation",
    METADATA,
    number_key("id"),
    text("workorder_code", 40),
    text("order_no", 60),
    whole("order_line"),
    _at("keyed_at"),
)
FAULT = Table(
    "recorded_fault",
    METADATA,
    number_key("id"),
    text("kind", 40),
    text("system", 10),
    text("table_name", 40),
    text("row_key", 80),
    text("wo", 40),
    text("other_wo", 40),
    text("job_no", 40),
    text("order_no", 40),
    _at("at"),
    _at("until_at"),
    Column("detail", String(300)),
)
