"""Schema of the SQLite file behind the plant's CRM service (never read by others)."""

from sqlalchemy import MetaData, Table

from plant.legacy.columns import key, money, number_key, price, quantity, text, whole

METADATA = MetaData()

CUSTOMER = Table(
    "crm_customer",
    METADATA,
    key("id"),
    text("name"),
    text("short_name", 60),
    text("tax_id", 60),
    text("region", 40),
    text("level", 10),
    text("owner", 60),
    text("updated_at", 40),
)
CONTACT = Table(
    "crm_contact",
    METADATA,
    key("id"),
    text("customer_id", 40),
    text("name", 60),
    text("title", 60),
    text("phone", 40),
    text("email", 80),
    text("updated_at", 40),
)
ORDER = Table(
    "crm_order",
    METADATA,
    key("id"),
    text("customer_id", 40),
    text("customer_po", 60),
    text("ordered_at", 40),
    text("requested_date", 40),
    text("promised_at", 40),
    text("currency", 10),
    money("amount"),
    text("status", 20),
    whole("rush"),
    whole("revision"),
    text("remark", 200),
    text("updated_at", 40),
)
ORDER_LINE = Table(
    "crm_order_line",
    METADATA,
    key("order_id"),
    number_key("line"),
    text("item_no", 60),
    text("item_name"),
    text("drawing_no", 80),
    text("drawing_rev", 10),
    whole("standard"),
    quantity("qty"),
    text("unit", 10),
    price("price"),
    text("requested_date", 40),
    text("promised_at", 40),
    text("status", 20),
)
ORDER_CHANGE = Table(
    "crm_order_change",
    METADATA,
    number_key("id"),
    text("order_id", 40),
    whole("revision"),
    text("kind", 20),
    whole("line"),
    text("old", 80),
    text("new", 80),
    text("changed_at", 40),
    text("updated_at", 40),
)
OUTBOX = Table(
    "crm_outbox",
    METADATA,
    key("id", 60),
    text("type", 40),
    text("order_id", 40),
    whole("revision"),
    text("at", 40),
    whole("attempts"),
    text("sent_at", 40),
)
