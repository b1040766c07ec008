"""Batches and their times: who goes down together, and when at the earliest.

Pure arithmetic over windows, freezes and the policy's pauses; `advance` decides at each look whether a
batch may really start.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from planner.fleet import Domain, Instance, Interval, ScaleSet, domain_label, domain_of, natural
from planner.policy import Freeze, Rules
from planner.run import SETTLED, Batch, BatchState, Passage, Run
from planner.saying import long, say
from planner.windows import WindowSets, all_open_until, next_all_open

NOTHING = timedelta(0)

REBOOT = timedelta(minutes=10)
"""What a self-service reboot is expected to take: the guidance speaks of several minutes."""

MARGIN = timedelta(hours=1)
"""Nobody plans up to the last minute of a self-service window of weeks."""

HORIZON = timedelta(days=60)
STEPS = 14
"""Halvings of the time to the deadline: a month to within three minutes."""

MOST_NAMED = 2
"""Instances that the name of a Flexible set's batch spells out."""

DEFAULT_SHARE = 5
"""A domain, but at most a fifth of the running instances (design: Policy, max-unavailable)."""


def most_down(scale_set: ScaleSet, rules: Rules, running: int, domain_size: int) -> int:
    """How many instances may be down at once: never more than the domain, never less than one."""
    bounds = [share.of(running) for share in rules.max_unavailable]
    if rules.default_share or not bounds:
        bounds.append(1 if scale_set.flexible else max(1, running // DEFAULT_SHARE))
    return max(1, min(domain_size, *bounds))


def batches_of(
    scale_set: ScaleSet, concerned: Iterable[Instance], running: int, rules: Rules
) -> tuple[Batch, ...]:
    """The instances concerned, in batches by domain, in an order that is the same every time."""
    groups: dict[Domain, list[Instance]] = {}
    for instance in concerned:
        groups.setdefault(_together(scale_set, instance), []).append(instance)
    several = len({group for _, group, _ in groups}) > 1
    batches: list[Batch] = []
    for domain in sorted(groups, key=_order):
        members = sorted(groups[domain], key=lambda one: natural(one.id))
        size = most_down(scale_set, rules, running, len(members))
        for at in range(0, len(members), size):
            part = members[at : at + size]
            batches.append(
                Batch(
                    number=len(batches) + 1,
                    domain=_label(scale_set, domain, part, several_groups=several),
                    instances=tuple(Passage(one.id, one.zone) for one in part),
                )
            )
    return tuple(batches)


def _together(scale_set: ScaleSet, instance: Instance) -> Domain:
    # A Flexible set has no usable domains: max-unavailable may widen one at a time, within one zone.
    return (instance.zone, "", "") if scale_set.flexible else domain_of(scale_set, instance)


def _order(domain: Domain) -> tuple[object, ...]:
    return tuple(natural(part) for part in domain)


def _label(scale_set: ScaleSet, domain: Domain, part: Sequence[Instance], *, several_groups: bool) -> str:
    if not scale_set.flexible:
        return domain_label(domain, several_groups=several_groups)
    zone = f"zone {domain[0]}, " if domain[0] else ""
    if len(part) > MOST_NAMED:
        # A name has to be said and typed; the first and the last tell batches of one zone apart.
        return f"{zone}instances {part[0].id} to {part[-1].id} ({len(part)})"
    return f"{zone}{'instance' if len(part) == 1 else 'instances'} {', '.join(one.id for one in part)}"


def next_start(
    windows: WindowSets, freezes: Sequence[Freeze], at: datetime, lasting: timedelta = NOTHING
) -> tuple[datetime | None, str]:
    """The earliest moment from `at` on at which a start may go and `lasting` still fits; why not earlier.

    None where that leaves no time in the next 60 days.
    """
    why, short = "", False
    moment = at
    while moment - at <= HORIZON:
        frozen = next((one for one in freezes if moment in one), None)
        if frozen is not None:
            moment, why = frozen.end, f"a freeze until {say(frozen.end)} ({frozen.reason})"
            continue
        opens = next_all_open(windows, moment)
        if opens is None:
            break
        if opens != moment:
            moment, why = opens, f"the operator window opens {say(opens)}"
            continue
        closing = closes(windows, freezes, moment)
        if closing is None or moment + lasting <= closing:
            return moment, why
        moment, short = closing, True
        why = f"the time until {say(closing)} is shorter than the {long(lasting)} a batch is expected to take"
    if short:
        return (
            None,
            f"no window in the next 60 days is as long as the {long(lasting)} a batch is expected to take",
        )
    return None, "no operator window opens in the next 60 days"


def closes(windows: WindowSets, freezes: Sequence[Freeze], at: datetime) -> datetime | None:
    """When the operator's permission that holds at `at` ends; None when nothing ends it."""
    ends = [one.start for one in freezes if one.start > at]
    until = all_open_until(windows, at)
    if until is not None:
        ends.append(until)
    return min(ends, default=None)


def earliest(run: Run, now: datetime) -> datetime:
    """The earliest start that lead time, the self-service window and other scale sets leave."""
    opens = run.self_service.start if run.self_service is not None else None
    return max(one for one in (now, run.lead_over, opens, run.others_until) if one is not None)


def placed(run: Run, start: datetime, now: datetime) -> tuple[tuple[Batch, ...], datetime | None]:
    """Every batch with its earliest time if the next one starts at `start`, and the forecast end.

    No end where windows and freezes leave a batch no time.
    """
    free, last = start, None
    batches: list[Batch] = []
    opening: tuple[datetime, datetime | None] | None = None
    for number, batch in enumerate(run.batches):
        if batch.state is BatchState.DONE or all(one.state in SETTLED for one in batch.instances):
            batches.append(batch)
            continue
        if batch.started_at is not None and batch.state is not BatchState.PENDING:
            last = max(now, batch.verified_at or batch.started_at + run.expected)
            free = max(free, last + run.soak)
            batches.append(batch)
            continue
        at = max(free, batch.held_until or free)
        if opening is None or not _fits(at, run.expected, opening):
            found, _ = next_start(run.windows, run.freezes, at, run.expected)
            if found is None:
                return (*batches, replace(batch, not_before=None), *run.batches[number + 1 :]), None
            at, opening = found, (found, closes(run.windows, run.freezes, found))
        batches.append(replace(batch, not_before=at))
        last = at + run.expected
        free = last + run.soak
    return tuple(batches), last


def _fits(at: datetime, lasting: timedelta, opening: tuple[datetime, datetime | None]) -> bool:
    opens, closing = opening
    return opens <= at and (closing is None or at + lasting <= closing)


def timed(run: Run, now: datetime) -> Run:
    """The run with the earliest time of every batch to come, the forecast end and the slack."""
    batches, end = placed(run, earliest(run, now), now)
    slack = run.deadline - end if run.deadline is not None and end is not None else None
    return replace(run, batches=batches, forecast_end=end, slack=slack)


def deadline(self_service: Interval | None, complete_by: datetime | None) -> datetime | None:
    """The earlier of the end of the self-service window, less a margin, and `complete-by`."""
    ends = [self_service.end - margin(self_service)] if self_service else []
    if complete_by is not None:
        ends.append(complete_by)
    return min(ends, default=None)


def margin(self_service: Interval) -> timedelta:
    """What is kept free before the self-service window ends: an hour, less of a window under 50 hours."""
    return min(MARGIN, (self_service.end - self_service.start) / 50)


def start_by(run: Run, now: datetime) -> datetime | None:
    """The latest first start that still meets the deadline; None when even the earliest one does not."""
    if run.deadline is None or run.slack is None or run.slack < NOTHING:
        return None
    first = earliest(run, now)
    if not run.windows and not run.freezes:
        return first + run.slack
    good, late = first, run.deadline
    for _ in range(STEPS):
        middle = good + (late - good) / 2
        _, end = placed(run, middle, now)
        if end is not None and end <= run.deadline:
            good = middle
        else:
            late = middle
    return good.replace(second=0, microsecond=0) if good - first > timedelta(minutes=1) else first


def checksum(verdict: str, rules: Rules, batches: Sequence[Batch]) -> str:
    """What an approval belongs to: verdict, batch rules, windows and order, not times and forecasts."""
    order = [(batch.domain, [one.id for one in batch.instances]) for batch in batches]
    return hashlib.sha256(repr((verdict, _fields(rules), order)).encode()).hexdigest()[:16]


def fingerprint(rules: Rules) -> str:
    """Tells whether the policy of a scale set has changed since it was planned."""
    return hashlib.sha256(repr(_fields(rules)).encode()).hexdigest()[:16]


def _fields(rules: Rules) -> tuple[object, ...]:
    return (
        rules.self_service,
        rules.mode,
        rules.windows,
        rules.complete_by,
        rules.tier,
        rules.after,
        rules.soak,
        rules.max_unavailable,
        rules.default_share,
        rules.health,
        rules.recover_within,
        rules.declared,
        rules.accept,
        tuple((one.start, one.end, one.reason) for one in rules.freezes),
        rules.problems,
    )
