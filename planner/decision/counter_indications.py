"""The guidance's counter-indications: local state, scheduled events, stopped, short-lived, resized.

Evidence first: what Azure shows, then what somebody declared. A source that could not be read makes the check
`unknown`; where a check spares work that would be lost and protects neither data nor people, that alone does
not block (`planner.decision.checks`).
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from statistics import median

from planner.azure.fleet import Instance, ScaleSet
from planner.azure.usage import LOOK_BACK, Habits, Source
from planner.policy.model import CheckName, Rules
from planner.record.check import Check, Outcome
from planner.words import counter_indications as words
from planner.words.checks import THE_POLICY

OFTEN_STOPPED = 3
"""Stops within the look-back that make a habit: more than a repair or two."""

OFTEN_RESIZED = 2
"""Changes of the size within the look-back: one is a correction, two are a habit."""

YOUNG = timedelta(days=4)
"""Where autoscale removes instances: half of them younger than this will not live through a wave."""

EXPIRY_TAGS = frozenset(
    {"expireson", "expires-on", "expiry", "expirydate", "expirationdate", "deleteafter", "delete-after"}
)
"""Tags, in lower case, by which clean-up tools know when a resource goes."""

DAYS = LOOK_BACK.days


def local_state(scale_set: ScaleSet, rules: Rules) -> Check:
    """The guidance: not where much lies on local disks; Azure shows only whether OS disks are ephemeral."""
    name = CheckName.LOCAL_STATE
    if not scale_set.ephemeral_os_disk:
        return declared(name, rules)
    return _seen(name, words.EPHEMERAL_DISKS, words.DISK_SETTINGS)


def scheduled_events(scale_set: ScaleSet, rules: Rules) -> Check:
    """The guidance: not where scheduled events are in use; what the model shows, else what was declared."""
    name = CheckName.SCHEDULED_EVENTS
    if not scale_set.scheduled_events:
        return declared(name, rules)
    parts = scale_set.scheduled_events_parts
    evidence = [words.enabled_in_model(part) for part in parts]
    return _seen(name, words.uses_scheduled_events(parts), *(evidence or [words.MODEL]))


def often_stopped(scale_set: ScaleSet, hit: Sequence[Instance], rules: Rules) -> Check:
    """Stopped by people, by a schedule or now: a status may revert, and what is off cannot be started."""
    name, habits = CheckName.OFTEN_STOPPED, scale_set.habits or Habits()
    if name in rules.declared:
        return declared(name, rules)
    if hit and all(instance.switched_off for instance in hit):
        ids = tuple(instance.id for instance in hit)
        return Check(name, Outcome.BLOCK, words.ALL_STOPPED, ids, (words.POWER_STATES,))
    if habits.shutdown:
        return _seen(name, words.stopped_by_schedule(habits.shutdown), Source.SCHEDULES)
    if habits.to_zero:
        return _seen(name, words.scaled_to_zero(habits.autoscale, habits.to_zero), Source.AUTOSCALE)
    if habits.stops >= OFTEN_STOPPED:
        often = words.often_stopped(habits.stops, DAYS, habits.last_stop, habits.stopped_by)
        return _seen(name, often, Source.ACTIVITY_LOG)
    calm = words.seldom_stopped(habits.stops, DAYS)
    return _otherwise(name, scale_set, calm, Source.ACTIVITY_LOG, Source.SCHEDULES, Source.AUTOSCALE)


def short_lived(scale_set: ScaleSet, instances: Sequence[Instance], rules: Rules, now: datetime) -> Check:
    """Gone before Azure gets to them: Spot, an expiry tag, autoscale that keeps replacing them."""
    name, habits = CheckName.SHORT_LIVED, scale_set.habits or Habits()
    if scale_set.spot:
        return _seen(name, words.SPOT, words.PRIORITY)
    if name in rules.declared:
        return declared(name, rules)
    expiry, unclear = _expiry(scale_set)
    until = _wave_end(instances)
    if expiry is not None and until is not None and expiry[0] < until:
        return _seen(name, words.expires(expiry[1], expiry[0], until), "tags")
    if instances and habits.scaled_in >= len(instances):
        gone = words.most_scaled_in(habits.scaled_in, DAYS, len(instances))
        return _seen(name, gone, Source.ACTIVITY_LOG)
    if _young(scale_set, instances, habits, now):
        return _seen(name, words.keeps_replacing(habits.autoscale, YOUNG, DAYS), Source.AUTOSCALE)
    if unclear:
        # Said last: a date nobody can read must not hide what Azure shows.
        return Check(name, Outcome.UNKNOWN, unclear, (), ("tags",))
    calm = words.not_short_lived(habits.scaled_in, DAYS)
    return _otherwise(name, scale_set, calm, Source.ACTIVITY_LOG, Source.AUTOSCALE)


def often_resized(scale_set: ScaleSet, rules: Rules) -> Check:
    """A resize moves an instance to other hardware, and its maintenance may be due again."""
    name, habits = CheckName.OFTEN_RESIZED, scale_set.habits or Habits()
    if name in rules.declared:
        return declared(name, rules)
    if habits.resizes >= OFTEN_RESIZED:
        often = words.often_resized(habits.resizes, DAYS, habits.last_resize)
        return _seen(name, often, Source.CHANGES)
    calm = words.seldom_resized(habits.resizes, DAYS)
    return _otherwise(name, scale_set, calm, Source.CHANGES)


def declared(name: CheckName, rules: Rules) -> Check:
    """What Azure cannot show: blocks if somebody declared it, and passes as not declared otherwise."""
    if name in rules.declared:
        where = rules.sources.get(name, THE_POLICY)
        return _seen(name, words.declared(name, where), where)
    return Check(name, Outcome.NOT_DECLARED, words.not_declared(name))


def _wave_end(instances: Iterable[Instance]) -> datetime | None:
    """When Azure's scheduled window ends for the last of the impacted instances."""
    scheduled = (status.scheduled for instance in instances if (status := instance.status) is not None)
    return max((window.end for window in scheduled if window is not None), default=None)


