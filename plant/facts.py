"""The truth file read into memory: what the check derives from."""

import sqlite3
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any


def normalised(text: str | None) -> str:
    """Return a document number without what typing adds to it."""
    return "".join(unicodedata.normalize("NFKC", text or "").upper().split())


@dataclass(frozen=True, slots=True)
class Report:
    """A keyed report."""

    job_no: str
    true_job_no: str
    kind: str
    evidence_at: int
    keyed_at: int | None
    fault: str

    def known(self, at: int) -> bool:
        """Tell whether the report has been keyed by an instant."""
        return self.keyed_at is not None and self.keyed_at <= at


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch in which a press ran."""

    job_no: str | None
    true_job_no: str
    start_at: int
    end_at: int | None


@dataclass(frozen=True, slots=True)
class Move:
    """A stock move as keyed."""

    kind: str
    item_code: str
    wo: str
    qty: float
    direction: int
    at: int
    void_at: int | None
    true_wo: str | None

    def counts(self, at: int) -> bool:
        """Tell whether the move stands at an instant."""
        return self.at <= at and (self.void_at is None or self.void_at > at)


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation and what really became of it."""

    job_no: str
    wo: str
    op_seq: int
    kind: str
    created_at: int
    cancelled_at: int | None
    planned_min: float
    started_at: int | None
    ended_at: int | None


@dataclass(frozen=True, slots=True)
class WorkOrder:
    """A work order's own instants."""

    wo: str
    created_at: int
    released_at: int | None
    cancelled_at: int | None
    closed_at: int | None


@dataclass(frozen=True, slots=True)
class Line:
    """An order line."""

    order_no: str
    line: int
    created_at: int
    standard: bool
    wms_item: str


class Facts:
    """Both layers of the truth, grouped as the derivation asks for them."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise FileNotFoundError(f"{path} is not there; a plant keeps its truth in truth.db.")
        self._db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        self._db.row_factory = sqlite3.Row
        self.about = {row["name"]: row["value"] for row in self._rows("about")}
        self.origin = datetime.fromisoformat(self.about["origin"])
        saved = self._db.execute("SELECT instant FROM plant_saved").fetchone()
        self.saved: int = saved[0]
        self._read_happened()
        self._read_recorded()
        self._db.close()

    def _rows(self, table: str) -> Iterator[Any]:
        return iter(self._db.execute(f"SELECT * FROM {table}"))

    def _read_happened(self) -> None:
        self.lines = [
            Line(r["order_no"], r["line"], r["created_at"], bool(r["standard"]), r["wms_item"])
            for r in self._rows("happened_order_line")
        ]
        self.line_events: dict[tuple[str, int], list[tuple[int, str, float]]] = defaultdict(list)
        for r in self._rows("happened_line_event"):
            self.line_events[r["order_no"], r["line"]].append((r["at"], r["kind"], r["qty"]))
        self.work_orders = {
            r["wo"]: WorkOrder(
                r["wo"], r["created_at"], r["released_at"], r["cancelled_at"], r["closed_at"]
            )
            for r in self._rows("happened_work_order")
        }
        self.operations: dict[str, list[Operation]] = defaultdict(list)
        names = tuple(Operation.__dataclass_fields__)
        for r in self._rows("happened_operation"):
            operation = Operation(**{name: r[name] for name in names})
            self.operations[operation.wo].append(operation)
        for operations in self.operations.values():
            operations.sort(key=lambda op: op.op_seq)
        self.received_at: dict[str, int] = {
            r["wo"]: r["at"] for r in self._rows("happened_receipt")
        }
        self.happened_shipped: dict[tuple[str, int], list[tuple[int, float]]] = defaultdict(list)
        for r in self._rows("happened_shipment"):
            self.happened_shipped[r["order_no"], r["line"]].append((r["at"], r["qty"]))
        self.happened_issues: list[tuple[str, str, int, float]] = [
            (r["wo"], r["item_code"], r["at"], r["qty"]) for r in self._rows("happened_issue")
        ]
        self.happened_allocations: dict[tuple[str, int], list[tuple[int, str]]] = defaultdict(list)
        for r in self._rows("happened_allocation"):
            self.happened_allocations[r["order_no"], r["line"]].append((r["at"], r["wo"]))

    def _read_recorded(self) -> None:
        self.reports: dict[str, list[Report]] = defaultdict(list)
        self.reports_of: dict[str, list[Report]] = defaultdict(list)
        for r in self._rows("recorded_report"):
            report = Report(
                r["job_no"],
                r["true_job_no"],
                r["kind"],
                r["evidence_at"],
                r["keyed_at"],
                r["fault"],
            )
            self.reports[report.job_no].append(report)
            self.reports_of[report.true_job_no].append(report)
        self.runs: dict[str, list[Run]] = defaultdict(list)
        self.unseen: set[str] = set()
        for r in self._rows("recorded_run"):
            run = Run(r["job_no"], r["true_job_no"], r["start_at"], r["end_at"])
            if run.job_no:
                self.runs[run.job_no].append(run)
            else:
                self.unseen.add(run.true_job_no)
        self.moves: dict[str, list[Move]] = defaultdict(list)
        self.recorded_shipped: dict[tuple[str, int], list[tuple[int, float]]] = defaultdict(list)
        for r in self._rows("recorded_move"):
            self._keep_move(r)
        self.allocations: dict[tuple[str, int], list[tuple[int, str]]] = defaultdict(list)
        for r in self._rows("recorded_allocation"):
            key = (normalised(r["order_no"]), r["order_line"])
            self.allocations[key].append((r["keyed_at"], r["workorder_code"]))
        self.faults = [dict(r) for r in self._rows("recorded_fault")]

    def _keep_move(self, row: Any) -> None:
        wo = normalised(row["workorder_no"])
        if row["move_type"] == "SHIP":
            key = (normalised(row["order_no"]), row["order_line"])
            self.recorded_shipped[key].append((row["moved_at"], -row["direction"] * row["qty"]))
        self.moves[wo].append(
            Move(
                row["move_type"],
                row["item_code"],
                wo,
                row["qty"],
                row["direction"],
                row["moved_at"],
                row["void_at"],
                row["true_wo"],
            )
        )

    def seconds(self, instant: datetime) -> int:
        """Return an instant of plant time as seconds since the origin."""
        return int((instant - self.origin).total_seconds())
