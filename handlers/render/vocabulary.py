"""One vocabulary for cards, mail and pages: symbol and word travel together, never colour alone."""

from planner.notice import Kind
from planner.run import BatchState, InstanceState, Outcome, RunState

KINDS = {
    Kind.MISSED: ("✗", "Missed"),
    Kind.PAUSED: ("✗", "Paused"),
    Kind.TROUBLE: ("✗", "Trouble"),
    Kind.SLACK: ("·", "Time is short"),
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
    "unknown_wave": ("·", "Unknown wave"),
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

OUTCOMES = {
    Outcome.PASS: ("✓", "passed", "good"),
    Outcome.BLOCK: ("✗", "blocks", "bad"),
    Outcome.UNKNOWN: ("?", "unknown", "ask"),
    Outcome.NOT_DECLARED: ("✓", "not declared", "calm"),
    Outcome.ACCEPTED: ("✓", "accepted", "good"),
}

BATCHES = {
    BatchState.PENDING: ("·", "waits", "calm"),
    BatchState.STARTING: ("+", "starting", "live"),
    BatchState.REBOOTING: ("~", "rebooting", "live"),
    BatchState.VERIFYING: ("~", "verifying", "live"),
    BatchState.SOAKING: ("·", "soaking", "live"),
    BatchState.DONE: ("✓", "done", "good"),
    BatchState.FAILED: ("✗", "failed", "bad"),
}

INSTANCES = {
    InstanceState.PENDING: ("·", "waits", "calm"),
    InstanceState.ASIDE: ("·", "set aside", "ask"),
    InstanceState.STARTING: ("+", "starting", "live"),
    InstanceState.REBOOTING: ("~", "rebooting", "live"),
    InstanceState.VERIFYING: ("~", "verifying", "live"),
    InstanceState.FAILED: ("✗", "failed", "bad"),
    InstanceState.MAINTAINED: ("✓", "maintained", "good"),
    InstanceState.BY_AZURE: ("✓", "by Azure", "good"),
    InstanceState.CANCELLED: ("-", "cancelled", "calm"),
    InstanceState.EXCUSED: ("-", "excused", "calm"),
    InstanceState.MISSED: ("✗", "missed", "bad"),
}
