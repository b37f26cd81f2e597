"""The floor: work centres with their queues, presses with dies and breakdowns, stations."""

import random
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

import simpy

from plant.model.catalog import CENTRES
from plant.model.things import Job, Machine
from plant.model.world import NEVER, World
from plant.record.mes import MesRecorder
from plant.record.reports import Reports
from plant.settings import DAY, HOUR, MINUTE

COUNT_EVERY = 40 * MINUTE
WEAR_HOURS = 30 * HOUR  # working time over which the current rises before a breakdown
MEAN_BETWEEN_FAILURES = 260 * HOUR
AFTER_CHANGE = 30 * MINUTE  # scrap is doubled for so long after a die change
PAYDAY = 10

Process = Generator[simpy.Event, Any, None]


@dataclass(slots=True, eq=False)
class Centre:
    """A work centre: jobs on their way, jobs waiting, machines idle."""

    code: str
    waiting: list[Job] = field(default_factory=list)
    coming: list[Job] = field(default_factory=list)
    idle: list[Machine] = field(default_factory=list)


class Shop:
    """Runs every machine of the plant as a process of its own."""

    def __init__(
        self,
        world: World,
        mes: MesRecorder,
        reports: Reports,
        on_start: Callable[[Job], None],
        on_end: Callable[[Job], None],
    ) -> None:
        self._world, self._mes, self._reports = world, mes, reports
        self._on_start, self._on_end = on_start, on_end
        self._rng = world.chance("shop")
        self._stops = 0
        self.centres = {code: Centre(code) for code in CENTRES}
        self._plan_absences()
        for machine in world.catalog.machines:
            if machine.press:
                machine.fails_at = self._rng.expovariate(1 / MEAN_BETWEEN_FAILURES) + 20 * HOUR
            world.env.process(self._life(machine))

    def announce(self, job: Job) -> None:
        """A job's parts are on their way to its work centre."""
        self.centres[job.step.centre].coming.append(job)

    def arrive(self, job: Job) -> None:
        """A job's parts have come to its work centre."""
        centre = self.centres[job.step.centre]
        if job in centre.coming:
            centre.coming.remove(job)
        if not job.work_order.live:
            return
        hold = job.work_order.hold_until
        if hold > self._world.now:
            centre.coming.append(job)
            self._world.at(hold, self.arrive, job)
            return
        centre.waiting.append(job)
        if centre.idle:
            machine = centre.idle.pop(0)
            if not machine.wake.triggered:
                machine.wake.succeed()

    def is_waiting(self, job: Job) -> bool:
        """Tell whether a job's parts lie before its work centre."""
        return job in self.centres[job.step.centre].waiting

    def withdraw(self, job: Job) -> None:
        """Take a job out of its queue, as when its work order is cancelled or held."""
        if job.step.kind == "outside":
            return
        centre = self.centres[job.step.centre]
        if job in centre.waiting:
            centre.waiting.remove(job)
        if job in centre.coming:
            centre.coming.remove(job)

    def _others(self, job: Job) -> list[Job]:
        centre = self.centres[job.step.centre]
        return [
            other
            for other in centre.waiting + centre.coming
            if other.mes_state == "WAIT" and other.started_at is None
        ]

    def _plan_absences(self) -> None:
        """Leave some machines unmanned on the day after payday."""
        calendar, world = self._world.calendar, self._world
        days = [day for day in range(400) if calendar.date_of(day).day == PAYDAY + 1]
        rng = world.chance("absence")
        for machine in world.catalog.machines:
            machine.absent_days = frozenset(day for day in days if rng.random() < 0.14)

    def _open_at(self, machine: Machine) -> int:
        calendar, at = self._world.calendar, self._world.calendar.next_open(self._world.now)
        while (at - 8 * HOUR) // DAY in machine.absent_days:
            at = calendar.next_open((at // DAY + 1) * DAY + 8 * HOUR)
        return at

    def _life(self, machine: Machine) -> Process:
        env, world, centre = self._world.env, self._world, self.centres[machine.centre]
        while True:
            opens = self._open_at(machine)
            if opens > world.now:
                cut, back = world.power_cut
                self._mes.state(machine, "OFF", "POWER" if cut <= world.now < back else None, None)
                yield env.timeout(opens - world.now)
                continue
            job = self._take(centre, machine)
            if job is None:
                self._mes.state(machine, "IDLE", None, None)
                machine.wake = env.event()
                centre.idle.append(machine)
                closes = world.calendar.close_after(world.now)
                yield machine.wake | env.timeout(closes - world.now)
                if machine in centre.idle:
                    centre.idle.remove(machine)
                continue
            yield from self._do(machine, job)

    def _take(self, centre: Centre, machine: Machine) -> Job | None:
        """Choose the next job: rush first, then the earliest due; the foreman may differ."""
        dies = self._world.catalog.dies
        best: Job | None = None
        best_rank: tuple[int, int] | None = None
        for job in centre.waiting:
            order = job.work_order
            elsewhere = job.step.die_no and dies[job.step.die_no].on not in (None, machine)
            if elsewhere and self._running(job):
                continue
            rank = (-order.priority, order.due)
            if best_rank is None or rank < best_rank:
                best, best_rank = job, rank
        if best is None:
            return None
        others = [job for job in centre.waiting if job is not best]
        if machine.press and others and self._rng.random() < self._world.rates.unseen_resequence:
            swapped = self._rng.choice(others)
            if not self._running(swapped):
                swapped.unseen = True
                best = swapped
        centre.waiting.remove(best)
        return best

    def _running(self, job: Job) -> bool:
        """Tell whether the die of this job is at work in another press."""
        die = self._world.catalog.dies.get(job.step.die_no or "")
        return bool(
            die and die.on and die.on.die == die.die_no and die.on.state in ("RUN", "SETUP")
        )

    def _do(self, machine: Machine, job: Job) -> Process:
        calendar = self._world.calendar
        job.machine = machine
        job.operator = machine.operators[calendar.shift_of(self._world.now)]
        if machine.press:
            changed = machine.die != job.step.die_no
            yield from self._set_up(machine, job, changed)
            yield from self._run_press(machine, job, changed)
        else:
            yield from self._run_manual(machine, job)

    def _start(self, job: Job) -> None:
        job.started_at = self._world.now
        job.qty_in = job.work_order.good
        self._mes.true_job(job)
        self._on_start(job)

    def _end(self, machine: Machine, job: Job) -> None:
        job.ended_at = self._world.now
        job.work_order.good = job.good
        self._mes.true_job(job)
        self._reports.finished(job, self._others(job))
        self._on_end(job)

    def _run_manual(self, machine: Machine, job: Job) -> Process:
        self._start(job)
        self._reports.started(job, self._others(job))
        needs = self._mes.planned_minutes(job) * self._rng.uniform(0.75, 1.2)
        yield from self._pass_time(machine, max(5 * MINUTE, needs))
        lost = _share(self._rng, job.qty_in, 0.004)
        job.scrap_work, job.good = lost, job.qty_in - lost
        self._end(machine, job)

    def _pass_time(self, machine: Machine, needs: float) -> Process:
        left = int(needs)
        while left > 0:
            opens = self._open_at(machine)
            if opens > self._world.now:
                yield self._world.env.timeout(opens - self._world.now)
            step = min(left, self._world.calendar.close_after(self._world.now) - self._world.now)
            yield self._world.env.timeout(step)
            left -= step

    def _set_up(self, machine: Machine, job: Job, changed: bool) -> Process:
        self._mes.state(machine, "SETUP", "DIE" if changed else "MATERIAL", None)
        minutes = job.setup_min * self._rng.uniform(0.7, 1.5) if changed else 6.0
        if changed:
            self._change_die(machine, job)
            die = self._world.catalog.dies[job.step.die_no or ""]
            if die.strokes > die.life:
                minutes += self._rng.uniform(60, 180)
                die.strokes = 0
            self._mes.die(die)
        yield from self._pass_time(machine, minutes * MINUTE)

    def _change_die(self, machine: Machine, job: Job) -> None:
        dies = self._world.catalog.dies
        if machine.die:
            old = dies[machine.die]
            old.on = None
            self._mes.die(old)
        machine.die = job.step.die_no
        new = dies[job.step.die_no or ""]
        if new.on is not None and new.on is not machine:
            new.on.die = None
        new.on = machine

    def _run_press(self, machine: Machine, job: Job, changed: bool) -> Process:
        world, env = self._world, self._world.env
        qty = job.work_order.good
        left = total = max(6 * MINUTE, int(job.run_min * MINUTE * self._rng.uniform(0.85, 1.15)))
        rate = world.rates.scrap * self._rng.lognormvariate(-0.045, 0.3)
        scrap = 0.0
        opens = self._open_at(machine)
        if opens > world.now:
            self._mes.state(machine, "OFF", None, None)
            yield env.timeout(opens - world.now)
        self._mes.state(machine, "RUN", None, job)
        if job.unseen:
            self._mes.unseen(machine, job)
        self._start(job)
        while left > 0:
            opens = self._open_at(machine)
            if opens > world.now:
                cut, back = world.power_cut
                self._mes.state(machine, "OFF", "POWER" if cut <= world.now < back else None, None)
                yield env.timeout(opens - world.now)
                self._mes.state(machine, "RUN", None, job)
            closes = world.calendar.close_after(world.now)
            step = min(left, closes - world.now, COUNT_EVERY)
            step = max(1, min(step, int(machine.fails_at - machine.worked) + 1))
            yield env.timeout(step)
            doubled = 2.0 if changed and total - left < AFTER_CHANGE else 1.0
            made = qty * step / total
            bad = made * rate * doubled
            scrap += bad
            left -= step
            machine.worked += step
            self._mes.count(machine, round(made - bad), round(bad), job)
            if machine.worked > machine.fails_at and left > 0:
                yield from self._break_down(machine)
                self._mes.state(machine, "RUN", None, job)
        die = world.catalog.dies[job.step.die_no or ""]
        die.strokes += qty // die.cavity
        lost = min(qty - 1, round(scrap))
        job.scrap_material = self._rng.randint(0, lost // 3) if lost > 0 else 0
        job.scrap_work, job.good = lost - job.scrap_material, qty - lost
        self._mes.state(machine, "IDLE", None, None)
        self._end(machine, job)

    def _break_down(self, machine: Machine) -> Process:
        world, start = self._world, self._world.now
        self._mes.state(machine, "DOWN", "BREAKDOWN", None)
        repair = int(self._rng.lognormvariate(0.8, 0.5) * HOUR)
        yield from self._pass_time(machine, repair)
        self._stops += 1
        self._mes.alarm(machine, "E217", "HIGH", start, world.now)
        foretold = max(0, start - int(WEAR_HOURS * 1.6))
        self._mes.stop(self._stops, machine.code, "breakdown", foretold, (start, world.now))
        machine.worked = 0.0
        machine.fails_at = self._rng.expovariate(1 / MEAN_BETWEEN_FAILURES) + 40 * HOUR

    def stop_reasons(self) -> None:
        """Write the stops that are known beforehand: the power cut and payday absences."""
        cut = self._world.power_cut
        self._mes.stop(900_000, "*", "power_cut", None, cut)
        number = 900_000
        for machine in self._world.catalog.machines:
            for day in sorted(machine.absent_days):
                number += 1
                span = (day * DAY + 8 * HOUR, day * DAY + 28 * HOUR)
                if span[1] < NEVER:
                    self._mes.stop(number, machine.code, "absence", None, span)


def _share(rng: random.Random, whole: int, rate: float) -> int:
    """Return about `rate` of `whole`, as whole pieces."""
    expected = whole * rate * rng.uniform(0.3, 1.7)
    return min(whole - 1, int(expected) + (rng.random() < expected % 1)) if whole > 1 else 0


def current(rng: random.Random, machine: Machine) -> float:
    """Return a press's current now: by tonnage, by load, rising before a breakdown."""
    full = 8 + machine.tonnage * 0.32
    if machine.state == "RUN":
        to_go = machine.fails_at - machine.worked
        wear = max(0.0, 1 - to_go / WEAR_HOURS) * 0.3 if machine.press else 0.0
        return full * (1 + wear) * rng.gauss(1.0, 0.025)
    if machine.state in ("IDLE", "SETUP"):
        return full * 0.22 * rng.gauss(1.0, 0.03)
    return 0.0
