"""Whole self-service runs on an invented clock with invented polls: no Azure, no storage, only the planner.

What is started goes down, comes back and reports healthy; the CPU of every poll is booked, as far as it is
the planner's: what a poll is made of costs nothing here.
"""

import heapq
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from benchmarks.fleets import ANNOUNCEMENT, START, WAVE, Case, instances, scale_set
from planner.azure.fleet import Health, Instance, ScaleSet
from planner.decision.decide import decide
from planner.machine.advance import advance, may_start, needs_azure
from planner.policy.resolve import rules_for
from planner.record.action import PollAgain, Replan, Start, StartOutcome, StartResult
from planner.record.observation import Observation, OperationSeen
from planner.record.run import Run
from planner.record.states import ENDED, IN_FLIGHT, InstanceState, RunState
from planner.replan import new_plan
from planner.start.results import answered

DOWN, UP, WELL = timedelta(seconds=30), timedelta(minutes=4), timedelta(minutes=5)
"""After its start an instance goes down, is up again with its maintenance done, and reports healthy."""


@dataclass(slots=True)
class Played:
    """Nanoseconds of CPU: `poll` of everything the planner does in a poll, `advance` of that function alone."""

    polls: int = 0
    poll: int = 0
    advance: int = 0
    worst: int = 0
    batches: int = 0


@dataclass(slots=True)
class Machines:
    """The instances of one scale set over time."""

    there: dict[str, Instance]
    started: dict[str, datetime] = field(default_factory=dict)

    def seen(self, at: datetime) -> tuple[Instance, ...]:
        for one, since in list(self.started.items()):
            passed = at - since
            self.there[one] = self._after(self.there[one], passed)
            if passed >= WELL:
                del self.started[one]
        return tuple(self.there.values())

    def operation(self, one: str) -> OperationSeen:
        return OperationSeen("Succeeded" if self.there[one].maintenance is None else "InProgress")

    @staticmethod
    def _after(instance: Instance, passed: timedelta) -> Instance:
        if passed < DOWN:
            return replace(instance, provisioning="updating")
        if passed < UP:
            return replace(instance, provisioning="updating", power="starting", health=Health.NOT_REPORTED)
        health = Health.HEALTHY if passed >= WELL else Health.INITIALIZING
        return replace(instance, provisioning="succeeded", power="running", health=health, maintenance=None)


@dataclass(slots=True)
class OneSet:
    """A scale set with its machines and its run."""

    scale_set: ScaleSet
    machines: Machines
    run: Run


def play(case: Case, sets: int, count: int) -> Played:
    """Play a wave over so many scale sets of so many instances to its end, each poll when it is due.

    Raises RuntimeError when a run ends other than with every instance maintained.
    """
    fleet = [begin(case, number, count) for number in range(sets)]
    played = Played(batches=sum(len(one.run.batches) for one in fleet))
    due = [(one.run.due, number) for number, one in enumerate(fleet)]
    heapq.heapify(due)
    while due:
        at, number = heapq.heappop(due)
        one = fleet[number]
        again = poll(case, one, at, played)
        if again is not None:
            heapq.heappush(due, (again, number))
    for one in fleet:
        states = {progress.state for progress in one.run.instances}
        if one.run.state is not RunState.COMPLETED or states != {InstanceState.MAINTAINED}:
            raise RuntimeError(f"{one.scale_set.name} ended {one.run.state}: {one.run.reason}")
    return played


def planned(case: Case, this: ScaleSet, there: tuple[Instance, ...]) -> Run:
    """The decision about a scale set and the run begun from it."""
    decision = decide(this, there, [ANNOUNCEMENT], case.policy, START)
    return new_plan.new_run(this, there, decision, [WAVE], START)


def begin(case: Case, number: int, count: int) -> OneSet:
    """A scale set of so many instances, planned and not yet polled."""
    this, there = scale_set(number, case.tags), instances(count)
    return OneSet(this, Machines({one.id: one for one in there}), planned(case, this, there))


def poll(case: Case, one: OneSet, at: datetime, played: Played) -> datetime | None:
    """One poll in the steps of `handlers.stages.advance`; when to look again, None at the end of the run."""
    run, observation = one.run, Observation(at)
    began = time.process_time_ns()
    fresh = may_start(run, observation, at)
    reads = needs_azure(run, observation, at)
    spent = time.process_time_ns() - began
    if reads:
        observation = Observation(
            at, instances=one.machines.seen(at), operations=_operations(run, one.machines)
        )
    began = time.process_time_ns()
    if reads and fresh:
        observation = replace(
            observation, scale_set=one.scale_set, rules=rules_for(case.policy, one.scale_set)
        )
    before = time.process_time_ns()
    run, actions = advance(run, observation, (), at)
    after = time.process_time_ns()
    run = replace(run, generation=run.generation + 1)
    starts = [action for action in actions if isinstance(action, Start)]
    if starts:
        run = answered(run, _answers(starts), at)
    spent += time.process_time_ns() - began
    one.run = run
    one.machines.started.update((start.instance, at) for start in starts)
    played.polls += 1
    played.poll += spent
    played.advance += after - before
    played.worst = max(played.worst, spent)
    if any(isinstance(action, Replan) for action in actions):
        raise RuntimeError(f"{one.scale_set.name} asks for another plan: {run.reason}")
    if run.state in ENDED:
        return None
    return next((action.at for action in actions if isinstance(action, PollAgain)), None)


def _operations(run: Run, machines: Machines) -> Mapping[str, OperationSeen]:
    flying = [one for one in run.instances if one.state in IN_FLIGHT and one.proof_at is None]
    return {one.id: machines.operation(one.id) for one in flying}


def _answers(starts: Sequence[Start]) -> list[StartResult]:
    return [
        StartResult(one.instance, StartOutcome.ACCEPTED, operation=f"operations/{one.instance}")
        for one in starts
    ]
