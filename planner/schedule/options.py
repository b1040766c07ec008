"""Whether a plan meets its deadline, and what would make it: each way something a person can choose."""

from bisect import bisect_left
from datetime import datetime, timedelta

from planner.azure.fleet import Orchestration
from planner.calendar.openings import NOTHING
from planner.policy.weekly import WeeklyWindow
from planner.record.batch import Batch
from planner.record.command import CommandKind
from planner.record.copying import replace
from planner.record.notice import Choice
from planner.record.run import Run
from planner.schedule.deadline import margin
from planner.schedule.timing import MINUTE, earliest, largest, next_start, placed, timed, to_place
from planner.text.phrases import long, many, say

DAY_MINUTES = 24 * 60

MOST_NAMED = 6
"""Domains that a choice names; of more it says `and others`."""


def misfit(run: Run, now: datetime) -> str:
    """Why the plan does not meet its deadline, with numbers; empty when it does or nothing is left."""
    if not any(map(to_place, run.batches)):
        return ""
    if run.times.forecast_end is None:
        by = f"; it must be done by {say(run.times.deadline)}" if run.times.deadline is not None else ""
        return f"The plan does not fit: {_no_time(run, now)}{by}."
    if run.times.deadline is None or run.times.slack is None or run.times.slack >= NOTHING:
        return ""
    return (
        f"The plan does not fit: it needs until {say(run.times.forecast_end)} and must be done by "
        f"{say(run.times.deadline)}, {long(run.times.slack)} earlier."
    )


def _no_time(run: Run, now: datetime) -> str:
    """Why the first batch that finds no time finds none."""
    at = earliest(run, now)
    for batch in filter(to_place, placed(run, at, now)[0]):
        if batch.not_before is None:
            at = max(at, batch.waits_until or at)
            break
        at = batch.not_before + run.times.expected + run.terms.soak
    found, why = next_start(run.terms.windows, run.terms.freezes, at, run.times.expected)
    return why if found is None else "windows and freezes leave its last batches no time"


def choices(run: Run, now: datetime) -> tuple[Choice, ...]:
    """What would make the plan fit, and to go on all the same; none when it fits."""
    if not misfit(run, now):
        return ()
    found = (
        _lead(run, now),
        _soak(run, now),
        _wider_batches(run, now),
        _windows(run, now),
        _complete_by(run),
        _left(run, now),
    )
    until = f" by {say(run.times.self_service.end)}" if run.times.self_service is not None else " in time"
    words = f"Go ahead as planned, and leave to Azure what has not started{until}."
    return (*filter(None, found), Choice("resume", words, CommandKind.RESUME))


def _ends(changed: Run, now: datetime) -> str:
    """How well a changed plan fits; empty when it does not."""
    times = timed(changed, now).times
    if times.forecast_end is None or times.deadline is None or times.slack is None or times.slack < NOTHING:
        return ""
    return f"it then ends {say(times.forecast_end)}, {long(times.slack)} before {say(times.deadline)}"


def _lead(run: Run, now: datetime) -> Choice | None:
    """No more waiting until the lead time is over, where that is what takes too long."""
    if run.times.lead_over is None or run.times.lead_over <= now:
        return None
    ends = _ends(replace(run, times=replace(run.times, lead_over=now)), now)
    if not ends:
        return None
    words = f"No lead time: start without waiting until {say(run.times.lead_over)}; {ends}."
    return Choice("lead", words, CommandKind.RAISE, {"lead": "0m"})


def _soak(run: Run, now: datetime) -> Choice | None:
    """The longest shorter soak that fits."""
    unit, letter = (MINUTE, "m") if run.terms.soak >= 2 * MINUTE else (timedelta(seconds=1), "s")

    def ends(number: int) -> str:
        return _ends(replace(run, terms=replace(run.terms, soak=number * unit)), now)

    if not run.terms.soak or not ends(0):
        return None
    most = int(run.terms.soak / unit) - (not run.terms.soak % unit)
    number = largest(lambda number: bool(ends(number)), most)
    words = f"a soak of {long(number * unit)} instead of {long(run.terms.soak)}"
    sentence = f"Shorter pauses: with {words} {ends(number)}."
    return Choice("soak", sentence, CommandKind.RAISE, {"soak": f"{number}{letter}"})


