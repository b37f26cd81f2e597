"""The ODBC connector: whatever has a driver on this machine, read by the catalogue calls."""

from tenon.connect.connectors.odbc.connector import OdbcConnector as OdbcConnector

__all__ = ["OdbcConnector"]
