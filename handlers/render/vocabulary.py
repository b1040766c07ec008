"""The words, labels and fixed sentences of cards, mail and pages; symbol and word travel together.

What is said with numbers about a message or a wave is in `heading`, about one run in `facts`, and what only
one form has is in its template. `planner` writes the sentences of checks, reasons and notices.
"""

from collections.abc import Mapping

from planner.notices.digest import Group
from planner.record.cause import FOR
from planner.record.check import Outcome
from planner.record.notice import Kind, Urgency
from planner.record.run import Verdict
from planner.record.states import BatchState, InstanceState, RunState
from planner.text.phrases import lower

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
    Kind.STARTED: ("+", "Started"),
    Kind.STARTING: ("+", "Starts soon"),
    Kind.COMPLETED: ("✓", "Completed"),
    Kind.PLANNED: ("+", "Planned"),
}
"""The most telling first: of equally urgent notices the first here names the message."""

ANNOUNCED, EMERGENCY, FINISHED = ("+", "Announced"), ("✗", "Emergency maintenance"), ("✓", "Finished")
"""Messages about a whole wave."""

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
BATCH_OVER = ("-", "over", "calm")
"""A batch that is done without anything of it having been maintained."""

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


GROUPS = {
    Group.PERSON: "Needs a person",
    Group.WAITS: "Waits, though it may start",
    Group.OURS: "Maintained by us",
    Group.AZURE: "Left to Azure",
    Group.OVER: "Over already",
    Group.NOT_HIT: "Not hit",
}

ENDS = {
    InstanceState.MAINTAINED: "maintained by us",
    InstanceState.BY_AZURE: "by Azure",
    InstanceState.SKIPPED: "skipped",
    InstanceState.CANCELLED: "cancelled",
    InstanceState.MISSED: "missed",
    InstanceState.PENDING: "never due",
}
"""How instances ended, in the closing overview."""

ANSWERS = {
    "approve": "Approve the plan",
    "hold": "Hold it",
    "resume": "Resume",
    "skip": "Skip what is left",
    "let-pass": "Let the others pass",
    "acknowledge": "Acknowledge",
    "raise": "Change what the plan goes by",
}
"""What a person may answer: the command and its label."""

STOP = (
    "To stop everything: set BREAKWATER_STOP=1 on the function app, or stop: true in the policy file. "
    "Nothing new starts from then on; instances already rebooting will finish."
)

STANDALONE = {
    "wired": (
        Urgency.KNOW,
        "✓",
        "Wired up",
        "a test alert arrived",
        (
            "You are wired up: a test alert came from the action group through the queues to you. "
            "A real announcement takes the same way. Nothing was planned and nothing will be started."
        ),
    ),
    "quarantined": (
        Urgency.ACT,
        "✗",
        "Quarantined",
        "something could not be processed",
        (
            "Something Breakwater was sent could not be processed. It is in quarantine and can be replayed; "
            "until somebody does, nothing is started because of it."
        ),
    ),
    "unread": (
        Urgency.ACT,
        "✗",
        "Trouble",
        "Azure cannot be read",
        (
            "A wave was announced and Azure does not let Breakwater read what it hits. Breakwater goes on "
            "trying by itself; until it succeeds nothing is planned and nothing new is started there. If it "
            "lasts until the self-service window closes, Azure maintains the scale sets in its own window."
        ),
    ),
    "channel": (
        Urgency.ACT,
        "✗",
        "Trouble",
        "a channel does not get through",
        (
            "One way to tell people does not work. Breakwater goes on trying; once it is fixed, what it has "
            "missed is told there, and nothing else is needed. Until then this is how you hear of it."
        ),
    ),
    "empty_wave": (
        Urgency.KNOW,
        "·",
        "Nobody hit",
        "a wave that hits no scale set",
        (
            "If you expected some to be hit, check that Breakwater's identity has its role on the "
            "subscription and all its resource groups, and that the alert names the right subscription. "
            "Breakwater lists again while the wave is open and plans what it finds."
        ),
    ),
    "unknown_wave": (
        Urgency.ACT,
        "·",
        "Unknown wave",
        "Azure knows a wave that no alert brought",
        (
            "A search found planned maintenance that no alert announced. Check that an alert rule of this "
            "subscription covers Service Health, planned maintenance, Virtual Machines and Virtual Machine "
            "Scale Sets, and calls Breakwater."
        ),
    ),
}
"""Messages about no scale set: urgency, symbol, word, title and first sentence."""


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
    """`2 wait for an instance that does not serve, 1 waits for a limit in flight`."""
    found = ((counts.get(cause.value, 0), words) for cause, words in FOR.items())
    return ", ".join(
        f"{number} {'waits' if number == 1 else 'wait'} for {what}" for number, what in found if number
    )
