"""One exact decimal everywhere: a value that does not fit is refused, never rounded."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from tenon.kernel.errors import SetAside
from tenon.kernel.text import Text

# SQLite keeps decimals as scaled 64-bit integers; one digit is left for sums.
MAX_DIGITS = 18

_NOT_A_NUMBER = Text(
    "“{value}”不是有效数字；请填写如 12.5 的十进制数。",
    "“{value}” is not a number; write a decimal such as 12.5.",
)
_DOES_NOT_FIT = Text(
    "数值 {value} 超出允许范围：最多 {digits} 位数字、{scale} 位小数。",
    "{value} does not fit: at most {digits} digits, {scale} of them after the point.",
)


def to_decimal(value: Any) -> Decimal:
    """`value` as a finite Decimal; floats by their shortest text, so 0.1 stays 0.1."""
    try:
        number = value if isinstance(value, Decimal) else Decimal(str(value).strip())
    except InvalidOperation:
        raise SetAside("not_a_number", _NOT_A_NUMBER, value=str(value)[:80]) from None
    if not number.is_finite():
        raise SetAside("not_a_number", _NOT_A_NUMBER, value=str(value)[:80])
    return number


def fit(value: Any, precision: int, scale: int) -> Decimal:
    """`value` as a Decimal with exactly `scale` places, or SetAside when it does not fit."""
    number = to_decimal(value)
    try:
        fitted = number.quantize(Decimal(1).scaleb(-scale))
    except InvalidOperation:
        fitted = None
    if fitted is None or fitted != number or len(fitted.as_tuple().digits) > precision:
        raise SetAside(
            "does_not_fit", _DOES_NOT_FIT, value=str(number), digits=precision, scale=scale
        )
    return fitted


def to_scaled(value: Decimal, scale: int) -> int:
    """A fitted decimal as the scaled integer SQLite stores."""
    return int(value.scaleb(scale))


def from_scaled(value: int, scale: int) -> Decimal:
    """The decimal that a scaled integer stands for."""
    return Decimal(value).scaleb(-scale)


def plain(value: Decimal) -> str:
    """A decimal for people: no exponent, no trailing zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
