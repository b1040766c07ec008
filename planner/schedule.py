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
from planner.windows import WindowSets, all_open_until, next_all_open

REBOOT = timedelta(minutes=10)
"""What a self-service reboot is expected to take: the guidance speaks of several minutes."""

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
    return f"{zone}{'instance' if len(part) == 1 else 'instances'} {', '.join(one.id for one in part)}"


def next_start(windows: WindowSets, freezes: Sequence[Freeze], at: datetime) -> tuple[datetime | None, str]:
    """The earliest moment from `at` on at which the operator allows a start, and why not earlier."""
    why = ""
    moment = at
    for _ in range(100):
        frozen = next((one for one in freezes if moment in one), None)
        if frozen is not None:
            moment, why = frozen.end, f"a freeze until {say(frozen.end)} ({frozen.reason})"
            continue
        opens = next_all_open(windows, moment)
        if opens is None:
            return None, "no operator window opens in the next 60 days"
        if opens == moment:
            return moment, why
        moment, why = opens, f"the operator window opens {say(opens)}"
    return None, "freezes and windows leave no time in the next 60 days"


def closes(windows: WindowSets, freezes: Sequence[Freeze], at: datetime) -> datetime | None:
    """When the operator's permission that holds at `at` ends; None when nothing ends it."""
    ends = [one.start for one in freezes if one.start > at]
    until = all_open_until(windows, at)
    if until is not None:
        ends.append(until)
    return min(ends, default=None)


def timed(run: Run, rules: Rules, now: datetime) -> Run:
    """The run with the earliest time of every batch to come, the forecast end and the slack."""
    reboot = min(REBOOT, run.recover_within)
    free = max((now, run.lead_over or now, run.self_service.start if run.self_service else now))
    batches: list[Batch] = []
    last: datetime | None = None
    for batch in run.batches:
        if batch.state is BatchState.DONE:
            batches.append(batch)
            continue
        if batch.started_at is not None and batch.state is not BatchState.PENDING:
            ends = max(now, batch.started_at + reboot)
            free = max(free, (batch.verified_at or ends) + run.soak)
            last = ends
            batches.append(batch)
            continue
        if all(passage.state in SETTLED for passage in batch.instances):
            batches.append(batch)
            continue
        earliest, _ = next_start(rules.windows, rules.freezes, max(free, batch.held_until or free))
        batches.append(replace(batch, not_before=earliest))
        if earliest is None:
            last = None
            break
        last = earliest + reboot
        free = last + run.soak
    batches.extend(run.batches[len(batches) :])
    slack = run.deadline - last if run.deadline is not None and last is not None else None
    return replace(run, batches=tuple(batches), forecast_end=last, slack=slack)


def deadline(self_service: Interval | None, rules: Rules) -> datetime | None:
    """The earlier of the end of the self-service window and `complete-by`."""
    ends = [self_service.end] if self_service else []
    if rules.complete_by is not None:
        ends.append(rules.complete_by)
    return min(ends, default=None)


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


def say(at: datetime) -> str:
    """A moment for people: UTC, to the minute, to the second where seconds matter."""
    return at.strftime("%Y-%m-%d %H:%M:%S UTC" if at.second else "%Y-%m-%d %H:%M UTC")
