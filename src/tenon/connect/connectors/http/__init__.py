"""REST systems with paging by (updated, id); read-only."""

from tenon.connect.connectors.http.connector import HttpConnector

__all__ = ["HttpConnector"]
