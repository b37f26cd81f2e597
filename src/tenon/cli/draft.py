"""`tenon sync suggest|preview|add|run`: what is read of a table, and where it goes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.table import Table

from tenon.assembly import Tenon, joining, open_tenon
from tenon.cli.options import HERE, Home
from tenon.cli.source import Code, actor
from tenon.cli.speech import out, plainly, say, tell
from tenon.connect.preview import preview
from tenon.connect.runner import Runner
from tenon.connect.suggest import suggest
from tenon.define.models import Sync
from tenon.kernel.errors import BadInput
from tenon.kernel.text import Text

File = Annotated[
    Path | None,
    typer.Option("--file", "-f", exists=True, dir_okay=False, help="草稿 / a draft, from suggest"),
]
_MISSING = Text("还没有来源的必填字段：{fields}", "Required fields without a column: {fields}")
_COUNTS = Text(
    "读取 {read} 行：可用 {good}，将搁置 {aside}；没有写入任何内容。",
    "{read} rows read: {good} good, {aside} would be set aside; nothing was written.",
)
_RAN = Text(
    "{code}：{state}，读取 {read}，写入 {applied}，未变 {same}，搁置 {aside}",
    "{code}: {state}, read {read}, applied {applied}, unchanged {same}, set aside {aside}",
)
_ADDED = Text("已发布同步：{code}", "Published the sync {code}")
_BAD_FILE = Text("{file} 不是草稿：{problem}。", "{file} is no draft: {problem}.")


def suggest_sync(
    code: Code,
    name: Annotated[str, typer.Argument(help="表 / table")],
    target: Annotated[str | None, typer.Option(help="对象 / entity, e.g. customer")] = None,
    publish: Annotated[bool, typer.Option("--publish", help="直接发布 / publish it")] = False,
    home: Home = HERE,
) -> None:
    """建议怎样对应（草稿写到标准输出）/ Suggest a mapping; the draft goes to standard output."""
    with plainly(), open_tenon(home, write=publish) as tenon:
        found = suggest(tenon.connect, code, name, target)
        _reasons(found.why, found.sure)
        if found.missing:
            tell(_MISSING.format(fields=", ".join(found.missing)))
        if publish:
            tell(_ADDED.format(code=joining.add_sync(tenon, found.draft, actor())))
            return
        draft = joining.suggestion_as_answer(found)["draft"]
        typer.echo(yaml.safe_dump(draft, allow_unicode=True, sort_keys=False), nl=False)


def preview_sync(
    code: Annotated[str | None, typer.Argument(help="同步 / sync (or a draft: --file)")] = None,
    file: File = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 10,
    home: Home = HERE,
) -> None:
    """看前几行会变成什么，不写入 / What the first rows would become; nothing is written."""
    with plainly(), open_tenon(home, write=False) as tenon:
        draft = _draft(tenon, code, file)
        found = preview(tenon.connect, draft, limit)
    for problem in found.problems:
        tell(problem.message)
    answer = found.as_answer()
    if answer["rows"]:
        out.print(_previewed(answer["rows"]))
    for reason in answer["reasons"]:
        tell(Text(f"{reason['reason'].zh}：{reason['count']}",
                  f"{reason['reason'].en}: {reason['count']}"))  # fmt: skip
    tell(_COUNTS.format(read=answer["read"], good=answer["good"], aside=answer["set_aside"]))
    if found.problems:
        raise typer.Exit(1)


def add(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="草稿 / a draft")],
    home: Home = HERE,
) -> None:
    """发布一份草稿 / Publish a draft."""
    with plainly(), open_tenon(home) as tenon:
        code = joining.add_sync(tenon, _draft(tenon, None, file), actor())
        tell(_ADDED.format(code=code))


def run(code: Annotated[str, typer.Argument(help="同步 / sync")], home: Home = HERE) -> None:
    """同步一次 / Run a sync once, to its end."""
    with plainly(), open_tenon(home) as tenon:
        tenon.refuse_when_held()
        outcome = Runner(tenon.connect).sync(code)
    counts = outcome.counts
    tell(_RAN.format(
        code=code, state=outcome.state, read=counts.read, applied=counts.applied,
        same=counts.unchanged, aside=counts.set_aside,
    ))  # fmt: skip
    if outcome.error is not None:
        tell(outcome.error.text)
        raise typer.Exit(1)


def _draft(tenon: Tenon, code: str | None, file: Path | None) -> Sync:
    if file is None:
        return tenon.catalogue.sync(code or "")
    try:
        data: Any = yaml.safe_load(file.read_text("utf-8"))
        source = str(data["source"])
    except (OSError, yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError) as error:
        problem = type(error).__name__
        raise BadInput("bad_draft_file", _BAD_FILE, file=file.name, problem=problem) from error
    return joining.draft_of(tenon, source, data)


def _reasons(why: dict[str, Text], sure: dict[str, float]) -> None:
    for place, reason in why.items():
        share = f"{sure.get(place, 0):.0%}"
        tell(Text(f"{place:<18} {share:>4}  {reason.zh}", f"{place:<18} {share:>4}  {reason.en}"))


def _previewed(rows: list[dict[str, Any]]) -> Table:
    heads = [say(value["label"]) for value in rows[0]["result"]]
    table = Table("", *heads, "", show_edge=False)
    for row in rows:
        cells = [say(v["shown"]) if v["shown"] else "" for v in row["result"]]
        said = row["problem"] or row["outcome"]
        table.add_row(row["key"], *cells, say(said) if said else "")
    return table
