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
        *,
        wo: str | None = None,
        other_wo: str | None = None,
        job_no: str | None = None,
        order_no: str | None = None,
        at: int | None = None,
        until: int | None = None,
        detail: str = "",
    ) -> None:
        """Note one planted fault."""
        self._count += 1
        self._world.book.put(
            truth.FAULT,
            id=self._count,
            kind=kind,
            system=system,
            table_name=table,
            row_key=row_key,
            wo=wo,
            other_wo=other_wo,
            job_no=job_no,
            order_no=order_no,
            at=self._world.now if at is None else at,
            until_at=until,
            detail=detail,
        )
