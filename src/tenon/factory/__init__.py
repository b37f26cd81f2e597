"""The discrete-manufacturing package: definitions as YAML, and the Python that is really code."""

from tenon.factory.cards import late_orders, orders_by_stage, reports_yesterday

__all__ = ["late_orders", "orders_by_stage", "reports_yesterday"]
