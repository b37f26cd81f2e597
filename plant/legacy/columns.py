"""Column shorthands shared by the four legacy schemas."""

from typing import Any

from sqlalchemy import Column, DateTime, Integer, Numeric, String


def key(name: str, length: int = 40) -> Column[Any]:
    """Return a text column that is (part of) the primary key."""
    return Column(name, String(length), primary_key=True)


def number_key(name: str) -> Column[Any]:
    """Return an integer primary key that the plant fills itself."""
    return Column(name, Integer, primary_key=True, autoincrement=False)


def text(name: str, length: int = 120) -> Column[Any]:
    """Return a nullable text column."""
    return Column(name, String(length), nullable=True)


def whole(name: str) -> Column[Any]:
    """Return a nullable whole number, used for flags too as such systems do."""
    return Column(name, Integer, nullable=True)


def moment(name: str, *, indexed: bool = False) -> Column[Any]:
    """Return a nullable plant-time column without a zone."""
    return Column(name, DateTime, nullable=True, index=indexed)


def quantity(name: str) -> Column[Any]:
    """Return a quantity, DECIMAL(18,4)."""
    return Column(name, Numeric(18, 4), nullable=True)


def money(name: str) -> Column[Any]:
    """Return an amount of money, DECIMAL(18,4)."""
    return Column(name, Numeric(18, 4), nullable=True)


def price(name: str) -> Column[Any]:
    """Return a price, DECIMAL(18,6)."""
    return Column(name, Numeric(18, 6), nullable=True)