def _wider_batches(run: Run, now: datetime) -> Choice | None:
    """The smallest larger max-unavailable that fits, up to the domain."""
    waiting = [batch for batch in run.batches if to_place(batch)]
    widest = max(len(batch.instances) for batch in waiting)
    domains = _domains(run, waiting)
    most = max(sum(len(batch.instances) for batch in domain) for domain in domains)

    def ends(size: int) -> str:
        return _ends(replace(run, batches=_regrouped(run, domains, size)), now)

    if most <= widest or not ends(most):
        return None
    size = bisect_left(range(most), True, lo=widest + 1, key=lambda size: bool(ends(size)))
    return Choice(
        "max-unavailable",
        f"Larger batches: with {size} instances down at once instead of {widest} {ends(size)}.",
        CommandKind.RAISE,
        {"max-unavailable": str(size)},
    )


def _domains(run: Run, waiting: list[Batch]) -> list[list[Batch]]:
    """The waiting batches by domain; what is tried again on its own stays alone."""
    flexible = run.target.orchestration is Orchestration.FLEXIBLE
    groups: dict[str, list[Batch]] = {}
    for batch in waiting:
        zone = batch.instances[0].zone
        alone = batch.retry or batch.waits_until is not None
        key = f"batch {batch.number}" if alone else (f"zone {zone}" if flexible else batch.domain)
        groups.setdefault(key, []).append(batch)
    return list(groups.values())


def _regrouped(run: Run, domains: list[list[Batch]], size: int) -> tuple[Batch, ...]:
    kept = [batch for batch in run.batches if not to_place(batch)]
    for batches in domains:
        members = [instance for batch in batches for instance in batch.instances]
        kept += [
            replace(batches[0], instances=tuple(members[at : at + size]))
            for at in range(0, len(members), size)
        ]
    return tuple(kept)


def _windows(run: Run, now: datetime) -> Choice | None:
    """The smallest widening of the operator's windows, in whole hours, that fits."""
    if len(run.terms.windows) != 1:
        return None
    (windows,) = run.terms.windows
    most = min((DAY_MINUTES - _length(window) - 1) // 60 for window in windows)

    def ends(hours: int) -> str:
        wider = tuple(_longer(window, hours) for window in windows)
        return _ends(replace(run, terms=replace(run.terms, windows=(wider,))), now)

    if most < 1 or not ends(most):
        return None
    hours = bisect_left(range(most), True, lo=1, key=lambda hours: bool(ends(hours)))
    text = "; ".join(str(_longer(window, hours)) for window in windows)
    words = f"Wider windows: with {many(hours, 'hour')} more each ({text}) {ends(hours)}."
    return Choice("windows", words, CommandKind.RAISE, {"windows": text})


def _longer(window: WeeklyWindow, hours: int) -> WeeklyWindow:
    """The window with a later end."""
    return replace(window, end_minute=(window.end_minute + hours * 60) % DAY_MINUTES)


def _length(window: WeeklyWindow) -> int:
    return (window.end_minute - window.start_minute) % DAY_MINUTES or DAY_MINUTES


def _complete_by(run: Run) -> Choice | None:
    """A later date, where it is the date that is too early and not Azure's window."""
    window = run.times.self_service
    if window is None or run.times.deadline is None or run.times.forecast_end is None:
        return None
    last = window.end - margin(window)
    if run.times.deadline >= last or run.times.forecast_end > last:
        return None
    hour = run.times.forecast_end.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    by = min(hour, last)
    return Choice(
        "complete-by",
        f"A later date: it is done by {say(by)}; the self-service window ends {say(window.end)}.",
        CommandKind.RAISE,
        {"complete-by": by.strftime("%Y-%m-%dT%H:%M:%SZ")},
    )


def _left(run: Run, now: datetime) -> Choice | None:
    """Start what fits, and leave the domains that don't to Azure."""
    if run.times.deadline is None:
        return None
    last = run.times.deadline - run.times.expected
    waiting = [batch for batch in placed(run, earliest(run, now), now)[0] if to_place(batch)]
    late = [batch for batch in waiting if batch.not_before is None or batch.not_before > last]
    if not late:
        return None
    ids = [instance.id for batch in late for instance in batch.instances if not instance.settled]
    names = list(dict.fromkeys(batch.domain for batch in late))
    where = "; ".join(names[:MOST_NAMED]) + (" and others" if len(names) > MOST_NAMED else "")
    rest = [batch for batch in waiting if batch not in late]
    partly = any(batch.domain in names for batch in rest)
    azure = (
        f", which reboots them between {say(run.times.scheduled.start)} and {say(run.times.scheduled.end)}"
        if run.times.scheduled
        else ""
    )
    return Choice(
        "leave",
        f"{'Fewer instances: leave' if rest else 'Nothing by us: leave'} {where} "
        f"({many(len(ids), 'instance')}) to Azure{azure}{'; the rest fits' if rest else ''}.",
        CommandKind.SKIP,
        {"instances": ",".join(ids)} if partly else {"domains": ";".join(names)},
    )
