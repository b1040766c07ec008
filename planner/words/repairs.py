"""What is said of Azure's upkeep of a scale set: automatic repairs, and the balance of zones."""

from datetime import datetime, timedelta

from planner.text.phrases import long, say

ACTIONS = {
    "replace": "delete an unhealthy instance with its local data and create another (repair action Replace)",
    "reimage": "reimage an unhealthy instance, whose OS disk is lost (repair action Reimage)",
    "restart": "restart an unhealthy instance, which keeps its disks (repair action Restart)",
}
"""What each repair action does; Replace is the default.

Learn, virtual-machine-scale-sets/virtual-machine-scale-sets-automatic-instance-repairs, 2026-05-19.
"""

OFF = "Automatic repairs are off."


def cannot_be_seen(action: str) -> str:
    return (
        "Automatic repairs are on and Azure does not show their state for a Flexible scale set, so they "
        f"cannot be suspended safely. While an instance reboots they may {_does(action)}."
    )


def suspended_meanwhile(action: str) -> str:
    return (
        "Automatic repairs are on. They are suspended from each start until its instances are healthy again; "
        f"otherwise they would {_does(action)}."
    )


def _does(action: str) -> str:
    """What the repair action does to an instance, empty for Azure's default."""
    unknown = f"do what `{action[:40]}` says to an unhealthy instance"
    return ACTIONS.get((action or "replace").lower(), unknown)


ZONE_BALANCE_OFF = "Automatic zone balance is off."
ZONE_BALANCE_KEY = "automaticZoneRebalancingPolicy.enabled of its model"


def zone_balance_on(check: str) -> str:
    return (
        "Automatic zone balance is on: at any time Azure may create an instance in one zone and delete one "
        "in another, with its disks. Breakwater does not suspend that. Switch it off until the wave is over "
        f"(az vmss update --enable-automatic-zone-balancing false), or accept `{check}`."
    )


TO_SUSPEND = "its automatic repairs to be suspended"
TO_RUN_AGAIN = "its automatic repairs to run again"
"""What a start waits for."""

SUSPENDING = ("suspends automatic repairs", "They would replace an instance that reboots.")
LEFT_ALONE = (
    "automatic repairs left alone",
    "Nothing is to be resumed: Azure had refused to suspend them for us.",
)
_RESUMES, _RUN = "resumes automatic repairs", "automatic repairs run"
RESUMING_WHILE_PAUSED = (_RESUMES, "The run is paused, so they may repair what is unhealthy.")
RESUMING = (_RESUMES, "No reboot is in progress any more.")
BACK_ON = (_RUN, "They are back on.")
RESUMED_BY_OTHERS = (_RUN, "Somebody else resumed them while instances were rebooting.")
"""Lines of history: the event, and why."""

LEFT_SUSPENDED = "automatic repairs left suspended"
"""The event of a history whose line is `switch_back_on`."""


def cannot_suspend(error: str, waited: timedelta, check: str) -> str:
    """Why no start is possible; `error` is what Azure said, `check` what to accept to start all the same."""
    why = error or f"Azure accepted the request, but nothing has changed after {long(waited)}."
    return (
        f"Automatic repairs are on and cannot be suspended: {why} Resume when that is settled, or accept "
        f"`{check}` in the policy."
    )


def switching(scale_set: str, *, suspend: bool) -> str:
    """What a lock keeps Azure from."""
    return f"{'suspending' if suspend else 'resuming'} the automatic repairs of {scale_set}"


def switch_back_on(
    scale_set: str, resource_group: str, subscription: str, since: datetime, tried: timedelta, error: str
) -> str:
    return (
        f"Switch the automatic repairs of {scale_set} back on: Breakwater suspended them at "
        f"{say(since)} and could not resume them for {long(tried)}"
        f"{f': {error}' if error else '.'} By hand: "
        "az vmss set-orchestration-service-state --service-name AutomaticRepairs --action Resume "
        f"--name {scale_set} --resource-group {resource_group} --subscription {subscription}"
    )


BACK_ON_SOON = "Automatic repairs go back on as soon as no reboot is in progress."
BACK_ON_FIRST = "All instances are done. Automatic repairs have to be back on before it is over."
