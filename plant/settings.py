"""What a plant is made from: seed, span, profile and where its systems live."""

from dataclasses import asdict, dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

DAY = 86_400
HOUR = 3_600
MINUTE = 60


@dataclass(frozen=True)
class Rates:
    """The known rates at which the plant's faults are planted."""

    report_missing: float = 0.06
    report_late: float = 0.12
    report_batched: float = 0.25
    report_wrong_order: float = 0.02
    report_padded: float = 0.01
    issue_without_order: float = 0.08
    issue_wrong_order: float = 0.03
    issue_red: float = 0.04
    issue_substitute: float = 0.05
    bill_unaudited: float = 0.01
    bill_zero_price: float = 0.05
    weighing: float = 0.005
    scrap: float = 0.03
    customer_change: float = 0.12
    rush: float = 0.08
    supplier_late: float = 0.15
    unseen_resequence: float = 0.04
    rework: float = 0.025
    nonstandard: float = 0.43


@dataclass(frozen=True)
class PlantConfig:
    """Everything that decides what a plant will be; two equal configs make equal plants."""

    home: Path
    seed: int = 1
    start: date = date(2026, 8, 3)
    months: int = 3
    days: int | None = None
    profile: str = "full"
    wms_url: str | None = None
    mes_url: str | None = None
    kis_url: str | None = None
    samples: bool = True
    rates: Rates = field(default_factory=Rates)

    def __post_init__(self) -> None:
        if self.profile not in ("full", "ledger"):
            raise ValueError(
                f"The finance profile is {self.profile!r}; allowed are 'full' and 'ledger'. "
                "Choose one of them with --profile."
            )

    @property
    def origin(self) -> datetime:
        """Return the midnight from which the simulation counts its seconds."""
        return datetime.combine(self.start, time())

    @property
    def made_until(self) -> datetime:
        """Return the instant at which making stops: 10:30 on a working day."""
        if self.days is not None:
            last = self.start + timedelta(days=self.days)
        else:
            month = self.start.month - 1 + self.months
            last = date(self.start.year + month // 12, month % 12 + 1, self.start.day)
        while last.weekday() == 6:
            last += timedelta(days=1)
        return datetime.combine(last, time(10, 30))

    def seconds(self, instant: datetime) -> int:
        """Return an instant of plant time as seconds since the origin."""
        return int((instant - self.origin).total_seconds())

    def as_json(self) -> dict[str, Any]:
        """Return the config as JSON values, to be read back by `from_json`."""
        values = asdict(self)
        values["home"] = None
        values["start"] = self.start.isoformat()
        return values

    @classmethod
    def from_json(cls, home: Path, values: dict[str, Any]) -> "PlantConfig":
        """Return the config that `as_json` wrote, for the plant kept in `home`."""
        known = dict(values)
        known["home"] = home
        known["start"] = date.fromisoformat(known["start"])
        known["rates"] = Rates(**known["rates"])
        return cls(**known)
