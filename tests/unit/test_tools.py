"""The checks of tools/ catch bad samples and leave good ones alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import check_layout, check_promises, check_size

_LONG_BODY = "\n".join(f"    x{n} = {n}" for n in range(check_size.FUNCTION_LIMIT))

_TYPESCRIPT = """\
export function Plain(): void {
{body}
}
const arrow = (a: number) => {
{body}
};
export default function Props({
  a,
}: Given) {
{body}
}
const short = (a: number) => a + 1;
class Box {
  private async open(a: string): Promise<void> {
    if (a) {
      return;
    }
  }
}
"""


def test_size_measures_python_functions() -> None:
    text = f"class A:\n    def f(self):\n        return 1\n\n\ndef g():\n{_LONG_BODY}\n"
    found = check_size.python_functions(text, "a.py")
    assert {one.name: one.lines for one in found} == {
        "a.py:2 f": 2,
        "a.py:6 g": check_size.FUNCTION_LIMIT + 1,
    }
    assert [one.name for one in check_size.too_long(found, check_size.FUNCTION_LIMIT)] == [
        "a.py:6 g"
    ]


def test_size_measures_typescript_functions() -> None:
    found = check_size.typescript_functions(_TYPESCRIPT.replace("{body}", "  x;\n  y;"), "a.ts")
    assert {one.name.split()[1]: one.lines for one in found} == {
        "Plain": 4,
        "arrow": 4,
        "Props": 6,
        "open": 5,
    }


def test_size_measures_files(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n" * 601)
    (tmp_path / "b.ts").write_text("// Generated: do not edit\n" + "x;\n" * 900)
    files, _ = check_size.measure([tmp_path / "a.py", tmp_path / "b.ts"])
    assert [one.lines for one in check_size.too_long(files, check_size.FILE_LIMIT)] == [601]


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("src/tenon/records/write.py", 0),
        ("src/tenon/baseline/a.py", 0),
        ("src/tenon/records/utils/a.py", 1),
        ("web/app/src/common/a.ts", 1),
    ],
)
def test_layout_bans_grab_bags(name: str, wrong: int) -> None:
    assert len(check_layout.banned_folders([name])) == wrong


def test_layout_wants_the_same_files_in_every_connector() -> None:
    folder = f"{check_layout.CONNECTORS}/sql"
    whole = [f"{folder}/{name}" for name in sorted(check_layout.CONNECTOR_FILES)]
    assert check_layout.missing_connector_files(whole) == []
    assert len(check_layout.missing_connector_files(whole[:1])) == len(whole) - 1


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("from tenon.connect.contract import Connector", 0),
        ("from tenon.kernel import clock", 0),
        ("from tenon.connect.connectors.sql import reader", 0),
        ("import sqlalchemy", 0),
        ("from tenon.connect.connectors.http import reader", 1),
        ("from tenon.connect import runner", 1),
        ("import tenon.store.engine", 1),
    ],
)
def test_layout_keeps_connectors_in_their_folder(line: str, wrong: int) -> None:
    name = f"{check_layout.CONNECTORS}/sql/connector.py"
    assert len(check_layout.forbidden_imports(name, line)) == wrong
    assert check_layout.forbidden_imports("src/tenon/connect/runner.py", line) == []


def test_promises_need_tests_that_exist(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_a.py").write_text("def test_kept() -> None: ...\n")
    good = "# Promises\n\n## P1 Kept\n\nTest: `tests/test_a.py::test_kept`\n"
    assert check_promises.problems(good, tmp_path) == []
    gone = good + "\n## P2 Gone\n`tests/test_a.py::test_gone`, `tests/test_b.py::test_kept`\n"
    assert len(check_promises.problems(gone, tmp_path)) == 2
    assert "names no test" in check_promises.problems("## P3 Mere words\n", tmp_path)[0]
    assert "no promise" in check_promises.problems("", tmp_path)[0]
