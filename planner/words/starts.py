"""What is said of an instance's start: before it, when Azure has answered, and when it has not."""

from datetime import datetime, timedelta

from planner.text.phrases import say, upper
from planner.words.instances import minutes

STARTED = "Started"
ABOUT_TO_START = "About to be started."
MAY_START_AGAIN = "It may be started again."
TAKEN = "Azure took the start; waiting for proof of its reboot."
WAITING_FOR_PROOF = "Started; waiting for proof of its reboot."
ONCE_MORE = "In doubt for too long, and nothing happened: to be started once more."
TWICE_UNANSWERED = "Started twice, both times without an answer or any sign that Azure took it."
LEFT_NO_TRACE = "Its maintenance status is gone, and its start left no trace."

PROTECTED = "it is protected from scale-set actions"
NOT_OFFERED = "Azure does not offer self-service for it and reboots it in its own window"
"""Why an instance is not started, to stand in a sentence."""


def nothing_to_reboot(power: str) -> str:
    return f"it is {power}, so there is nothing to reboot"


def skipped_soon(why: str) -> str:
    return f"Not started: {why}. Skipped when the next poll shows the same."


def skipped(why: str) -> str:
    return f"{upper(why)}."


def not_sent(why: str) -> str:
    return f"Not started: {why}"


def called_off(reason: str) -> str:
    """The run was paused, or ended, after the start was written and before it was sent."""
    return f"called off right before it was sent. {reason}"


CHANGED_MEANWHILE = "called off right before it was sent: another poll or plan has changed the run."


def none_sent(since: datetime, why: str) -> str:
    return f"No start could be sent since {say(since)}: {why.rstrip('.')}."


def begun(domain: str) -> str:
    return f"Rebooting has started with {domain}."


def lost(why: str) -> str:
    return f"In doubt: {why}"


def answered_in_doubt(refused: str) -> str:
    """Azure's answer says that another operation runs; `refused` is its code and message."""
    return f"In doubt: Azure answered {refused}."


def on_record(refused: str) -> str:
    """A start is on record and may have been sent; `refused` is what Azure answered, if it did."""
    said = f"Azure answered {refused}" if refused else "Azure's answer is not"
    return f"In doubt: the start is on record, {said}."


def put_off(code: str, again: datetime) -> str:
    return f"Azure answered {code}; to be started again after {say(again)}."


def put_off_and_down(code: str) -> str:
    return f"Azure answered {code}; waiting for it to be running."


def put_off_and_not_back(code: str, within: timedelta, seen: str) -> str:
    return f"Azure answered {code}, and it is not back after {minutes(within)} ({seen})."


def not_allowed(why: str) -> str:
    """Breakwater's role lacks the right; `why` is Azure's message."""
    return f"Azure does not let Breakwater start maintenance: {why}"
