"""Waves of any size with runs in every state, made by the planner: decided, polled, held, played to their ends.

Of twenty scale sets nine wait for their turn, one is under way, four are completed, three are left to Azure
and one is not hit; of the last two one waits for an approval, and the other is held by a person or has a
plan that does not fit.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from benchmarks.fleets import ANNOUNCEMENT, START, WAVE, Case
from benchmarks.whole_runs import OneSet, Played, begin, planned, poll
from planner.azure.wave import Member, Wave
from planner.machine.advance import advance
from planner.policy.model import Policy, Receiver
from planner.record.command import Command, CommandKind
from planner.record.observation import Observation
from planner.record.run import Run

NOW = START + timedelta(hours=42)
"""When the wave is looked at: the plain runs have ended, those with long soaks are under way."""


def _case(name: str, **defaults: str) -> Case:
    rules = {"owner": "ops", **{key.replace("_", "-"): value for key, value in defaults.items()}}
    return Case(name, Policy(defaults=rules, receivers=(Receiver("ops"),)), {})


PLAIN = _case("plain", self_service="always")
SLOW = _case("slow", self_service="always", soak="2h")
APPROVAL = _case("approval", self_service="always", mode="approve")
NO_NEED = _case("no need")
MISFIT = _case("misfit", self_service="always", soak="2h", complete_by="2026-11-24")
TEXT = "<p>We will apply updates to the hosts of your Virtual Machine Scale Sets.</p>" * 12


@dataclass(frozen=True, slots=True)
class Made:
    """A wave's record and its runs."""

    wave: Wave
    runs: tuple[Run, ...]


def made(sets: int, instances: int) -> Made:
    """A wave over so many scale sets of so many instances each, as it stands at `NOW`."""
    ones = [_KINDS[number % len(_KINDS)](number, instances) for number in range(sets)]
    announced = replace(
        ANNOUNCEMENT,
        title="Planned maintenance for Virtual Machine Scale Sets",
        text=TEXT,
        regions=("westeurope",),
        alert="a" * 64,
    )
    roster = tuple(Member(one.scale_set) for one in ones)
    wave = replace(
        WAVE, announcements=(announced,), roster=roster, discovered=(announced.alert,), generation=1
    )
    return Made(wave, tuple(one.run for one in ones))


def _played(one: OneSet, case: Case, until: datetime) -> OneSet:
    """Polled as often as it is due until then."""
    due: datetime | None = one.run.due
    while due is not None and due <= until:
        due = poll(case, one, due, Played())
    return one


def _of(case: Case, until: datetime) -> Callable[[int, int], OneSet]:
    return lambda number, instances: _played(begin(case, number, instances), case, until)


def _not_hit(number: int, instances: int) -> OneSet:
    one = begin(PLAIN, number, instances)
    there = tuple(replace(each, maintenance=None) for each in one.machines.there.values())
    return OneSet(one.scale_set, one.machines, planned(PLAIN, one.scale_set, there))


def _held(number: int, instances: int) -> OneSet:
    if number % 40 < 20:
        return _of(MISFIT, NOW)(number, instances)
    one = _of(SLOW, NOW)(number, instances)
    hold = Command(f"hold-{number}", CommandKind.HOLD, "ana@example.org", "Sale until Thursday.", NOW)
    one.run, _ = advance(one.run, Observation(NOW), (hold,), NOW)
    return one


_WAITS, _ENDS = _of(PLAIN, START + timedelta(hours=1)), _of(PLAIN, NOW + timedelta(days=30))
_KINDS: tuple[Callable[[int, int], OneSet], ...] = (
    *[_WAITS] * 9,
    _of(SLOW, NOW),
    *[_ENDS] * 4,
    *[partial(begin, NO_NEED)] * 3,
    _not_hit,
    _of(APPROVAL, NOW),
    _held,
)
