"""ODBC drivers that tests need: skipped where one is missing, failed with `CI=true`."""

from __future__ import annotations

import pyodbc
import pytest

from tests import servers


def need(driver: str) -> None:
    """Skip the test when the driver is not registered on this machine."""
    if driver in pyodbc.drivers():
        return
    missing = f"the ODBC driver {driver} is not registered (see startup/system.py)"
    if servers.in_ci():
        pytest.fail(f"CI=true and {missing}", pytrace=False)
    pytest.skip(missing)
