"""What is registered on this machine: data sources and drivers, for a person to choose from."""

from __future__ import annotations

from dataclasses import dataclass

# It returns -1 of a small integer as 65535 (debit and credit signs!), without a word.
REFUSED = ("mdbtools", "mdb")


@dataclass(frozen=True, slots=True)
class Registered:
    """The names one may choose; drivers that give wrong values are left out."""

    dsns: dict[str, str]  # each with its driver
    drivers: tuple[str, ...]


def registered() -> Registered:
    """What the driver manager knows."""
    import pyodbc  # noqa: PLC0415  only where an ODBC source is set up

    dsns = {name: driver for name, driver in pyodbc.dataSources().items() if not _wrong(driver)}
    drivers = tuple(name for name in pyodbc.drivers() if not _wrong(name))
    return Registered(dsns, drivers)


def _wrong(driver: str) -> bool:
    return any(part in driver.casefold() for part in REFUSED)
