"""DDL of the plant's four legacy systems, one module for each, as SQLAlchemy metadata."""

from sqlalchemy import MetaData

from plant.legacy import crm, kis, mes, wms

SYSTEMS: dict[str, MetaData] = {
    "mes": mes.METADATA,
    "wms": wms.METADATA,
    "crm": crm.METADATA,
    "kis": kis.METADATA,
}

__all__ = ["SYSTEMS", "crm", "kis", "mes", "wms"]
