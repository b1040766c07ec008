"""Whether a plan meets its deadline, and what would make it: each way something a person can choose."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from planner.azure.fleet import Orchestration
from planner.policy.weekly import WeeklyWindow, Windows
from planner.record.batch import Batch
from planner.record.notice import Choice
from planner.record.run import Run
from planner.record.states import BatchState
from planner.schedule.bisection import largest
from planner.schedule.deadline import margin
from planner.schedule.timing import NOTHING, earliest, next_start, placed, timed
from planner.text.phrases import long, many, say

DAY_MINUTES = 24 * 60


def misfit(run: Run, now: datetime) -> str:
    """Why the plan does not meet its deadline, with numbers; empty when it does or nothing is left."""
    if not any(_waiting(batch) for batch in run.batches):
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
    for batch in placed(run, at, now)[0]:
        if not _waiting(batch):
            continue
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
    return (*(one for one in found if one is not None), _all_the_same(run))


def _waiting(batch: Batch) -> bool:
    return batch.state is BatchState.PENDING and any(not instance.settled for instance in batch.instances)


def _ends(run: Run) -> str:
    """How well a changed plan fits; empty when it does not."""
    end, deadline, slack = run.times.forecast_end, run.times.deadline, run.times.slack
    if end is None or deadline is None or slack is None or slack < NOTHING:
        return ""
    return f"it then ends {say(end)}, {long(slack)} before {say(deadline)}"


def _lead(run: Run, now: datetime) -> Choice | None:
    """No more waiting until the lead time is over, where that is what takes too long."""
    if run.times.lead_over is None or run.times.lead_over <= now:
        return None
    ends = _ends(timed(replace(run, times=replace(run.times, lead_over=now)), now))
    if not ends:
        return None
    words = f"No lead time: started without waiting until {say(run.times.lead_over)}, {ends}."
    return Choice("lead", words, "raise", {"lead": "0m"})


def _soak(run: Run, now: datetime) -> Choice | None:
    """The longest shorter soak that fits."""
    unit = timedelta(minutes=1) if run.terms.soak >= timedelta(minutes=2) else timedelta(seconds=1)

    def tried(number: int) -> Run:
        return timed(replace(run, terms=replace(run.terms, soak=number * unit)), now)

    most = int(run.terms.soak / unit) - (not run.terms.soak % unit)
    if most < 0 or not run.terms.soak or not _ends(tried(0)):
        return None
    number = largest(lambda one: bool(_ends(tried(one))), most)
    words = f"a soak of {long(number * unit)} instead of {long(run.terms.soak)}"
    text = f"{number}{'m' if unit == timedelta(minutes=1) else 's'}"
    return Choice("soak", f"Shorter pauses: with {words} {_ends(tried(number))}.", "raise", {"soak": text})


def _wider_batches(run: Run, now: datetime) -> Choice | None:
    """The smallest larger max-unavailable that fits, up to the domain."""
    waiting = [batch for batch in run.batches if _waiting(batch)]
    widest = max(len(one.instances) for one in waiting)
    domains = _domains(run, waiting)
    most = max((sum(len(one.instances) for one in group) for group in domains), default=0)

    def tried(size: int) -> Run:
        return timed(replace(run, batches=_regrouped(run, waiting, domains, size)), now)

    if most <= widest or not _ends(tried(most)):
        return None
    size = most - largest(lambda less: bool(_ends(tried(most - less))), most - widest - 1)
    return Choice(
        "max-unavailable",
        f"Larger batches: with {size} instances down at once instead of {widest} {_ends(tried(size))}.",
        "raise",
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


def _regrouped(run: Run, waiting: list[Batch], domains: list[list[Batch]], size: int) -> tuple[Batch, ...]:
    kept = [batch for batch in run.batches if not any(batch is each for each in waiting)]
    for group in domains:
        members = tuple(instance for batch in group for instance in batch.instances)
        kept += [replace(group[0], instances=members[at : at + size]) for at in range(0, len(members), size)]
    return tuple(kept)


def _windows(run: Run, now: datetime) -> Choice | None:
    """The smallest widening of the operator's windows, in whole hours, that fits."""
    if len(run.terms.windows) != 1:
        return None
    (windows,) = run.terms.windows
    most = min((DAY_MINUTES - _length(window) - 1) // 60 for window in windows)

    def tried(hours: int) -> tuple[Windows, str]:
        wider = tuple(_longer(window, hours) for window in windows)
        return wider, _ends(timed(replace(run, terms=replace(run.terms, windows=(wider,))), now))

    if most < 1 or not tried(most)[1]:
        return None
    hours = most - largest(lambda less: bool(tried(most - less)[1]), most - 1)
    wider, ends = tried(hours)
    text = "; ".join(map(str, wider))
    words = f"Wider windows: with {many(hours, 'hour')} more each ({text}) {ends}."
    return Choice("windows", words, "raise", {"windows": text})


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
        "raise",
        {"complete-by": by.strftime("%Y-%m-%dT%H:%M:%SZ")},
    )


def _left(run: Run, now: datetime) -> Choice | None:
    """Start what fits, and leave the domains that don't to Azure."""
    batches, _ = placed(run, earliest(run, now), now)
    late = list(_late(run, batches))
    if not late or run.times.deadline is None:
        return None
    ids = [instance.id for batch in late for instance in batch.instances if not instance.settled]
    names = list(dict.fromkeys(batch.domain for batch in late))
    partly = any(
        _waiting(batch) and batch.domain in names and not any(batch.number == each.number for each in late)
        for batch in batches
    )
    where = "; ".join(names[:6]) + (" and others" if len(names) > 6 else "")
    rest = any(_waiting(batch) for batch in batches if not any(batch.number == each.number for each in late))
    azure = (
        f", which maintains them between {say(run.times.scheduled.start)} and {say(run.times.scheduled.end)}"
        if run.times.scheduled
        else ""
    )
    return Choice(
        "leave",
        f"{'Fewer instances: leave' if rest else 'Nothing by us: leave'} {where} "
        f"({many(len(ids), 'instance')}) to Azure{azure}{'; the rest fits' if rest else ''}.",
        "skip",
        {"instances": ",".join(ids)} if partly else {"domains": ";".join(names)},
    )


def _late(run: Run, batches: tuple[Batch, ...]) -> Iterator[Batch]:
    beyond = False
    for batch in batches:
        if not _waiting(batch):
            continue
        ends = batch.not_before + run.times.expected if batch.not_before is not None else None
        # Batches after an unschedulable one were not placed.
        beyond = beyond or ends is None
        if beyond or (ends is not None and run.times.deadline is not None and ends > run.times.deadline):
            yield batch


def _all_the_same(run: Run) -> Choice:
    until = f" by {say(run.times.self_service.end)}" if run.times.self_service is not None else " in time"
    return Choice(
        "resume",
        f"Go ahead as planned: what is not started{until} is left to Azure.",
        "resume",
    )
