"""Who would be told what of a scale set, and why, by a policy file: `python -m handlers.routes --help`.

Reads the file and nothing else: no Azure, no storage, no settings. What `env:NAME` names may be missing.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, override

from handlers.render.vocabulary import FINISHED, KINDS
from handlers.wire.policy_file import PolicyError, load
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
    Kind.TROUBLE: ("know", "act"),
    Kind.STALLED: ("know", "act"),
    Kind.REMINDER: ("act",),
    Kind.SLACK: ("know", "act", "page"),
    Kind.COMPLETED: ("know",),
    Kind.MISSED: ("act", "page"),
    Kind.CANCELLED: ("know",),
}
"""How loud each kind can be."""


class _Anything(dict[str, str]):
    """Every setting, with an address that leads nowhere."""

    @override
    def get(self, key: str, default: Any = None) -> str:
        del key, default
        return "https://setting.invalid"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print it; 2 when the file cannot be used."""
    asked = _asked(arguments)
    try:
        policy = load(Path(asked.policy).read_text("utf-8"), environment=_Anything())
    except (OSError, UnicodeDecodeError, PolicyError) as error:
        sys.stderr.write(f"{asked.policy}: {error}\n")
        return 2
    tags = dict(tag.partition("=")[::2] for tag in asked.tags)
    group, name = asked.resource_group, asked.name
    arm_id = (
        f"/subscriptions/{asked.subscription}/resourceGroups/{group}/providers/Microsoft.Compute"
        f"/virtualMachineScaleSets/{name}"
    )
    scale_set = ScaleSet(arm_id, asked.subscription, group, name, asked.location, tags=tags)
    sys.stdout.write("\n".join(told(policy, scale_set)) + "\n")
    return 0


def told(policy: Policy, scale_set: ScaleSet) -> Iterator[str]:
    """The lines: whose notices they are and why, who hears each kind, what happens to a page."""
    rules = rules_for(policy, scale_set)
    owner = policy.receiver(rules.owner)
    if owner is None:
        yield f"{scale_set.name}: nobody would be told anything, since the policy declares no receiver."
        return
    where, why = scale_set.resource_group, rules.sources["owner"]
    yield f"{scale_set.name} in {where}: notices go to {owner.name}, by {why}."
    yield from (f"Note: {note}" for note in rules.notes if "receiver" in note)
    yield ""
    rows = [("notice", "urgency", "told to", "over", "when", "why")]
    for kind in KINDS:
        loud = sorted(LOUDNESS[kind], key=LEVELS.index)
        rows += [(kind.value, urgency, *_who(policy, owner, kind.value, urgency)) for urgency in loud]
    rows.append((FINISHED[1].lower(), "know", *_who(policy, owner, "finished", "know")))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    yield ""
    yield _escalation(policy, owner)


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


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m handlers.routes", description=__doc__)
    parser.add_argument("--policy", required=True, help="the policy file")
    parser.add_argument("--name", required=True, help="of the scale set")
    parser.add_argument("--resource-group", required=True)
    parser.add_argument("--subscription", default="00000000-0000-0000-0000-000000000000")
    parser.add_argument("--location", default="westeurope")
    parser.add_argument("--tags", nargs="*", default=[], metavar="KEY=VALUE", help="of the scale set")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
