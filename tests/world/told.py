"""Nothing waits in silence, and what Azure does in spite of a plan is told before: judged along the way.

`stalled-after` is what people are promised: whatever may start by its times and does not is told after it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from handlers.wire.documents import decode
from planner.calendar.openings import usable
from planner.record.notice import Kind, Urgency
from planner.record.run import Run, Verdict
from planner.record.states import IN_FLIGHT, InstanceState, RunState
from planner.schedule.latest_start import latest
from simulator.fleet import Fleet
from simulator.fleet.ledger import StartAsked

STALLED_AFTER = timedelta(hours=4)
TROUBLE_AFTER = timedelta(minutes=30)
A_LOOK = timedelta(minutes=20)
"""How much later than promised a poll that has to tell may come: waits after trouble double up to ten minutes."""

WAITS = frozenset({RunState.PAUSED, RunState.AWAITING_APPROVAL})
REMINDED = (72, 24, 4)
"""Hours before the latest start at which people are reminded of what waits for them."""

WORKED_OUT = timedelta(hours=1)
"""How much sooner than that it may be: a latest start that was worked out serves for an hour."""

WARNS = frozenset({Kind.SLACK, Kind.TROUBLE, Kind.PAUSED, Kind.APPROVAL, Kind.MISSED})
KNOWN_FOR = timedelta(hours=1)
"""A window that moved more lately than this may come without a warning."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Since when a run stands still, and by what it is seen to have moved."""

    since: datetime
    mark: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A run that waits for a person: known so since `since`, to be answered `by`."""

    state: RunState
    since: datetime
    by: datetime


class Told:
    def __init__(self, late: timedelta = A_LOOK) -> None:
        """`late`: how much later a poll may come; where messages die, as late as the next sweep."""
        self.findings: list[str] = []
        self._late = late
        self._runs: dict[str, Run] = {}
        self._still: dict[str, Standing] = {}
        self._asked: dict[str, Asked] = {}

    def written(self, path: str, body: bytes) -> None:
        if path.startswith("runs/"):
            self._runs[path] = decode(Run, body)

    def tick(self, now: datetime) -> None:
        """Now and then: who stands still, and who should have been told."""
        for path, run in self._runs.items():
            self._trouble(run, now)
            self._reminded(path, run, now)
            mark = _mark(run, now)
            if mark is None:
                self._still.pop(path, None)
                continue
            known = self._still.get(path)
            if known is None or known.mark != mark:
                known = self._still[path] = Standing(_may_since(run, now), mark)
            # A closed window of the operator's neither counts nor begins anew.
            lasted = usable(run.terms.windows, run.terms.freezes, known.since, now, run.times.expected)
            told = _told_since(run, known.since) or _told_of_cause(run)
            if lasted > STALLED_AFTER + self._late and not told:
                self._find(
                    run, now, f"could have started since {known.since:%d %H:%M} and nobody was told why not"
                )
                self._still[path] = Standing(now, mark)

    def _trouble(self, run: Run, now: datetime) -> None:
        trouble = run.gaps.trouble
        silent = trouble is not None and not _told_since(run, trouble.since)
        if silent and now - trouble.since > TROUBLE_AFTER + self._late:
            self._find(run, now, f"could not read Azure since {trouble.since:%d %H:%M} and told nobody")

    def _reminded(self, path: str, run: Run, now: datetime) -> None:
        """Whoever waits for a person's answer reminds people of it before it is too late for one."""
        by = latest(run, now).start if run.state in WAITS else None
        known = self._asked.get(path)
        if by is None or known is None or (known.state, known.by) != (run.state, by):
            self._asked.pop(path, None)
            if by is not None:
                self._asked[path] = Asked(run.state, now, by)
            return
        for hours in REMINDED:
            moment = by - timedelta(hours=hours)
            if not known.since < moment < now - self._late:
                continue
            if not any(moment - WORKED_OUT <= one.at <= moment + self._late for one in run.story.notices):
                why = (
                    f"is {run.state} since {known.since:%d %H:%M} or longer and has to start by {by:%d %H:%M}"
                )
                self._find(run, now, f"{why}; nobody was reminded {hours} hours before")
            self._asked[path] = replace(known, since=moment)

    def _find(self, run: Run, now: datetime, why: str) -> None:
        found = f"{now:%Y-%m-%d %H:%M:%S}Z {run.target.name} {why}"
        if len(self.findings) < 50 and found not in self.findings:
            self.findings.append(found)


