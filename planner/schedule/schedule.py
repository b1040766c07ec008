"""Batches and their times: who goes down together, and when at the earliest.

Pure arithmetic over windows, freezes and the policy's pauses; `advance` decides at each look whether a
batch may really start.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from planner.azure.fleet import Domain, Instance, Interval, ScaleSet, domain_label, domain_of, natural
from planner.calendar.openings import Opening, open_at, opening
from planner.calendar.windows import WindowSets
from planner.policy.resolve import Freeze, Rules
from planner.record.run import Batch, Passage, Run
from planner.record.states import SETTLED, BatchState
from planner.text.phrases import long, say

NOTHING = timedelta(0)

MARGIN = timedelta(hours=1)
"""Nobody plans up to the last minute of a self-service window of weeks."""

MINUTE = timedelta(minutes=1)

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
        groups.setdefault(together(scale_set, instance), []).append(instance)
    letters = _group_letters({group for _, group, _ in groups})
    batches: list[Batch] = []
    for domain in sorted(groups, key=_order):
        members = sorted(groups[domain], key=lambda one: natural(one.id))
        size = most_down(scale_set, rules, running, len(members))
        for at in range(0, len(members), size):
            part = members[at : at + size]
            batches.append(
                Batch(
                    number=len(batches) + 1,
                    domain=_label(scale_set, domain, part, group_letters=letters),
                    instances=tuple(map(_passage, part)),
                )
            )
    return tuple(batches)


def _passage(instance: Instance) -> Passage:
    status = instance.status
    if status is None:
        return Passage(instance.id, instance.zone)
    return Passage(instance.id, instance.zone, window=status.self_service, code=status.result)


def together(scale_set: ScaleSet, instance: Instance) -> Domain:
    """What instances share that may be in one batch."""
    # A Flexible set has no usable domains: max-unavailable may widen one at a time, within one zone.
    return (instance.zone, "", "") if scale_set.flexible else domain_of(scale_set, instance)


def _order(domain: Domain) -> tuple[object, ...]:
    return tuple(natural(part) for part in domain)


def _group_letters(groups: set[str]) -> int:
    """How much of a placement group's name tells it from the others: people name domains by their labels."""
    if len(groups) < 2:
        return 0
    most = max(map(len, groups))
    return next((one for one in range(8, most) if len({name[:one] for name in groups}) == len(groups)), most)


def _label(scale_set: ScaleSet, domain: Domain, part: Sequence[Instance], *, group_letters: int) -> str:
    if not scale_set.flexible:
        return domain_label(domain, group_letters=group_letters)
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
    found = opening(windows, freezes, at, lasting)
    if found is not None and found.start == at:
        return at, ""
    return (found.start if found is not None else None), _why(windows, freezes, at, lasting, found)


def _why(
    windows: WindowSets,
    freezes: Sequence[Freeze],
    at: datetime,
    lasting: timedelta,
    found: Opening | None,
) -> str:
    """Why nothing may start at `at`."""
    sooner = opening(windows, freezes, at)
    if found is None and sooner is not None:
        return f"no window in the next 60 days is as long as the {long(lasting)} a batch is expected to take"
    if found is None:
        frozen = next((one for one in freezes if at in one), None)
        if frozen is not None:
            return f"a freeze until {say(frozen.end)} ({frozen.reason}) leaves no time in the next 60 days"
        return "freezes and windows leave no time in the next 60 days"
    frozen = next((one for one in freezes if at in one or one.end == found.start), None)
    if frozen is not None:
        return f"a freeze until {say(frozen.end)} ({frozen.reason})"
    if sooner is not None and sooner.end is not None and sooner.start == at:
        return (
            f"the time until {say(sooner.end)} is shorter than the {long(lasting)} a batch is expected to "
            f"take; the operator window opens {say(found.start)}"
        )
    return f"the operator window opens {say(found.start)}"


def closes(windows: WindowSets, freezes: Sequence[Freeze], at: datetime) -> datetime | None:
    """When the operator's permission that holds at `at` ends; None when nothing ends it."""
    found = open_at(windows, freezes, at)
    return found.end if found is not None else at


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
    room: Opening | None = None
    for number, batch in enumerate(run.batches):
        settled = all(one.state in SETTLED for one in batch.instances)
        if batch.state is BatchState.DONE or (settled and batch.state is not BatchState.SOAKING):
            batches.append(batch)
            continue
        if batch.started_at is not None and batch.state is not BatchState.PENDING:
            # What soaks has ended already; what still reboots ends now at the earliest.
            ended = batch.verified_at or max(now, batch.started_at + run.expected)
            last = max(now, ended)
            free = max(free, ended + run.soak)
            batches.append(batch)
            continue
        at = max(free, batch.waits_until or free)
        if room is None or not room.holds(at, run.expected):
            room = opening(run.windows, run.freezes, at, run.expected)
            if room is None:
                return (*batches, *map(_without_time, run.batches[number:])), None
            at = room.start
        batches.append(replace(batch, not_before=at))
        last = at + run.expected
        free = last + run.soak
    return tuple(batches), last


def _without_time(batch: Batch) -> Batch:
    waits = batch.state is BatchState.PENDING and any(one.state not in SETTLED for one in batch.instances)
    return replace(batch, not_before=None) if waits else batch


def timed(run: Run, now: datetime) -> Run:
    """The run with the earliest time of every batch to come, the forecast end and the slack."""
    batches, end = placed(run, earliest(run, now), now)
    slack = run.deadline - end if run.deadline is not None and end is not None else None
    return replace(run, batches=batches, forecast_end=end, slack=slack)


def deadline(
    self_service: Interval | None, scheduled: Interval | None, complete_by: datetime | None
) -> datetime | None:
    """The earliest of the end of the self-service window, less a margin, Azure's own turn, and `complete-by`.

    Azure's window mostly begins after the self-service window; where it begins before, nobody can promise
    that what is left is not maintained by Azure.
    """
    ends = [self_service.end - margin(self_service)] if self_service else []
    if scheduled is not None and self_service is not None:
        ends.append(scheduled.start)
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
    first, last = earliest(run, now), run.deadline
    if not run.windows and not run.freezes and not any(_has_its_own_time(one) for one in run.batches):
        return first + run.slack
    minute = first.replace(second=0, microsecond=0)

    def fits(minutes: int) -> bool:
        _, end = placed(run, max(first, minute + minutes * MINUTE), now)
        return end is not None and end <= last

    good, most = 0, int((last - minute) / MINUTE)
    while good < most:
        middle = (good + most + 1) // 2
        if fits(middle):
            good = middle
        else:
            most = middle - 1
    return max(first, minute + good * MINUTE)


def _has_its_own_time(batch: Batch) -> bool:
    """Whether a batch's time does not simply follow from the first start: held back, or under way."""
    return batch.waits_until is not None or batch.state not in {BatchState.PENDING, BatchState.DONE}


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
