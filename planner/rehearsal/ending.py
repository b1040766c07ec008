"""What is told of a rehearsal when it is over: what was down when, who heard what, what was missed."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from planner.places.outlook import Outlook
from planner.policy.hearing import default_receiver, hearer
from planner.policy.model import Policy
from planner.record.notice import Notice
from planner.record.run import Run
from planner.record.states import InstanceState
from planner.rehearsal.clock import Rehearsal
from planner.rehearsal.machines import Fall
from planner.rehearsal.part import Part
from planner.rehearsal.story import Miss, Outage, Played, Story, Told


def story_of(
    rehearsal: Rehearsal,
    first: Mapping[str, Run],
    outlooks: tuple[Outlook, ...],
    start: datetime,
    until: datetime,
) -> Story:
    """The story as it stands."""
    world = rehearsal.world
    parts = [part for part in world.parts.values() if part.run is not None]
    played = tuple(_played(part, first[part.key], world.policy, until) for part in parts)
    counts = {
        "polls": sum(part.polls for part in parts),
        "skipped": sum(part.skipped for part in parts),
        "layouts": world.queue.layouts,
    }
    return Story(start, until, played, outlooks, counts, tuple(rehearsal.log))


def _played(part: Part, first: Run, policy: Policy, until: datetime) -> Played:
    run = part.record
    told = tuple(
        Told(notice.at, part.key, notice, _hearer(notice, run, policy)) for notice, run in part.notices
    )
    return Played(
        part.key,
        run,
        first,
        tuple(part.earlier),
        tuple(_outages(part, until)),
        run.target.capacity,
        told,
        tuple(_misses(part, run)),
    )


def _hearer(notice: Notice, run: Run, policy: Policy) -> str:
    owner = policy.receiver(run.terms.receiver) or default_receiver(policy)
    found = hearer(policy, owner, notice.kind, notice.urgency) if owner is not None else None
    return found.name if found is not None else ""


def _outages(part: Part, until: datetime) -> Iterator[Outage]:
    since: dict[str, Fall] = {}
    for fall in part.machines.falls(until):
        if fall.down:
            since.setdefault(fall.instance, fall)
        elif fall.instance in since:
            first = since.pop(fall.instance)
            yield Outage(first.instance, first.at, fall.at, by_azure=first.by_azure)
    yield from (Outage(each.instance, each.at, None, by_azure=each.by_azure) for each in since.values())


def _misses(part: Part, run: Run) -> Iterator[Miss]:
    missed: dict[str, list[str]] = {}
    for each in run.instances:
        if each.state is InstanceState.MISSED:
            missed.setdefault(each.reason, []).append(each.id)
    offered = [notice.choices for notice, _ in part.notices if notice.choices]
    for why, ids in missed.items():
        yield Miss(part.key, tuple(ids), why, offered[-1] if offered else ())
