"""SQL databases through SQLAlchemy: SQLite files, MySQL/MariaDB, PostgreSQL; read-only."""

from tenon.connect.connectors.sql.connector import SqlConnector

__all__ = ["SqlConnector"]
