"""A wave that is over, looked back on from its records: what was down how long, and what went wrong.

Everything here is read from the runs as they ended; what they do not show is not guessed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from planner.notices.next_wave import RULES, Point, down_for, spent
from planner.record.instance import InstanceProgress
from planner.record.notice import Kind, Urgency
from planner.record.run import Run
from planner.record.states import RunState
from planner.words import reviews as words

MOST = 10
"""Scale sets that a part of the review names; of more it says how many."""

DOMAINS = 4
"""Domains of a scale set whose time is told one by one."""

WRONG = frozenset({Kind.PAUSED, Kind.TROUBLE, Kind.STALLED, Kind.SLACK, Kind.MISSED})
"""Kinds of notices that say that something did not go as planned."""


@dataclass(frozen=True, slots=True)
class Review:
    """What a wave leaves behind for the next one."""

    down: tuple[Point, ...] = ()
    wrong: tuple[Point, ...] = ()
    change: tuple[Point, ...] = ()


def review(runs: Iterable[Run]) -> Review:
    """The review of these runs, each part with what matters most first."""
    ended = tuple(runs)
    timed = sorted((run for run in ended if _longest(run)), key=_longest, reverse=True)
    down = [_about(run, downtime(run)) for run in timed[:MOST]]
    if len(timed) > MOST:
        least = words.none_down_longer(_longest(timed[MOST]))
        down.append(Point(words.THE_OTHERS, words.scale_sets(len(timed) - MOST), least))
    troubled = [run for run in ended if _went_wrong(run)]
    troubled.sort(key=lambda run: run.state is not RunState.MISSED)
    wrong = [_about(run, _went_wrong(run)) for run in troubled[:MOST]]
    if len(troubled) > MOST:
        others = words.scale_sets(len(troubled) - MOST)
        wrong.append(Point(words.OTHERS, others, words.WRONG_THERE_TOO))
    change = tuple(point for rule in RULES if (point := rule(ended)) is not None)
    if not change:
        change = (Point(words.POLICY, words.AS_IT_IS, words.NOTHING_TO_CHANGE),)
    return Review(tuple(down), tuple(wrong), change if any(run.instances for run in ended) else ())


def _about(run: Run, sentence: str) -> Point:
    return Point(run.target.name, words.place(run.target.resource_group, run.target.location), sentence)


def downtime(run: Run) -> str:
    """How long the instances of each domain did not serve: the longest of them counts."""
    times = [(batch.domain, found) for batch in run.batches if (found := _time_of(batch.instances))]
    if len(times) <= DOMAINS:
        return words.down_by_domain(times)
    domain, most = max(times, key=lambda pair: pair[1])
    least = min(time for _, time in times)
    return words.down_in_all(len(times), least, most, domain)


def _longest(run: Run) -> timedelta:
    return max((down_for(each) for each in run.instances), default=timedelta(0))


def _time_of(instances: Iterable[InstanceProgress]) -> timedelta:
    return max(map(down_for, instances), default=timedelta(0))


def _went_wrong(run: Run) -> str:
    """What people were told that did not go as planned: how often, and the first of it."""
    told = [
        notice for notice in run.story.notices if notice.kind in WRONG and notice.urgency is not Urgency.KNOW
    ]
    if not told:
        return ""
    first, paused = told[0], spent(run, RunState.PAUSED)
    return words.went_wrong(first.at, first.sentence, len(told) - 1, paused)
