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
from planner.policy.keys import COUNTER_INDICATIONS
from planner.policy.model import CheckName, Rules
from planner.record.check import Check, Outcome
from planner.text.phrases import many, say, upper

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

SCHEDULED_EVENTS_PARTS = {
    "terminateNotificationProfile": "its instances are told before they are deleted",
    "osImageNotificationProfile": "its instances are told before their OS image is upgraded",
    "eventGridAndResourceGraph": "they are published to Event Grid and Resource Graph for something outside",
}
"""The parts of a model that adopt scheduled events, in Azure's spelling, each with what it means.

Learn, virtual-machines/scheduled-events-event-grid, 2026-05-01, and the compute API's ScheduledEventsPolicy
and ScheduledEventsProfile: publishing to Event Grid and Resource Graph is off unless `enable` is true, and
`userInitiatedRedeploy`, `userInitiatedReboot` and `allInstancesDown` only say whether an event is approved
automatically. Neither says that anybody acts on scheduled events.
"""

DAYS = LOOK_BACK.days


def local_state(scale_set: ScaleSet, rules: Rules) -> Check:
    """The guidance: not where much lies on local disks; Azure shows only whether OS disks are ephemeral."""
    name = CheckName.LOCAL_STATE
    if not scale_set.ephemeral_os_disk:
        return declared(name, rules)
    words = "Its OS disks are ephemeral: an instance is redeployed and its local data is lost."
    return _seen(name, words, "diffDiskSettings of its model")


def scheduled_events(scale_set: ScaleSet, rules: Rules) -> Check:
    """The guidance: not where scheduled events are in use; what the model shows, else what was declared."""
    name = CheckName.SCHEDULED_EVENTS
    if not scale_set.scheduled_events:
        return declared(name, rules)
    parts = scale_set.scheduled_events_parts
    means = ", and ".join(SCHEDULED_EVENTS_PARTS.get(part, f"{part} is enabled") for part in parts)
    words = f"It uses scheduled events to prepare for maintenance{f': {means}' if means else ''}."
    evidence = [f"{part}.enable of its model" for part in parts]
    return _seen(name, words, *(evidence or ["its model"]))


def often_stopped(scale_set: ScaleSet, hit: Sequence[Instance], rules: Rules) -> Check:
    """Stopped by people, by a schedule or now: a status may revert, and what is off cannot be started."""
    name, habits = CheckName.OFTEN_STOPPED, scale_set.habits or Habits()
    if name in rules.declared:
        return declared(name, rules)
    if hit and all(instance.switched_off for instance in hit):
        words = "Every impacted instance is stopped or deallocated now, so there is nothing to reboot."
        return Check(name, Outcome.BLOCK, words, tuple(instance.id for instance in hit), ("power states",))
    if habits.shutdown:
        return _seen(name, f"The auto-shutdown schedule {habits.shutdown} stops it.", Source.SCHEDULES)
    if habits.to_zero:
        return _seen(
            name,
            f"The autoscale setting {habits.autoscale} scales it to zero on a schedule "
            f"(profile {habits.to_zero}).",
            Source.AUTOSCALE,
        )
    if habits.stops >= OFTEN_STOPPED:
        last = f", last {say(habits.last_stop)}" if habits.last_stop else ""
        by = f" by {habits.stopped_by}" if habits.stopped_by else ""
        return _seen(
            name,
            f"It was stopped or deallocated {habits.stops} times in the last {DAYS} days{last}{by}: "
            "what we reboot may be due again after the next stop.",
            Source.ACTIVITY_LOG,
        )
    calm = (
        f"{many(habits.stops, 'stop')} in the last {DAYS} days, no auto-shutdown schedule, "
        "and no recurring profile that scales to zero."
    )
    return _otherwise(name, scale_set, calm, Source.ACTIVITY_LOG, Source.SCHEDULES, Source.AUTOSCALE)


