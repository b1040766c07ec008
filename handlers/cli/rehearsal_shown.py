"""A rehearsal's story as it is asked for: counts, who hears what, curves, data for programs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from handlers.render import contract
from handlers.render.moments import Clock, zone_of
from planner.azure.wave import Wave
from planner.notices.known import NOBODY
from planner.record.command import CommandKind
from planner.record.notice import Kind
from planner.record.run import Run
from planner.record.states import RunState
from planner.rehearsal.story import Miss, Outage, Played, Story
from planner.rehearsal.telling import Message
from planner.rehearsal.trouble import Trouble
from planner.text.phrases import short

STATES: Mapping[RunState, str] = {
    RunState.COMPLETED: "done by us",
    RunState.LEFT_TO_AZURE: "left to Azure",
    RunState.NOT_IMPACTED: "not affected",
    RunState.MISSED: "missed",
    RunState.CANCELLED: "cancelled",
    RunState.PAUSED: "still paused",
    RunState.AWAITING_APPROVAL: "still waiting for approval",
    RunState.SCHEDULED: "still waiting",
    RunState.RUNNING: "still under way",
}
"""How each end is counted, in the order in which it is."""


APPROVED = "An approval in time: nobody has given one."

ON_TIME = timedelta(minutes=30)
"""A difference from the forecast that is not worth a word."""


@dataclass(frozen=True, slots=True)
class Shown:
    """`policy` names the file, empty for the built-in one; `as_if`: no wave was known, all counts as due."""

    story: Story
    waves: tuple[Wave, ...]
    policy: str
    as_if: bool
    seed: int
    trouble: Trouble

    @property
    def clock(self) -> Clock:
        return Clock(zone_of([each.run for each in self.story.played]), self.story.start)

    def counts(self) -> str:
        """`7 done by us, 4 left to Azure, 1 missed`."""
        found = self.story.states
        return ", ".join(f"{found[state]} {words}" for state, words in STATES.items() if state in found)

    def played(self) -> list[Played]:
        """Those with trouble first, then by their first start; who never goes down comes last."""
        return sorted(self.story.played, key=_order)

    def name(self, run: Run) -> str:
        """The scale set's name; with its resource group where another one has the same."""
        shared = sum(each.run.target.name == run.target.name for each in self.story.played) > 1
        return f"{run.target.resource_group}/{run.target.name}" if shared else run.target.name


def _down(outage: Outage, at: datetime) -> bool:
    return outage.since <= at and (outage.until is None or at < outage.until)


def _order(played: Played) -> tuple[bool, bool, str, str]:
    begins = began(played.run)
    return (
        not played.misses and not played.run.needs_person,
        begins is None,
        begins.isoformat() if begins else "",
        played.scale_set,
    )


def began(run: Run) -> datetime | None:
    """When the first of its batches was started by us."""
    ours = (batch for batch in run.batches if any(each.begun or each.attempts for each in batch.instances))
    return min((each.started_at for each in ours if each.started_at is not None), default=None)


@dataclass(frozen=True, slots=True)
class Taken:
    """What Azure took of a scale set in its own window: so many instances, when, and how many at once."""

    instances: int
    first: datetime
    last: datetime | None
    most: int


def taken(played: Played) -> Taken | None:
    """What Azure took of it; `last` is when the last one served again, None where one does not."""
    theirs = [each for each in played.outages if each.by_azure]
    if not theirs:
        return None
    ends = [each.until for each in theirs if each.until is not None]
    down = [sum(_down(one, each.since) for one in theirs) for each in theirs]
    return Taken(
        len(theirs),
        min(each.since for each in theirs),
        max(ends) if len(ends) == len(theirs) else None,
        max(down),
    )


def avoided_by(played: Played, miss: Miss) -> tuple[str, ...]:
    """What would have had it done; leaving it to Azure, or starting it all the same, would not."""
    asked = any(told.notice.kind is Kind.APPROVAL for told in played.told)
    first = (APPROVED,) if asked and began(played.run) is None else ()
    return (*first, *(choice.sentence for choice in miss.choices if choice.word is CommandKind.RAISE))


