"""The comparison with the truth as tables for a terminal."""

from collections import Counter

from rich.console import Console
from rich.table import Table

from plant.check import Difference, Report

SHOWN = 25


def show(report: Report, console: Console) -> None:
    """Print the report: first the figures, then each difference with its reason."""
    table = Table(title=f"Tenon against the plant's truth at {report.at:%Y-%m-%d %H:%M}")
    table.add_column("what")
    table.add_column("figure", justify="right")
    table.add_column("")
    lost = len(report.missing) + len(report.twice) + len(report.extra)
    _row(
        table, "CRM order lines present once", f"{report.lines_once}/{report.lines_total}", not lost
    )
    _row(
        table,
        "missing · twice · extra",
        f"{len(report.missing)} · {len(report.twice)} · {len(report.extra)}",
        not lost,
    )
    _row(table, "open lines", str(report.open_lines), None)
    _row(
        table, "of these shown as unconfirmed", _share(report.unconfirmed, report.open_lines), None
    )
    _row(
        table,
        "stages equal to what was recorded",
        f"{report.stages_equal}/{report.lines_total}",
        not any(d.reason == "unexplained" for d in report.from_recorded),
    )
    _row(table, "stages different from what happened", str(len(report.from_happened)), None)
    _row(
        table,
        "confidently wrong (promise: at most 1 %)",
        _share(len(report.confidently_wrong), report.open_lines),
        report.confidently_wrong_percent <= 1.0,
    )
    if report.issues_compared:
        _row(table, "issued quantities equal to what was recorded", str(report.issues_equal), None)
        _row(
            table,
            "issued quantities different",
            str(len(report.issues_from_recorded)),
            not any(d.reason == "unexplained" for d in report.issues_from_recorded),
        )
    _row(
        table,
        "differences without a planted fault",
        str(len(report.unexplained)),
        not report.unexplained,
    )
    console.print(table)
    _reasons("Why stages differ from what happened", report.from_happened, console)
    _reasons(
        "Why issued quantities differ from what happened", report.issues_from_happened, console
    )
    _list("Stages that differ from what was recorded", report.from_recorded, console)
    _list("Confidently wrong", report.confidently_wrong, console)
    _list(
        "Issued quantities that differ from what was recorded", report.issues_from_recorded, console
    )
    _list("Unexplained", report.unexplained, console)


def _row(table: Table, what: str, figure: str, good: bool | None) -> None:
    mark = "" if good is None else ("[green]✓[/]" if good else "[red]✗[/]")
    table.add_row(what, figure, mark)


def _share(part: int, whole: int) -> str:
    return f"{part} ({100 * part / max(1, whole):.2f} %)"


def _reasons(title: str, differences: list[Difference], console: Console) -> None:
    if not differences:
        return
    table = Table(title=title)
    table.add_column("planted fault")
    table.add_column("lines", justify="right")
    table.add_column("confirmed", justify="right")
    every = Counter(d.reason for d in differences)
    sure = Counter(d.reason for d in differences if d.confirmed)
    for reason, count in every.most_common():
        table.add_row(reason, str(count), str(sure[reason]))
    console.print(table)


def _list(title: str, differences: list[Difference], console: Console) -> None:
    if not differences:
        return
    more = f" (first {SHOWN} of {len(differences)})" if len(differences) > SHOWN else ""
    table = Table(title=title + more)
    for column in ("what", "shown", "truth", "reason"):
        table.add_column(column)
    for difference in differences[:SHOWN]:
        table.add_row(difference.key, difference.shown, difference.truth, difference.reason)
    console.print(table)
