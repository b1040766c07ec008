"""The words, labels and fixed sentences of cards, mail and pages; symbol and word travel together.

What is said with numbers about a message or a wave is in `heading`, about one run in `facts`, and what only
one form has is in its template. `planner` writes the sentences of checks, reasons and notices.
"""

from collections.abc import Mapping

from planner.notices.digest import Group
from planner.record.check import Outcome
from planner.record.notice import Kind, Urgency
from planner.record.run import Verdict
from planner.record.states import BatchState, InstanceState, RunState
from planner.text.phrases import lower
from planner.words.standing_still import CAUSES

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
    Kind.ACKNOWLEDGED: ("~", "Acknowledged"),
    Kind.RESUMED: ("~", "Resumed"),
    Kind.LATE: ("~", "Taken up again"),
    Kind.STARTED: ("+", "Started"),
    Kind.STARTING: ("+", "Starts soon"),
    Kind.COMPLETED: ("✓", "Completed"),
    Kind.PLANNED: ("+", "Planned"),
}
"""The most telling first: of equally urgent notices the first here names the message."""

TOLD = {
    Kind.PLANNED: "planned",
    Kind.REPLANNED: "the plan has changed",
    Kind.APPROVAL: "approval was asked for",
    Kind.STARTING: "starts soon",
    Kind.STARTED: "rebooting has started",
    Kind.PAUSED: "paused",
    Kind.ACKNOWLEDGED: "acknowledged",
    Kind.RESUMED: "going on again",
    Kind.LATE: "taken up again after the platform ran nothing for it",
    Kind.TROUBLE: "something went wrong",
    Kind.STALLED: "held up",
    Kind.REMINDER: "reminder",
    Kind.SLACK: "short of time",
    Kind.COMPLETED: "done",
    Kind.MISSED: "missed",
    Kind.CANCELLED: "cancelled",
}
"""What a notice is about, after the name of its scale set."""

OF_MANY = {
    Kind.PLANNED: "have a plan",
    Kind.REPLANNED: "have a new plan",
    Kind.APPROVAL: "need approval",
    Kind.STARTING: "start soon",
    Kind.STARTED: "have started rebooting",
    Kind.PAUSED: "are paused",
    Kind.ACKNOWLEDGED: "are acknowledged",
    Kind.RESUMED: "go on again",
    Kind.LATE: "are taken up again after the platform ran nothing for them",
    Kind.TROUBLE: "had trouble",
    Kind.STALLED: "are held up",
    Kind.REMINDER: "still wait for an answer",
    Kind.SLACK: "are short of time",
    Kind.COMPLETED: "are done",
    Kind.MISSED: "missed their window",
    Kind.CANCELLED: "were cancelled",
}
"""What several scale sets have in common that ask for nothing."""

ANNOUNCED, EMERGENCY, FINISHED = ("+", "Announced"), ("✗", "Emergency maintenance"), ("✓", "Finished")
"""Messages about a whole wave."""

STATES = {
    RunState.PAUSED: ("✗", "Paused", "bad"),
    RunState.AWAITING_APPROVAL: ("·", "Needs approval", "ask"),
    RunState.RUNNING: ("~", "Under way", "live"),
    RunState.SCHEDULED: ("+", "Scheduled", "plan"),
    RunState.MISSED: ("✗", "Missed", "bad"),
    RunState.LEFT_TO_AZURE: ("-", "Left to Azure", "calm"),
    RunState.CANCELLED: ("-", "Cancelled", "calm"),
    RunState.COMPLETED: ("✓", "Completed", "good"),
    RunState.NOT_IMPACTED: ("-", "Not affected", "calm"),
}
"""In the order of the report: what needs somebody first."""

