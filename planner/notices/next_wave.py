"""What a wave that is over teaches for the next one: each piece of advice with the records that show it."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from planner.record.command import CommandKind
from planner.record.instance import InstanceProgress
from planner.record.notice import Urgency
from planner.record.run import Entry, Run
from planner.record.states import InstanceState, RunState
from planner.text.phrases import some
from planner.words import reviews as words
from planner.words.commands import NOT_APPLIED, TOO_LATE

LATE_ANSWER = timedelta(hours=24)
LATE_ACKNOWLEDGEMENT = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Point:
    """A line of the review: what or whom it is about, where that is or how many, and a sentence."""

    name: str
    where: str
    sentence: str


def down_for(instance: InstanceProgress) -> timedelta:
    """How long it did not serve, as far as polls saw both ends."""
    since = instance.down_at or (instance.intent_at if instance.begun else None)
    until = instance.up_at or (instance.finished_at if instance.state in _SERVED else None)
    return until - since if since is not None and until is not None and until > since else timedelta(0)


_SERVED = frozenset({InstanceState.MAINTAINED, InstanceState.BY_AZURE})


def spent(run: Run, state: RunState) -> timedelta:
    """How long the run was in a state, by its history."""
    spent, since = timedelta(0), None
    for entry in run.story.history:
        before, arrow, after = entry.event.partition(" -> ")
        if not arrow:
            continue
        if since is not None and before == state:
            spent, since = spent + (entry.at - since), None
        if after == state:
            since = entry.at
    if since is not None and run.ended_at is not None:
        spent += run.ended_at - since
    return spent


def _advice(title: str, runs: Iterable[Run], sentence: str) -> Point:
    """A thing to change, with the scale sets that show it."""
    who = {run.target.id: run.target.name for run in runs}
    return Point(title, some(sorted(who.values()), most=5), sentence)


def _too_little_time(runs: Sequence[Run]) -> Point | None:
    """Whose window closed on instances that nobody had started, although nobody had to be asked."""
    missed = [
        (run, each)
        for run in runs
        for each in run.instances
        if each.state is InstanceState.MISSED
        and each.proof_at is None
        and spent(run, RunState.AWAITING_APPROVAL) < LATE_ANSWER
    ]
    if not missed:
        return None
    return _advice(
        words.MORE_TIME,
        (run for run, _ in missed),
        words.give_more_time(len(missed)),
    )


def _late_approvals(runs: Sequence[Run]) -> Point | None:
    late = [run for run in runs if spent(run, RunState.AWAITING_APPROVAL) >= LATE_ANSWER]
    if not late:
        return None
    most = max(spent(run, RunState.AWAITING_APPROVAL) for run in late)
    missed = [run.target.name for run in late if run.state is RunState.MISSED]
    return _advice(
        words.APPROVAL,
        late,
        words.approve_sooner(most, missed),
    )


def _slow_to_serve(runs: Sequence[Run]) -> Point | None:
    """Who served again, but only after `recover-within`, so that a person was woken for nothing."""
    late = [
        (down_for(each), run)
        for run in runs
        for each in run.instances
        if each.state is InstanceState.MAINTAINED and each.begun and down_for(each) > run.terms.recover_within
    ]
    if not late:
        return None
    most, run = max(late, key=lambda pair: pair[0])
    return _advice(
        words.RECOVERY,
        (run for _, run in late),
        words.allow_longer(most, run.terms.recover_within),
    )


def _late_acknowledgements(runs: Sequence[Run]) -> Point | None:
    late = [(wait, run) for run in runs for wait in _page_waits(run) if wait >= LATE_ACKNOWLEDGEMENT]
    if not late:
        return None
    most = max(wait for wait, _ in late)
    return _advice(
        words.ON_CALL,
        (run for _, run in late),
        words.check_on_call(most),
    )


def _page_waits(run: Run) -> Iterable[timedelta]:
    """How long after the page before it each acknowledgement came."""
    pages = [notice.at for notice in run.story.notices if notice.urgency is Urgency.PAGE]
    for entry in _said(run, CommandKind.ACKNOWLEDGE):
        before = [at for at in pages if at <= entry.at]
        if before:
            yield entry.at - max(before)


def _raised(runs: Sequence[Run]) -> Point | None:
    values = Counter(raised for run in runs for raised in run.terms.raised.items())
    if not values:
        return None
    return _advice(
        words.RAISED,
        (run for run in runs if run.terms.raised),
        words.keep_raised(values.most_common()),
    )


def _held(runs: Sequence[Run]) -> Point | None:
    holds = [(run, entry) for run in runs for entry in _said(run, CommandKind.HOLD)]
    if not holds:
        return None
    return _advice(
        words.HELD,
        (run for run, _ in holds),
        words.plan_for_holds(holds[0][1].reason),
    )


def _said(run: Run, kind: CommandKind) -> Iterable[Entry]:
    """The commands of this kind that had an effect, by the history."""
    for entry in run.story.history:
        if entry.id and entry.event == kind and not entry.reason.startswith((TOO_LATE, NOT_APPLIED)):
            yield entry


def _azure_took_many(runs: Sequence[Run]) -> Point | None:
    """Of whom Azure had more than one domain down at once."""
    found = [
        (run, most)
        for run in runs
        if run.state is RunState.LEFT_TO_AZURE and (most := _at_once(run)) > 1 and len(run.batches) > 1
    ]
    if not found:
        return None
    run, most = max(found, key=lambda pair: pair[1] / len(pair[0].batches))
    return _advice(
        words.LEFT_TO_AZURE,
        (run for run, _ in found),
        words.take_one_by_one(most, len(run.batches), run.target.name),
    )


def _at_once(run: Run) -> int:
    """The most domains that were down at the same moment."""
    moments: list[tuple[datetime, int]] = []
    for batch in run.batches:
        spans = [(each.down_at, each.up_at or each.finished_at) for each in batch.instances]
        known = [(since, until) for since, until in spans if since is not None and until is not None]
        if known:
            moments += [(min(since for since, _ in known), 1), (max(until for _, until in known), -1)]
    most = now = 0
    for _, step in sorted(moments):
        now += step
        most = max(most, now)
    return most


RULES: tuple[Callable[[Sequence[Run]], Point | None], ...] = (
    _too_little_time,
    _late_approvals,
    _slow_to_serve,
    _late_acknowledgements,
    _raised,
    _held,
    _azure_took_many,
)
"""What may be worth changing for the next wave, each from what the records show; what costs most first."""