def _may_since(run: Run, now: datetime) -> datetime:
    """Since when its next batch may start by its times; the future when it may not yet."""
    waits = [
        max(filter(None, (one.not_before, one.held_until, run.times.lead_over)), default=now)
        for one in run.batches
        if any(each.state is InstanceState.PENDING for each in one.instances)
    ]
    return min(waits, default=now)


def _mark(run: Run, now: datetime) -> tuple[object, ...] | None:
    """What changes when a run moves; None when it is not one that stands still."""
    moving = any(one.state in IN_FLIGHT for one in run.instances) or any(
        one.verified_at is not None and now < one.verified_at + run.terms.soak for one in run.batches
    )
    pending = any(one.state is InstanceState.PENDING for one in run.instances)
    waits = run.state in {RunState.SCHEDULED, RunState.RUNNING} and run.terms.mode != "observe"
    if not waits or moving or not pending or run.people.misfit or _may_since(run, now) > now:
        return None
    settled = tuple((one.id, one.state, one.intent_at) for one in run.instances)
    return (run.state, _may_since(run, now), settled)


def _told_of_cause(run: Run) -> bool:
    """Whether people were told what it waits for, however its expected turn has moved since."""
    held = run.standing.stalled
    waited = held.of(held.cause) if held is not None and held.active else None
    asked = any(notice.kind is Kind.STALLED for notice in run.story.notices)
    return waited is not None and waited.told and asked


def _told_since(run: Run, since: datetime) -> bool:
    """Whether people were told since then, or know already that Azure cannot be read and nothing is started."""
    if run.gaps.trouble is not None:
        since = min(since, run.gaps.trouble.since)
    return any(one.at >= since for one in run.story.notices if one.kind is not Kind.STARTED)


def unwarned(fleet: Fleet, runs: Iterable[Run]) -> Iterator[str]:
    """Instances that Azure maintained in its own turn although we had promised to, and nobody was told before."""
    all_runs = [one for one in runs if one.verdict is Verdict.SELF_SERVICE and one.terms.mode != "observe"]
    for fact in fleet.ledger:
        if not isinstance(fact, StartAsked) or fact.who != "azure" or not fact.accepted:
            continue
        foreseen = (
            fact.windows is not None
            and fact.windows[2] <= fact.at
            and fact.shown_since is not None
            and fact.at - fact.shown_since > KNOWN_FOR
        )
        if foreseen:
            yield from (
                f"{fact.at:%Y-%m-%d %H:%M:%S}Z {run.target.name}: Azure began {fact.instance.rsplit('/', 1)[-1]}, "
                "which was to be maintained by us, and nobody was told before"
                for run in all_runs
                if run.target.id.lower() == fact.scale_set.lower()
                and _promised(run, fact)
                and not _warned(run, fact)
            )


def _promised(run: Run, fact: StartAsked) -> bool:
    over = run.ended_at is not None and run.ended_at < fact.at
    if over or run.planned_at >= fact.at or not run.story.notices or run.story.notices[0].at >= fact.at:
        return False
    name = fact.instance.rsplit("/", 1)[-1].lower()
    return any(
        one.id.lower() == name
        and one.intent_at is None
        and (one.finished_at is None or one.finished_at >= fact.at)
        and one.state is not InstanceState.SKIPPED
        for one in run.instances
    )


def _warned(run: Run, fact: StartAsked) -> bool:
    return any(
        one.at < fact.at and (one.kind in WARNS or one.urgency in {Urgency.ACT, Urgency.PAGE})
        for one in run.story.notices
    )
