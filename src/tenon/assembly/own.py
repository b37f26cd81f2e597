"""The plant's own package 本厂: what its people define on the pages, published like any other.

Every change is a publish of the whole package: it has a number, it is checked against the other
packages, and an earlier one can be published again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from tenon.assembly import packages
from tenon.define.catalogue import Catalogue
from tenon.define.models import Definition, Label, Package
from tenon.kernel.errors import BadInput, Config, Conflict
from tenon.kernel.text import Text
from tenon.store import Hub

PACKAGE: Final = Package(code="own", version="1.0.0", label=Label(zh="本厂", en="This plant"))

_NOT_OURS = Text(
    "“{code}”属于包“{package}”，不能在这里修改；请另建一个。",
    "“{code}” belongs to the package “{package}” and cannot be changed here; make another.",
)
_SAID: Final = Text("{zh}", "{en}")

Key = tuple[str, str]
Definitions = tuple[Definition, ...]


def put(hub: Hub, changed: Iterable[Definition], by: str) -> None:
    """Publish definitions as the plant's own, in place of those of the same kind and code."""
    fresh = {_key(one): one for one in changed}

    def change(before: Definitions) -> Definitions:
        there = {_key(one) for one in before}
        kept = tuple(fresh.get(_key(one), one) for one in before)
        return (*kept, *(one for key, one in fresh.items() if key not in there))

    _revise(hub, change, by)


def drop(hub: Hub, keys: Iterable[Key], by: str) -> None:
    """Publish the plant's own package without these."""
    gone = set(keys)
    _revise(hub, lambda before: tuple(d for d in before if _key(d) not in gone), by)


def refuse_foreign(packages_of: dict[Key, str], key: Key) -> None:
    """Raise Conflict when a definition belongs to another package."""
    package = packages_of.get(key, PACKAGE.code)
    if package != PACKAGE.code:
        raise Conflict("foreign_definition", _NOT_OURS, code=key[1], package=package)


def free_code(catalogue: Catalogue, kind: str, wanted: str) -> str:
    """The code, or with a number behind it when it is taken."""
    taken = {d.code for d in catalogue.definitions if d.kind == kind}
    number, code = 1, wanted[:48]
    while code in taken:
        number += 1
        code = f"{wanted[:44].rstrip('_')}_{number}"
    return code


def _revise(hub: Hub, change: Callable[[Definitions], Definitions], by: str) -> None:
    try:
        packages.revise_package(hub, PACKAGE, change, by)
    except Config as error:  # what a person defined on a page, they can mend
        raise BadInput(error.code, _SAID, zh=error.text.zh, en=error.text.en) from error


def _key(one: Definition) -> Key:
    return one.kind, one.code
