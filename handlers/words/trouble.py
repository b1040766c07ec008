"""What people are told of what stops everything, or could not be planned, read, found or delivered."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from planner.text.phrases import long, say

STOPPED_BY_SETTING = "Everything is stopped: BREAKWATER_STOP is set."


def stopped_by_problem(problem: str) -> str:
    """What is wrong with the app's settings, so that nothing may start."""
    return f"Everything is stopped. {problem}"


def policy_invalid(name: str, why: object) -> str:
    return f"The policy file {name} is not valid: {why}"


def policy_unreadable(path: object, why: object) -> str:
    return (
        f"The policy file {path} cannot be read ({why}). "
        "Nothing starts until BREAKWATER_POLICY names a readable file."
    )


CLAIMED_BY_OTHER_POLL = "another poll of it claims it just now"
POLL_TOO_OLD = "the poll that saw it is no longer fresh"
"""Why a start is not sent."""


def record_unread(why: object) -> str:
    """Right before a start the run's record could not be read: it may say by now that nothing starts."""
    return f"the run's record could not be read once more right before it ({why})"


SHOWN_AFTER_404 = "Azure answered 404 and shows the scale set at the next read."
LISTED_AND_404 = "Azure answered 404 for a scale set that it has just listed."


def gave_up(what: str, tries: int) -> str:
    """A document that others have written each time before it could be."""
    return f"{what}: gave up after {tries} write conflicts."


def azure_took_longer(than: timedelta) -> str:
    return f"Azure took longer than {long(than)} to answer."


GIVE_ROLE = "Give the app's identity its role there; Breakwater tries again every ten minutes."
TRIES_AGAIN = "That has lasted for half an hour; Breakwater tries again every ten minutes."
WAITS_AS_ASKED = (
    "That has lasted for half an hour; Breakwater waits as long as Azure asks, and then tries again."
)


def not_planned(group: str, subscription: str, example: str, why: str, then: str) -> str:
    """`group` is the resource group, empty where it is the whole subscription; `then` one of the above."""
    whose = f"Scale sets of resource group {group}" if group else "Scale sets"
    what = f"{whose} of subscription {subscription} cannot be planned, among them {example}"
    return f"{what}: {why} {then}"


def not_listed(tracking_id: str, subscription: str, why: object) -> str:
    return (
        f"Wave {tracking_id} was announced, but the scale sets of subscription "
        f"{subscription} could not be listed for half an hour: {why} "
        "Breakwater keeps trying; nothing is planned for this wave until it succeeds."
    )


def may_not_read(tracking_id: str, subscription: str, why: str) -> str:
    return (
        f"Wave {tracking_id} was announced for subscription {subscription}, whose "
        f"scale sets Breakwater may not read: {why} Give Breakwater's identity its role on this subscription "
        "(Microsoft.Compute/virtualMachineScaleSets/read is what was missing); it tries again by itself."
    )


def empty_wave(tracking_id: str, regions: str, subscription: str) -> str:
    where = f"names {regions and f'{regions} in '}subscription {subscription}, where"
    return f"Wave {tracking_id} {where} Breakwater sees no scale set; nothing is planned."


RIGHTS_NOT_KNOWN = (
    "Resource Graph shows no planned maintenance. That proves nothing: whether a right is missing is unknown."
)


def empty_without(actions: Sequence[str]) -> str:
    return (
        f"Resource Graph shows no planned maintenance, which proves nothing without {' and '.join(actions)}: "
        "waves that no alert brings are not found. `breakwater doctor` names the remedy."
    )


def lacks_rights(subscription: str, missing: Sequence[tuple[str, str]]) -> str:
    """What the app's identity may not do in a subscription, and what comes of it: action and consequence."""
    said = "; ".join(f"{action} ({consequence})" for action, consequence in missing)
    return (
        f"Breakwater's identity lacks rights in subscription {subscription}: {said}. "
        "Deploy infra/modules/role.bicep there again; `breakwater doctor` has the command."
    )


SEARCH_FAILED = "The search failed in an unexpected way; the log has the details."
NO_TRACKING_ID = "Azure gives no tracking id for it."


def unknown_wave(subscription: str, start: str, title: str, why: str) -> str:
    """Maintenance that cannot be followed; `start` and `title` may be unknown."""
    begins = f", from {start}" if start else ""
    return (
        f"Resource Graph shows planned maintenance in subscription {subscription}{begins}: "
        f"{title or 'without a title'}. {why} Breakwater starts nothing for it."
    )


def told_to_nobody(receiver: str) -> str:
    return f"Told to nobody: the policy declares no receiver {receiver!r} with an address."


NOTHING_LEFT_TO_TELL = "Nothing left to tell: the run was replaced by another one."


def channel_down(channel: str, receiver: str, since: datetime, trouble: str) -> str:
    return f"The {channel} channel of {receiver} has not got through since {say(since)}. {trouble}"


def channel_slow(than: timedelta) -> str:
    return f"It did not take the message within {long(than)}."


def channel_trouble(channel: str, receiver: str, trouble: str) -> str:
    return f"The {channel} channel of {receiver}: {trouble}"


def for_other_receiver(receiver: str) -> str:
    return f"Told to you through another channel: it is for {receiver}."


def not_heard_by(receiver: str) -> str:
    return f"Told to you, since {receiver} has chosen not to hear of it and somebody should answer."


KILLED_EACH_TIME = "Each time its process was killed or storage went away, also after it was sent again."
REASON_UNREADABLE = "The failure reason is no longer readable."


def the_last_time(failure: str) -> str:
    return f"The last time: {failure}"


def failed(queue: str, why: str) -> str:
    return f"A message of the queue {queue} failed 5 times. {why}"


def quarantined(error: str, about: str, path: str, *, paused: bool) -> str:
    """`about` is what the message was about, as it is said, or empty; `paused`: a run is, for that."""
    subject = f" It was about {about}." if about else ""
    consequence = " The scale set's run is paused until somebody resumes it." if paused else ""
    return f"{error}{subject} It is kept at {path} and can be replayed.{consequence}"


def scale_set(name: str, group: str) -> str:
    return f"the scale set {name} in {group}"


def alert_refused(why: str, path: str) -> str:
    return f"An alert could not be read and was refused: {why} It is kept at {path}."
