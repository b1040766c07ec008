"""Who hears of a notice: the scale set's receiver, unless it chose not to; what asks is always heard."""

from planner.policy.model import Policy, Receiver
from planner.words import receivers as words

LEVELS = ("know", "act", "page")
"""How loud a notice is, from quiet to loud; the words of `planner.record.notice.Urgency`."""

ASKING = ("approval", "paused", "trouble", "stalled", "reminder", "slack", "missed")
"""The kinds that may ask for something."""

INFORMING = (
    "planned",
    "replanned",
    "starting",
    "started",
    "acknowledged",
    "resumed",
    "late",
    "completed",
    "cancelled",
    "finished",
)
"""The kinds that only inform: those of a notice, and the end of a wave."""

NAMEABLE = (*INFORMING, *ASKING)
"""What `kinds` of a receiver can name."""


def default_receiver(policy: Policy) -> Receiver | None:
    """Who is told what no receiver is declared for: the defaults' owner, else `default`, else the first."""
    chosen = policy.receiver(policy.defaults.get("owner", "default")) or policy.receiver("default")
    return chosen or next(iter(policy.receivers), None)


def wants(receiver: Receiver, kind: str, urgency: str) -> bool:
    """Whether the receiver has chosen to hear of it; nobody can choose not to be paged."""
    if urgency == "page":
        return True
    loud = LEVELS.index(urgency) >= LEVELS.index(receiver.least)
    return loud and (receiver.kinds is None or kind in receiver.kinds)


def hearer(policy: Policy, owner: Receiver, kind: str, urgency: str) -> Receiver | None:
    """Who hears of a notice about a scale set of `owner`; None for what only informs and nobody wants.

    What asks for an answer and the owner does not want goes to the default receiver, whatever that one has
    chosen: otherwise a run would stand still and nobody would know.
    """
    if wants(owner, kind, urgency):
        return owner
    if urgency == "know":
        return None
    return default_receiver(policy) or owner


def deaf(receiver: Receiver) -> str:
    """What asks for an answer and this receiver has chosen not to hear, in words; empty if it hears all."""
    if receiver.least == "page":
        return words.ALL_BUT_PAGES
    missing = [kind for kind in ASKING if not wants(receiver, kind, "act")]
    return words.kinds(missing) if missing else ""


def unheard(policy: Policy, receiver: Receiver) -> str:
    """Who hears in its place what the receiver does not want to hear but must be answered; a sentence."""
    what = deaf(receiver)
    if not what:
        return ""
    other = default_receiver(policy)
    if other is None or other.name == receiver.name:
        return words.nobody_else_hears(receiver.name, what)
    return words.somebody_else_hears(receiver.name, what, other.name)