def off(played: Played) -> timedelta | None:
    """How much later it was done than day 0 had said; negative: sooner."""
    if played.forecast is None or played.run.ended_at is None or played.run.state is not RunState.COMPLETED:
        return None
    return played.run.ended_at - played.forecast


def off_words(played: Played, clock: Clock) -> str:
    """How the end compares with day 0's forecast, in words."""
    by = off(played)
    if by is None:
        return clock.at(played.forecast) if played.forecast is not None else "-"
    if abs(by) <= ON_TIME:
        return "the same"
    return f"{short(abs(by))} too {'early' if by > timedelta(0) else 'late'}"


def curve(played: Played, start: datetime, end: datetime, columns: int) -> Iterator[int]:
    """The fewest instances that serve in each of so many equal parts of the time."""
    width = (end - start) / columns
    steps = [(start, 0), *played.capacity]
    for number in range(columns):
        since, until = start + width * number, start + width * (number + 1)
        at_first = next((down for at, down in reversed(steps) if at <= since), 0)
        inside = [down for at, down in steps if since < at < until]
        yield played.size - max((at_first, *inside))


def document(shown: Shown) -> dict[str, Any]:
    """The whole story for programs; a scale set is as in the app's own JSON (docs/report.md)."""
    story = shown.story
    return {
        "start": contract.instant(story.start),
        "until": contract.instant(story.until),
        "seed": shown.seed,
        "policy": shown.policy or None,
        "as_if": shown.as_if,
        "counts": dict(story.states),
        "scale_sets": [_document(each, story.until) for each in shown.played()],
        "told": [
            {
                "at": contract.instant(told.at),
                "scale_set": told.scale_set,
                "receiver": told.receiver or None,
                "number": told.notice.number,
                "kind": told.notice.kind.value,
                "urgency": told.notice.urgency.value,
                "sentence": told.notice.sentence,
            }
            for told in story.told
        ],
        "messages": [_message(each) for each in story.messages if each.receiver != NOBODY],
        "outlooks": [each.sentence for each in story.outlooks],
    }


def _taken(found: Taken | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "instances": found.instances,
        "first_down": contract.instant(found.first),
        "last_up": contract.instant(found.last),
        "most_down": found.most,
    }


def _message(message: Message) -> dict[str, Any]:
    return {
        "at": contract.instant(message.at),
        "wave": message.tracking_id,
        "receiver": message.receiver,
        "urgency": message.loudness.value,
        "closes_the_wave": message.closes,
        "notices": [
            {
                "scale_set": item.scale_set,
                "number": item.notice.number,
                "kind": item.notice.kind.value,
                "urgency": item.notice.urgency.value,
                "again": item.again,
            }
            for item in message.items
        ],
    }


def _document(played: Played, now: datetime) -> dict[str, Any]:
    return {
        **contract.run_document(played.run, now),
        "forecast_on_day_0": contract.instant(played.forecast),
        "capacity": [{"at": contract.instant(at), "down": down} for at, down in played.capacity],
        "most_down": played.most_down,
        "by_azure": _taken(taken(played)),
        "misses": [
            {
                "instances": list(miss.instances),
                "why": miss.why,
                "avoided_by": list(avoided_by(played, miss)),
            }
            for miss in played.misses
        ],
    }


def row(played: Played) -> tuple[object, ...]:
    """One line for pipes: state, names, first start, end, day 0's forecast, instances, most down, missed."""
    run = played.run
    moments = (began(run), run.ended_at, played.forecast)
    return (
        run.state.value,
        run.target.subscription,
        run.target.resource_group,
        run.target.name,
        *(contract.instant(each) or "-" for each in moments),
        played.size,
        played.most_down,
        sum(len(miss.instances) for miss in played.misses),
    )
