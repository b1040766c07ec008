"""One vocabulary for cards, mail and pages: symbol and word travel together, never colour alone."""

from collections.abc import Mapping

from planner.record.cause import FOR
from planner.record.check import Outcome
from planner.record.notice import Kind
from planner.record.run import Verdict
from planner.record.states import BatchState, InstanceState, RunState

KINDS = {
    Kind.MISSED: ("✗", "Missed"),
    Kind.PAUSED: ("✗", "Paused"),
    Kind.TROUBLE: ("✗", "Trouble"),
    Kind.SLACK: ("·", "Time is short"),
    Kind.STALLED: ("·", "Held up"),
    Kind.REMINDER: ("·", "Reminder"),
    Kind.APPROVAL: ("·", "Needs approval"),
    Kind.CANCELLED: ("-", "Cancelled"),
    Kind.REPLANNED: ("~", "New plan"),
    Kind.RESUMED: ("~", "Resumed"),
    Kind.STARTED: ("+", "Started"),
    Kind.COMPLETED: ("✓", "Completed"),
    Kind.PLANNED: ("+", "Planned"),
}
"""The most telling first: of equally urgent notices the first here names the message."""

WORDS = {
    "announced": ("+", "Announced"),
    "emergency": ("✗", "Emergency maintenance"),
    "finished": ("✓", "Finished"),
    "wired": ("✓", "Wired up"),
    "quarantined": ("✗", "Quarantined"),
    "empty_wave": ("·", "Nobody hit"),
    "unknown_wave": ("·", "Unknown wave"),
    "unread": ("✗", "Trouble"),
    "channel": ("✗", "Trouble"),
}

STATES = {
    RunState.PAUSED: ("✗", "Paused", "bad"),
    RunState.AWAITING_APPROVAL: ("·", "Needs approval", "ask"),
    RunState.RUNNING: ("~", "Running", "live"),
    RunState.SCHEDULED: ("+", "Scheduled", "plan"),
    RunState.MISSED: ("✗", "Missed", "bad"),
    RunState.LEFT_TO_AZURE: ("-", "Left to Azure", "calm"),
    RunState.CANCELLED: ("-", "Cancelled", "calm"),
    RunState.COMPLETED: ("✓", "Completed", "good"),
    RunState.NOT_IMPACTED: ("-", "Not hit", "calm"),
}
"""In the order of the report: what needs a person first."""

VERDICTS = {
    Verdict.SELF_SERVICE: "start it ourselves",
    Verdict.LEAVE_TO_AZURE: "leave it to Azure",
    Verdict.NOT_IMPACTED: "not hit",
}

OUTCOMES = {
    Outcome.PASS: ("✓", "passed", "good"),
    Outcome.BLOCK: ("✗", "blocks", "bad"),
    Outcome.UNKNOWN: ("?", "unknown", "ask"),
    Outcome.NOT_DECLARED: ("✓", "not declared", "calm"),
    Outcome.ACCEPTED: ("✓", "accepted", "good"),
}

BATCHES = {
    BatchState.PENDING: ("·", "waiting", "calm"),
    BatchState.STARTING: ("+", "starting", "live"),
    BatchState.REBOOTING: ("~", "rebooting", "live"),
    BatchState.VERIFYING: ("~", "verifying", "live"),
    BatchState.SOAKING: ("·", "soaking", "live"),
    BatchState.DONE: ("✓", "done", "good"),
    BatchState.FAILED: ("✗", "failed", "bad"),
}

INSTANCES = {
    InstanceState.PENDING: ("·", "waiting", "calm"),
    InstanceState.ASIDE: ("·", "set aside", "ask"),
    InstanceState.STARTING: ("+", "starting", "live"),
    InstanceState.REBOOTING: ("~", "rebooting", "live"),
    InstanceState.VERIFYING: ("~", "verifying", "live"),
    InstanceState.FAILED: ("✗", "failed", "bad"),
    InstanceState.MAINTAINED: ("✓", "maintained", "good"),
    InstanceState.BY_AZURE: ("✓", "by Azure", "good"),
    InstanceState.CANCELLED: ("-", "cancelled", "calm"),
    InstanceState.SKIPPED: ("-", "skipped", "calm"),
    InstanceState.MISSED: ("✗", "missed", "bad"),
}


def counted(counts: Mapping[str, int]) -> str:
    """`2 running, 1 left to Azure`, in the order of the report."""
    words = ((counts.get(state.value, 0), entry[1]) for state, entry in STATES.items())
    return ", ".join(f"{number} {_lower(word, number)}" for number, word in words if number)


def waiting(counts: Mapping[str, int]) -> str:
    """`2 wait for an instance that does not serve, 1 waits for a limit in flight`."""
    found = ((counts.get(cause.value, 0), words) for cause, words in FOR.items())
    return ", ".join(
        f"{number} {'waits' if number == 1 else 'wait'} for {what}" for number, what in found if number
    )


def _lower(word: str, number: int) -> str:
    word = f"{word[0].lower()}{word[1:]}"
    return word.replace("needs ", "need ") if number > 1 else word