VERDICTS = {
    Verdict.SELF_SERVICE: "reboot it ourselves",
    Verdict.LEAVE_TO_AZURE: "leave it to Azure",
    Verdict.NOT_IMPACTED: "not affected",
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
BATCH_OVER = ("-", "over", "calm")
"""A batch that is done without anything of it having been maintained."""

INSTANCES = {
    InstanceState.PENDING: ("·", "waiting", "calm"),
    InstanceState.ASIDE: ("·", "set aside", "ask"),
    InstanceState.STARTING: ("+", "starting", "live"),
    InstanceState.REBOOTING: ("~", "rebooting", "live"),
    InstanceState.VERIFYING: ("~", "verifying", "live"),
    InstanceState.FAILED: ("✗", "failed", "bad"),
    InstanceState.MAINTAINED: ("✓", "rebooted", "good"),
    InstanceState.BY_AZURE: ("✓", "by Azure", "good"),
    InstanceState.CANCELLED: ("-", "cancelled", "calm"),
    InstanceState.SKIPPED: ("-", "skipped", "calm"),
    InstanceState.MISSED: ("✗", "missed", "bad"),
}


DRILL = "DRILL: "
"""How subject, title and event of a drill begin."""

GROUPS = {
    Group.PERSON: "Needs your action",
    Group.WAITS: "Could start, but waits",
    Group.OURS: "Rebooted by us",
    Group.AZURE: "Left to Azure",
    Group.OVER: "Over already",
    Group.NOT_HIT: "Not affected",
}

ENDS = {
    InstanceState.MAINTAINED: "rebooted by us",
    InstanceState.BY_AZURE: "by Azure",
    InstanceState.SKIPPED: "skipped",
    InstanceState.CANCELLED: "cancelled",
    InstanceState.MISSED: "missed",
    InstanceState.PENDING: "never due",
}
"""How instances ended, in the closing overview."""

ANSWERS = {
    "approve": "Approve",
    "hold": "Hold",
    "resume": "Resume",
    "skip": "Leave to Azure",
    "let-pass": "Let the others pass",
    "acknowledge": "Acknowledge",
    "raise": "Change the plan",
}
"""What a person may answer: the command and its label."""

STOP = (
    "To stop everything, set BREAKWATER_STOP=1 on the function app, or stop: true in the policy file: "
    "nothing new starts, and reboots in progress will finish."
)

STANDALONE = {
    "test": (
        Urgency.KNOW,
        "·",
        "Test",
        "TEST: this channel of Breakwater works",
        (
            "Somebody sent this by hand, to see whether messages arrive here. There is no maintenance behind "
            "it, nothing is planned, and you have nothing to do."
        ),
    ),
    "wired": (
        Urgency.KNOW,
        "✓",
        "Wired up",
        "You are wired up: a test alert arrived",
        (
            "It came from the action group to you on the same path as a real announcement. Nothing is "
            "planned because of it, and you have nothing to do."
        ),
    ),
    "quarantined": (
        Urgency.ACT,
        "✗",
        "Quarantined",
        "Look at a message that Breakwater could not process",
        (
            "It failed five times and is in quarantine. Find out why, then replay it; until somebody does, "
            "nothing starts because of it."
        ),
    ),
    "unread": (
        Urgency.ACT,
        "✗",
        "Trouble",
        "Breakwater cannot read the scale sets of a wave",
        (
            "See below what Azure answered. Breakwater keeps trying; until it gets through, nothing there is "
            "planned or started. If that lasts until the self-service window closes, Azure reboots the scale "
            "sets at a time it chooses."
        ),
    ),
    "channel": (
        Urgency.ACT,
        "✗",
        "Trouble",
        "Fix a channel: messages do not get through",
        (
            "See below which one and what it answered. Breakwater keeps trying, and catches up there once it "
            "works. If nobody fixes it, you hear of it here, once a day."
        ),
    ),
    "empty_wave": (
        Urgency.KNOW,
        "·",
        "Nobody affected",
        "A wave affects no scale set that Breakwater can see",
        (
            "If you expected some, check that Breakwater's identity has its role on the subscription and all "
            "its resource groups, and that the alert names the right subscription. Breakwater keeps looking "
            "while the wave is open, and plans what it finds."
        ),
    ),
    "unknown_wave": (
        Urgency.ACT,
        "·",
        "Unknown wave",
        "Check the alert rule: a wave came without an alert",
        (
            "A search found planned maintenance that no alert announced. Check that an alert rule of this "
            "subscription covers Service Health, planned maintenance, Virtual Machines and Virtual Machine "
            "Scale Sets, and calls Breakwater."
        ),
    ),
}
"""Messages about no scale set: urgency, symbol, word, headline and first sentence."""


def counted(counts: Mapping[str, int]) -> str:
    """`2 running, 1 left to Azure`, in the order of the report."""
    asks = {RunState.AWAITING_APPROVAL: "need approval"}
    found = ((counts.get(state.value, 0), state, entry[1]) for state, entry in STATES.items())
    return ", ".join(
        f"{number} {asks.get(state, lower(word)) if number > 1 else lower(word)}"
        for number, state, word in found
        if number
    )


def waiting(counts: Mapping[str, int]) -> str:
    """`2 held up by an unhealthy instance, 1 held up by the limits`."""
    found = ((counts.get(cause, 0), words) for cause, words in CAUSES.items())
    return ", ".join(f"{number} held up by {what}" for number, what in found if number)
