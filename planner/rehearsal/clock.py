"""Virtual time: polls when they are due, people when they answer, Azure when it moves or cancels a wave."""

import heapq
from collections.abc import Callable
from datetime import datetime
from functools import partial
from itertools import count

from planner.azure.wave import Stage, Wave
from planner.places.forecast import in_place
from planner.places.outlook import Outlook, outlook
from planner.record.run import Run
from planner.record.states import ACTIVE
from planner.rehearsal import people, polling, quiet
from planner.rehearsal.log import Moment, Turned, concerns, kept
from planner.rehearsal.part import Part
from planner.rehearsal.trouble import Moved, Trouble, acknowledged
from planner.rehearsal.world import World

AZURE, PEOPLE, POLLS = range(3)


class Rehearsal:
    """One subscription over time.

    At the same moment Azure comes first, then people, then polls, each in the order of the scale sets: which
    polls were left out before must not matter.
    """

    def __init__(
        self, world: World, trouble: Trouble, seed: int, start: datetime, *, each_poll: bool = False
    ) -> None:
        self.world, self.trouble, self.seed, self.now = world, trouble, seed, start
        self._each_poll, self._end = each_poll, start
        self._moments = [start + moved.after for moved in trouble.moved]
        self._moments += [start + trouble.cancelled] if trouble.cancelled is not None else []
        self._moments += world.turns()
        self._ahead: list[tuple[datetime, int, str, int, int, Callable[[], None]]] = []
        self._turn = 0
        self._numbers = count()
        self.log: list[Moment | Turned] = []

    def begin(self) -> tuple[dict[str, Run], tuple[Outlook, ...]]:
        """Plan every wave; the runs of day 0 with the times of their places, and how the queue looks."""
        world, start = self.world, self.now
        for wave in world.waves.values():
            self._turned(wave)
            for part in world.covered_by(wave):
                self._plan(part, wave.tracking_id)
        for moved in self.trouble.moved:
            self._at(start + moved.after, partial(self._move, moved))
        if self.trouble.cancelled is not None:
            self._at(start + self.trouble.cancelled, self._cancel)
        laid = world.queue.places(start)
        first = {key: in_place(run, laid.places.get(key), start) for key, run in world.runs.items()}
        names = {part.scale_set.subscription for part in world.parts.values()}
        found = (outlook(name, laid, laid.places.keys()) for name in names)
        return first, tuple(each for each in found if each.sentence)

    def until(self, end: datetime) -> None:
        """Let everything happen that is due before `end`."""
        self._end = end
        while self._ahead and self._ahead[0][0] < end:
            self.now, _, _, _, self._turn, act = heapq.heappop(self._ahead)
            act()

    def _at(self, at: datetime, act: Callable[[], None], rank: int = AZURE, key: str = "") -> None:
        turn = self._turn + 1 if at <= self.now else 0
        heapq.heappush(self._ahead, (max(at, self.now), rank, key, next(self._numbers), turn, act))

    def _poll_later(self, part: Part) -> None:
        """Have the run polled when it is due."""
        run = part.record
        if run.ended_at is None or run.recheck is not None:
            self._at(run.due, partial(self._poll_due, part, run.generation), POLLS, part.key)

    def _poll_due(self, part: Part, generation: int) -> None:
        if generation == part.record.generation:
            self._poll(part)

    def _poll(self, part: Part) -> None:
        before, now = part.record, self.now
        if before.ended_at is not None and before.recheck is None:
            return
        asked = polling.poll(part, self.world, now)
        part.polls += 1
        if asked and self.world.throttles_reads(now) is None:
            recheck = before.state not in ACTIVE
            polling.plan(part, self.world, part.record.waves[-1], now, recheck=recheck)
        if not self._each_poll:
            part.skipped += quiet.skipped(before, part, self.world, now, self._until(part))
        part.polled_at = now
        self._written(before, part)

    def _until(self, part: Part) -> datetime:
        """When something happens around this run that is not its own doing."""
        return min(
            at
            for at in (self._end, part.answered_at, part.taken_at, *self._moments)
            if at is not None and at > self.now
        )

    def _plan(self, part: Part, tracking_id: str, *, recheck: bool = False) -> None:
        before = part.run
        wait = self.world.throttles_reads(self.now)
        if wait is not None and before is not None:
            self._at(self.now + wait, partial(self._plan, part, tracking_id, recheck=recheck))
            return
        if polling.plan(part, self.world, tracking_id, self.now, recheck=recheck):
            self._written(before, part)

    def _written(self, before: Run | None, part: Part) -> None:
        """What follows from a record's write: the next poll, whoever is asked, whoever's turn has come."""
        if concerns(before, part.record):
            self.log.append(Moment(self.now, self._turn, part.key, kept(part.record)))
        self._poll_later(part)
        self._ask(part)
        self._page(part)
        if before is not None:
            for key in polling.woken(before, part, self.world, self.now):
                other = self.world.parts[key]
                self._at(self.now, partial(self._poll_due, other, other.record.generation), POLLS, key)

    def _ask(self, part: Part) -> None:
        if part.record.needs_person and not part.asked:
            wait = people.answers_after(part, self.trouble, self.seed)
            part.questions += 1
            part.asked = True
            if wait is not None:
                part.answered_at = self.now + wait
                self._at(part.answered_at, partial(self._answer, part), PEOPLE, part.key)

    def _page(self, part: Part) -> None:
        alarm = part.record.ringing
        if alarm is not None and alarm.number != part.paged:
            wait = acknowledged(self.trouble, self.seed, part.key, alarm.number)
            part.paged = alarm.number
            if wait is not None:
                part.taken_at = self.now + wait
                self._at(part.taken_at, partial(self._take, part, alarm.number), PEOPLE, part.key)

    def _take(self, part: Part, number: int) -> None:
        before = part.record
        alarm = before.ringing
        if alarm is not None and alarm.number == number:
            part.taken_at = None
            polling.say(part, people.acknowledgement(part, number, self.now), self.world, self.now)
            self._written(before, part)

    def _answer(self, part: Part) -> None:
        before = part.record
        part.asked, part.answered_at = False, None
        if before.needs_person:
            polling.say(part, people.answer(part, self.now), self.world, self.now)
            self._written(before, part)

    def _move(self, moved: Moved) -> None:
        for part in self.world.parts.values():
            part.machines.move(moved.by, self.now)
        self._announce(Stage.RESCHEDULED)

    def _cancel(self) -> None:
        for part in self.world.parts.values():
            part.machines.call_off(self.now)
        self._announce(Stage.CANCELED)

    def _turned(self, wave: Wave) -> None:
        self.log.append(Turned(self.now, self._turn, wave.tracking_id, wave.subscription.lower(), wave.open))

    def _announce(self, stage: Stage) -> None:
        for name in tuple(self.world.waves):
            wave = self.world.announce(name, stage, self.now)
            self._turned(wave)
            for part in self.world.covered_by(wave):
                self._plan(part, name)
