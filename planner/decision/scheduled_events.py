"""Whether a workload lives by scheduled events, by the parts of the model that are switched on.

Learn, virtual-machines/scheduled-events-event-grid, 2026-05-01, and the compute API's ScheduledEventsPolicy
and ScheduledEventsProfile: publishing to Event Grid and Resource Graph is off unless `enable` is true, and
`userInitiatedRedeploy`, `userInitiatedReboot` and `allInstancesDown` only say whether an event is approved
automatically. Neither says that anybody acts on scheduled events.
"""

from collections.abc import Iterable
from datetime import timedelta

from planner.azure.fleet import ScaleSet
from planner.decision.counter_indications import declared
from planner.policy.model import CheckName, Rules
from planner.record.check import Check, Outcome

PARTS = {
    "terminateNotificationProfile": "its instances are told before they are deleted",
    "osImageNotificationProfile": "its instances are told before their OS image is upgraded",
    "eventGridAndResourceGraph": "they are published to Event Grid and Resource Graph for something outside",
}
"""The parts that say so, in Azure's spelling, each with what it means."""

HELD_BACK_POLLS = 15
"""Fifteen minutes with a poll every minute.

Learn, virtual-machines/linux/scheduled-events: a guest that listens has at least 15 minutes' notice of a
reboot and 10 of a redeployment, also when somebody started it, unless it approves earlier.
"""


def scheduled_events(scale_set: ScaleSet, rules: Rules) -> Check:
    """The guidance: not where scheduled events are in use; what the model shows, else what was declared."""
    if not scale_set.scheduled_events:
        return declared(CheckName.SCHEDULED_EVENTS, "its instances handle scheduled events", rules)
    seen = scale_set.scheduled_events_parts
    means = ", and ".join(PARTS.get(one, f"{one} is enabled") for one in seen)
    words = f"It has adopted scheduled events to prepare for maintenance{f': {means}' if means else ''}."
    evidence = tuple(f"{one}.enable of its model" for one in seen) or ("its model",)
    return Check(CheckName.SCHEDULED_EVENTS, Outcome.BLOCK, words, (), evidence)


def held_back(checks: Iterable[Check]) -> bool:
    """Whether guests may hold our starts back: scheduled events are in use and somebody accepted that."""
    return any(
        check.name == CheckName.SCHEDULED_EVENTS and check.outcome is Outcome.ACCEPTED for check in checks
    )


def reboot(poll_interval: timedelta, polls: int, checks: Iterable[Check]) -> timedelta:
    """What a batch of `polls` polls is expected to take, with the notice that guests are given on top."""
    return poll_interval * (polls + (HELD_BACK_POLLS if held_back(checks) else 0))
