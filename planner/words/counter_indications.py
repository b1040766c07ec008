"""What the checks of the guidance's counter-indications say, and what they name as evidence."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from planner.text.phrases import many, say, upper
from planner.words.checks import THE_POLICY

MEANING = {
    "scheduled-events": "its instances handle scheduled events",
    "local-state": "it keeps much state on local disks",
    "short-lived": "its instances are short-lived",
    "often-stopped": "its instances are often stopped or deallocated",
    "often-resized": "its instances are often resized",
}
"""What one declares of a scale set by a key of the policy."""

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

DISK_SETTINGS = "diffDiskSettings of its model"
PRIORITY = "priority of its model"
MODEL = "its model"
POWER_STATES = "power states"


def declared(name: str, where: str = THE_POLICY) -> str:
    return f"Declared ({where}): {MEANING[name]}."


def not_declared(name: str) -> str:
    return f"Azure cannot tell whether {MEANING[name]}; nobody declared it."


def not_looked_up(name: str) -> str:
    return f"It was not looked up whether {MEANING[name]}; nobody declared it."


EPHEMERAL_DISKS = "Its OS disks are ephemeral: an instance is redeployed and its local data is lost."


def uses_scheduled_events(parts: Iterable[str]) -> str:
    """`parts` are those that its model enables, none where only the whole is known."""
    means = ", and ".join(SCHEDULED_EVENTS_PARTS.get(part, f"{part} is enabled") for part in parts)
    return f"It uses scheduled events to prepare for maintenance{f': {means}' if means else ''}."


def enabled_in_model(part: str) -> str:
    return f"{part}.enable of its model"


ALL_STOPPED = "Every impacted instance is stopped or deallocated now, so there is nothing to reboot."


def stopped_by_schedule(schedule: str) -> str:
    return f"The auto-shutdown schedule {schedule} stops it."


def scaled_to_zero(autoscale: str, profile: str) -> str:
    return f"The autoscale setting {autoscale} scales it to zero on a schedule (profile {profile})."


def often_stopped(stops: int, days: int, last: datetime | None, stopped_by: str) -> str:
    when = f", last {say(last)}" if last else ""
    by = f" by {stopped_by}" if stopped_by else ""
    return (
        f"It was stopped or deallocated {stops} times in the last {days} days{when}{by}: "
        "what we reboot may be due again after the next stop."
    )


def seldom_stopped(stops: int, days: int) -> str:
    return upper(
        f"{many(stops, 'stop')} in the last {days} days, no auto-shutdown schedule, "
        "and no recurring profile that scales to zero."
    )


SPOT = "It runs Spot instances: they may be evicted before Azure gets to them."


def expires(tag: str, at: datetime, wave_ends: datetime) -> str:
    return f"Its tag {tag} says it expires at {say(at)}, before the wave ends at {say(wave_ends)}."


def expiry_unclear(tag: str, value: str) -> str:
    return f"Its tag {tag} says `{value[:40]}`, which is not a date: its lifetime is unknown."


def most_scaled_in(removed: int, days: int, instances: int) -> str:
    return f"{_scaled_in(removed, days)} and it has {instances}: most are gone before Azure gets to them."


def not_short_lived(removed: int, days: int) -> str:
    return f"{_scaled_in(removed, days)}, no Spot, no expiry tag before the wave's end."


def _scaled_in(removed: int, days: int) -> str:
    return f"Autoscale removed {many(removed, 'instance')} in the last {days} days"


def keeps_replacing(autoscale: str, young: timedelta, days: int) -> str:
    """Half of the instances are younger than `young`, the scale set itself is older than `days`."""
    return (
        f"The autoscale setting {autoscale} keeps replacing its instances: half of them are younger "
        f"than {young.days} days, the scale set itself is older than {days}."
    )


def often_resized(resizes: int, days: int, last: datetime | None) -> str:
    when = f", last {say(last)}" if last else ""
    return f"Its size was changed {resizes} times in the last {days} days{when}."


def seldom_resized(resizes: int, days: int) -> str:
    return f"{many(resizes, 'change')} of its size in the last {days} days."
