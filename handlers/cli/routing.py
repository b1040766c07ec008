"""Who would be told what of a scale set, and why, by a policy: each kind of notice, and what a page does."""

from dataclasses import dataclass

from handlers.render.vocabulary import FINISHED, KINDS
from planner.azure.fleet import ScaleSet
from planner.policy.hearing import LEVELS, default_receiver, hearer
from planner.policy.model import Policy, Receiver
from planner.policy.resolve import rules_for
from planner.record.notice import Kind
from planner.text.phrases import long

LOUDNESS: dict[Kind, tuple[str, ...]] = {
    Kind.PLANNED: ("know", "page"),
    Kind.REPLANNED: ("know",),
    Kind.APPROVAL: ("act",),
    Kind.STARTING: ("know",),
    Kind.STARTED: ("know",),
    Kind.PAUSED: ("act", "page"),
    Kind.ACKNOWLEDGED: ("know",),
    Kind.RESUMED: ("know",),
    Kind.LATE: ("know",),
    Kind.TROUBLE: ("know", "act"),
    Kind.STALLED: ("know", "act"),
    Kind.REMINDER: ("act",),
    Kind.SLACK: ("know", "act", "page"),
    Kind.COMPLETED: ("know",),
    Kind.MISSED: ("act", "page"),
    Kind.CANCELLED: ("know",),
}
"""How loud each kind can be."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """Who hears one kind of notice of a scale set at one urgency, over what, when, and why."""

    notice: str
    urgency: str
    told: str
    over: str
    when: str
    why: str


@dataclass(frozen=True, slots=True)
class Routes:
    """Whose notices a scale set's are, by what; who hears each kind; what becomes of a page."""

    receiver: str
    source: str
    notes: tuple[str, ...] = ()
    hearings: tuple[Hearing, ...] = ()
    page: str = ""


def routes(policy: Policy, scale_set: ScaleSet) -> Routes:
    """Who would be told what of the scale set; nobody where the policy declares no receiver."""
    rules = rules_for(policy, scale_set)
    owner = policy.receiver(rules.owner)
    if owner is None:
        return Routes("", "")
    hearings = []
    for kind in KINDS:
        loud = sorted(LOUDNESS[kind], key=LEVELS.index)
        hearings += [
            Hearing(kind.value, urgency, *_who(policy, owner, kind.value, urgency)) for urgency in loud
        ]
    last = FINISHED[1].lower()
    hearings.append(Hearing(last, "know", *_who(policy, owner, "finished", "know")))
    notes = tuple(note for note in rules.notes if "receiver" in note)
    return Routes(owner.name, rules.sources["owner"], notes, tuple(hearings), _escalation(policy, owner))


def _who(policy: Policy, owner: Receiver, kind: str, urgency: str) -> tuple[str, str, str, str]:
    """Who hears it, over which channels, when, and why."""
    found = hearer(policy, owner, kind, urgency)
    if found is None:
        return "nobody", "-", "-", f"{owner.name} does not want it"
    if found.name != owner.name:
        default = default_receiver(policy)
        assert default is not None
        why = f"{owner.name} does not want it, and it asks: the default receiver hears it"
    elif urgency == "page":
        why = "a page always goes to its receiver"
    else:
        why = f"from: {owner.least}" + (
            ", in kinds" if owner.kinds is not None and kind in owner.kinds else ""
        )
    return found.name, _channels(found), _when(found, kind, urgency), why


def _channels(receiver: Receiver) -> str:
    found = [name for name in ("email", "teams", "webhook") if getattr(receiver, name)]
    return ", ".join(found)


def _when(receiver: Receiver, kind: str, urgency: str) -> str:
    if urgency == "page":
        return "at once"
    if kind in {"planned", "finished"}:
        return "once a wave"
    return str(receiver.act if urgency == "act" else receiver.know)


def _escalation(policy: Policy, owner: Receiver) -> str:
    """What becomes of a page that nobody acknowledges."""
    every = long(owner.repeat_every)
    said = f"A page about what is down or a deadline comes again every {every} until it is acknowledged"
    other = policy.receiver(owner.escalate_to)
    after = f"after {long(owner.escalate_after)}"
    if other is None:
        return f"{said}, {after} every hour; nobody else is paged (no escalate-to)."
    return f"{said}; {after} {other.name} is paged as well ({_channels(other)}), and from then on every hour."
