"""Keep docs/promises.md honest: every promise names its tests, and the tests exist.

A promise is a heading `## P1 …`; a test is written `tests/…/test_x.py::test_name` in backticks.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

from tools import sources

PAGE = "docs/promises.md"

_PROMISE = re.compile(r"^## (?P<code>P\d+)\b.*$", re.MULTILINE)
_TEST = re.compile(r"`(?P<file>tests/[\w/]+\.py)::(?P<name>\w+)`")


def problems(page: str, root: Path) -> list[str]:
    """Return what is wrong with the page, against the tests below `root`."""
    headings = list(_PROMISE.finditer(page))
    if not headings:
        return [f"{PAGE}: no promise found (a heading like `## P1 …`)"]
    wrong = []
    ends = [heading.start() for heading in headings[1:]] + [len(page)]
    for heading, end in zip(headings, ends, strict=True):
        named = list(_TEST.finditer(page, heading.start(), end))
        if not named:
            wrong.append(f"{PAGE}: {heading['code']} names no test: write it or drop the promise")
        wrong += [
            f"{PAGE}: {heading['code']} names {test['file']}::{test['name']}, which does not exist"
            for test in named
            if test["name"] not in _functions(root / test["file"])
        ]
    return wrong


def _functions(path: Path) -> set[str]:
    if not path.is_file():
        return set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def main() -> int:
    """Print the promises without a test; return 1 when there are any."""
    wrong = problems((sources.ROOT / PAGE).read_text(encoding="utf-8"), sources.ROOT)
    print("\n".join(wrong) or "every promise names a test that exists")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