def _seen(name: CheckName, sentence: str, *evidence: str) -> Check:
    return Check(name, Outcome.BLOCK, sentence, (), tuple(map(str, evidence)))


def _otherwise(name: CheckName, scale_set: ScaleSet, calm: str, *sources: Source) -> Check:
    """Nothing seen: a pass if every source was read, else what could not be read."""
    if scale_set.habits is None and not scale_set.unread:
        return Check(name, Outcome.NOT_DECLARED, words.not_looked_up(name))
    evidence = tuple(map(str, sources))
    unread = dict.fromkeys(scale_set.unread[source] for source in sources if source in scale_set.unread)
    if unread:
        return Check(name, Outcome.UNKNOWN, " ".join(unread), (), evidence)
    return Check(name, Outcome.PASS, calm, (), evidence)


def _expiry(scale_set: ScaleSet) -> tuple[tuple[datetime, str] | None, str]:
    """The earliest date a tag says it goes at, with the tag; and what is wrong with a tag without a date."""
    dates: list[tuple[datetime, str]] = []
    unclear = ""
    for name, value in sorted(scale_set.tags.items()):
        if name.lower() not in EXPIRY_TAGS:
            continue
        try:
            at = datetime.fromisoformat(value.strip())
            dates.append((at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC), name))
        except (ValueError, OverflowError):
            unclear = words.expiry_unclear(name, value)
    return min(dates, default=None), unclear


def _young(scale_set: ScaleSet, instances: Sequence[Instance], habits: Habits, now: datetime) -> bool:
    """Whether autoscale replaces instances so fast that half of them are young."""
    ages = [(now - instance.created).total_seconds() for instance in instances if instance.created]
    old_enough = scale_set.created is not None and now - scale_set.created >= LOOK_BACK
    return habits.scales_in and bool(ages) and old_enough and median(ages) < YOUNG.total_seconds()
