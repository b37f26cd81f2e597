"""Schema of the plant's WMS: items, lots, locations, moves and balances."""

from sqlalchemy import MetaData, Table

from plant.legacy.columns import key, moment, price, quantity, text, whole

METADATA = MetaData()

ITEM = Table(
    "wm_item",
    METADATA,
    key("item_code"),
    text("item_name"),
    text("spec"),
    text("unit", 10),
    text("item_type", 10),
    text("erp_code", 60),
    text("drawing_no", 80),
    moment("update_time", indexed=True),
)
VENDOR = Table(
    "wm_vendor",
    METADATA,
    key("vendor_code"),
    text("vendor_name"),
    text("tax_no", 60),
    moment("update_time", indexed=True),
)
LOT = Table(
    "wm_lot",
    METADATA,
    key("lot_no"),
    text("item_code", 40),
    text("vendor_code", 40),
    price("kg_per_piece"),
    quantity("gauge_mm"),
    quantity("width_mm"),
    moment("received_at"),
    quantity("qty_kg"),
    text("status", 20),
    moment("update_time", indexed=True),
)
LOCATION = Table(
    "wm_location",
    METADATA,
    key("location_code"),
    text("area", 60),
    text("warehouse", 60),
)
MOVE = Table(
    "wm_move",
    METADATA,
    key("move_no"),
    text("move_type", 20),
    text("item_code", 40),
    text("lot_no", 40),
    quantity("qty"),
    text("unit", 10),
    whole("direction"),
    text("location_code", 40),
    text("workorder_no", 60),
    text("order_no", 60),
    whole("order_line"),
    text("vendor_code", 40),
    text("customer_name"),
    text("red_of", 40),
    text("operator", 60),
    moment("moved_at"),
    text("erp_period", 10),
    text("status", 20),
    moment("update_time", indexed=True),
)
BALANCE = Table(
    "wm_balance",
    METADATA,
    key("item_code"),
    key("lot_no"),
    key("location_code"),
    quantity("qty"),
    moment("update_time", indexed=True),
)
