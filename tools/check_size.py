"""Keep files and functions short: no file over 600 lines, no function over 80.

Prints the ten longest of each. A file whose first lines say `generated` is left out.
"""

from __future__ import annotations

import ast
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from tools import sources

FILE_LIMIT = 600
FUNCTION_LIMIT = 80
SHOWN = 10

_TYPESCRIPT_START = re.compile(
    r"^(?P<indent>\s*)(?:export\s+)?(?:default\s+)?"
    r"(?:(?:async\s+)?function\b\s*\*?\s*(?P<function>\w*)"
    r"|(?:const|let)\s+(?P<constant>\w+)\b.*=\s*(?:\w+\()?(?:async\s*)?(?:\(.*|\w+\s*=>.*)"
    r"|(?:(?:public|private|protected|static|async)\s+)*(?P<method>(?!if|for|while|switch|catch)\w+)"
    r"\([^;]*\)[^;]*\{)\s*"
)


@dataclass(frozen=True)
class Measured:
    """A file or a function and its length in lines."""

    lines: int
    name: str


def python_functions(text: str, where: str) -> list[Measured]:
    """Measure every function and method of a Python file, its docstring included."""
    return [
        Measured(
            (node.end_lineno or node.lineno) - node.lineno + 1, f"{where}:{node.lineno} {node.name}"
        )
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def typescript_functions(text: str, where: str) -> list[Measured]:
    """Measure the functions of a formatted TypeScript file by their indentation."""
    lines = text.splitlines()
    found = []
    for start, line in enumerate(lines):
        match = _TYPESCRIPT_START.match(line)
        if match is None:
            continue
        end = _closing_line(lines, start, match["indent"])
        if end is not None:
            name = match["function"] or match["constant"] or match["method"] or "(default)"
            found.append(Measured(end - start + 1, f"{where}:{start + 1} {name}"))
    return found


def _closing_line(lines: list[str], start: int, indent: str) -> int | None:
    """Find the closing brace: the next line of the same indentation that begins with `}`.

    Another beginning (`)` aside, which ends the parameters) means there was no block.
    """
    for number in range(start + 1, len(lines)):
        line = lines[number]
        if not line.strip() or line.startswith((indent + " ", indent + "\t")):
            continue
        if line.startswith(indent + "}"):
            if line.rstrip().endswith("{"):  # `}: Props) {` ends the parameters only
                continue
            return number
        if not line.startswith(indent + ")"):
            return None
    return None


def too_long(found: list[Measured], limit: int) -> list[Measured]:
    """Return what passes the limit."""
    return [one for one in found if one.lines > limit]


def measure(paths: list[Path]) -> tuple[list[Measured], list[Measured]]:
    """Measure the files and their functions."""
    of_files, of_functions = [], []
    for path in paths:
        text = path.read_text(encoding="utf-8")
        if "generated" in "\n".join(text.splitlines()[:5]).lower() and path.suffix != ".py":
            continue
        where = sources.shown(path)
        of_files.append(Measured(len(text.splitlines()), where))
        reader = python_functions if path.suffix == ".py" else typescript_functions
        of_functions.extend(reader(text, where))
    return of_files, of_functions


def main() -> int:
    """Print the longest files and functions; return 1 when one passes its limit."""
    of_files, of_functions = measure(sources.files(".py", ".ts", ".tsx"))
    broken = 0
    for kind, found, limit in (
        ("files", of_files, FILE_LIMIT),
        ("functions", of_functions, FUNCTION_LIMIT),
    ):
        print(f"Longest {kind} (limit {limit} lines):")
        for one in sorted(found, key=lambda one: -one.lines)[:SHOWN]:
            print(f"  {one.lines:5}  {one.name}")
        for one in too_long(found, limit):
            broken += 1
            print(f"TOO LONG: {one.name} has {one.lines} lines, {limit} are allowed: split it")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