def short_lived(scale_set: ScaleSet, instances: Sequence[Instance], rules: Rules, now: datetime) -> Check:
    """Gone before Azure gets to them: Spot, an expiry tag, autoscale that keeps replacing them."""
    name, habits = CheckName.SHORT_LIVED, scale_set.habits or Habits()
    if scale_set.spot:
        words = "It runs Spot instances: they may be evicted before Azure gets to them."
        return _seen(name, words, "priority of its model")
    if name in rules.declared:
        return declared(name, rules)
    expiry, unclear = _expiry(scale_set)
    until = _wave_end(instances)
    if expiry is not None and until is not None and expiry[0] < until:
        return _seen(
            name,
            f"Its tag {expiry[1]} says it expires at {say(expiry[0])}, before the wave ends at {say(until)}.",
            "tags",
        )
    removed = f"Autoscale removed {many(habits.scaled_in, 'instance')} in the last {DAYS} days"
    if instances and habits.scaled_in >= len(instances):
        return _seen(
            name,
            f"{removed} and it has {len(instances)}: most are gone before Azure gets to them.",
            Source.ACTIVITY_LOG,
        )
    young = _young(scale_set, instances, habits, now)
    if young:
        return _seen(name, young, Source.AUTOSCALE)
    if unclear:
        # Said last: a date nobody can read must not hide what Azure shows.
        return Check(name, Outcome.UNKNOWN, unclear, (), ("tags",))
    calm = f"{removed}, no Spot, no expiry tag before the wave's end."
    return _otherwise(name, scale_set, calm, Source.ACTIVITY_LOG, Source.AUTOSCALE)


def often_resized(scale_set: ScaleSet, rules: Rules) -> Check:
    """A resize moves an instance to other hardware, and its maintenance may be due again."""
    name, habits = CheckName.OFTEN_RESIZED, scale_set.habits or Habits()
    if name in rules.declared:
        return declared(name, rules)
    if habits.resizes >= OFTEN_RESIZED:
        last = f", last {say(habits.last_resize)}" if habits.last_resize else ""
        words = f"Its size was changed {habits.resizes} times in the last {DAYS} days{last}."
        return _seen(name, words, Source.CHANGES)
    calm = f"{many(habits.resizes, 'change')} of its size in the last {DAYS} days."
    return _otherwise(name, scale_set, calm, Source.CHANGES)


def declared(name: CheckName, rules: Rules) -> Check:
    """What Azure cannot show: blocks if somebody declared it, and passes as not declared otherwise."""
    if name in rules.declared:
        where = rules.sources.get(name, "the policy")
        return _seen(name, f"Declared ({where}): {COUNTER_INDICATIONS[name]}.", where)
    words = f"Azure cannot tell whether {COUNTER_INDICATIONS[name]}; nobody declared it."
    return Check(name, Outcome.NOT_DECLARED, words)


def _wave_end(instances: Iterable[Instance]) -> datetime | None:
    """When Azure's scheduled window ends for the last of the impacted instances."""
    scheduled = (status.scheduled for instance in instances if (status := instance.status) is not None)
    return max((window.end for window in scheduled if window is not None), default=None)


def _seen(name: CheckName, sentence: str, *evidence: str) -> Check:
    return Check(name, Outcome.BLOCK, sentence, (), tuple(map(str, evidence)))


def _otherwise(name: CheckName, scale_set: ScaleSet, calm: str, *sources: Source) -> Check:
    """Nothing seen: a pass if every source was read, else what could not be read."""
    if scale_set.habits is None and not scale_set.unread:
        words = f"It was not looked up whether {COUNTER_INDICATIONS[name]}; nobody declared it."
        return Check(name, Outcome.NOT_DECLARED, words)
    evidence = tuple(map(str, sources))
    unread = dict.fromkeys(scale_set.unread[source] for source in sources if source in scale_set.unread)
    if unread:
        return Check(name, Outcome.UNKNOWN, " ".join(unread), (), evidence)
    return Check(name, Outcome.PASS, upper(calm), (), evidence)


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
            unclear = f"Its tag {name} says `{value[:40]}`, which is not a date: its lifetime is unknown."
    return min(dates, default=None), unclear


def _young(scale_set: ScaleSet, instances: Sequence[Instance], habits: Habits, now: datetime) -> str:
    """Says whether autoscale replaces instances so fast that half of them are young; else empty."""
    ages = [(now - instance.created).total_seconds() for instance in instances if instance.created]
    old_enough = scale_set.created is not None and now - scale_set.created >= LOOK_BACK
    if not habits.scales_in or not ages or not old_enough or median(ages) >= YOUNG.total_seconds():
        return ""
    return (
        f"The autoscale setting {habits.autoscale} keeps replacing its instances: half of them are younger "
        f"than {YOUNG.days} days, the scale set itself is older than {DAYS}."
    )
