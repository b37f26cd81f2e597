"""The list of planted faults, kept in the truth beside the rows they spoil."""

from plant.model.world import World
from plant.record import truth


class Faults:
    """Writes each planted fault once, with what it spoiled and from when until when."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._count = 0

    def note(
        self,
        kind: str,
        system: str,
        table: str,
        row_key: str,
        detail: str = "",
        **spoiled: str | int | None,
    ) -> None:
        """Note one planted fault; `spoiled` are wo, other_wo, job_no, order_no and until_at."""
        self._count += 1
        self._world.book.put(
            truth.FAULT,
            id=self._count,
            kind=kind,
            system=system,
            table_name=table,
            row_key=row_key,
            at=self._world.now,
            detail=detail,
            **spoiled,
        )
