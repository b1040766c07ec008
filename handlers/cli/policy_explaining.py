"""`breakwater policy explain`, `windows` and `routes`: what a policy means for one scale set."""

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from handlers.cli.exits import ExitCode
from handlers.cli.one_scale_set import (
    GroupOption,
    LocationOption,
    NameArgument,
    TagOption,
    Wanted,
    found,
)
from handlers.cli.options import CloudOption, FromOption, PolicyOption, SubscriptionOption
from handlers.cli.output import Format, Out, OutputOption
from handlers.cli.policy_source import policy_file, policy_of
from planner.policy.model import Rules

if TYPE_CHECKING:
    from handlers.render.moments import Clock

NextOption = Annotated[int, typer.Option("--next", min=1, max=100, help="How many windows to show.")]


def explain(
    scale_set: NameArgument,
    policy: PolicyOption = None,
    snapshot: FromOption = None,
    subscription: SubscriptionOption = None,
    tag: TagOption = None,
    location: LocationOption = "",
    resource_group: GroupOption = "",
    cloud: CloudOption = None,
    output: OutputOption = Format.TABLE,
) -> ExitCode:
    """Say which rule, tag or default gives each value, and what it stands in place of.

    Ends with 2 when something in the policy or in the tags cannot be followed.
    """
    from handlers.cli.explained import explained  # noqa: PLC0415
    from handlers.render.contract import instant  # noqa: PLC0415
    from handlers.render.moments import Clock, zone_of_windows  # noqa: PLC0415

    out, read = Out(output), policy_of(policy_file(policy))
    wanted = Wanted(scale_set, subscription or (), snapshot, tag or (), location, resource_group, cloud)
    target, at = asyncio.run(found(wanted))
    rules, values = explained(read, target)
    out.json(
        {
            "scale_set": target.id,
            "values": [
                {
                    "key": each.key,
                    "value": each.value,
                    "source": each.source,
                    "instead_of": [{"value": text, "source": place} for text, place in each.instead_of],
                }
                for each in values
            ],
            "freezes": [
                {"from": instant(each.start), "to": instant(each.end), "reason": each.reason}
                for each in rules.freezes
            ],
            "counts_in": list(rules.counts_in),
            "problems": list(rules.problems),
            "notes": list(rules.notes),
        }
    )
    if out.format is Format.TABLE:
        out.say(f"{target.resource_group}/{target.name} in {target.location}", "bold")
    rows = [
        (each.key, each.value, each.source, "; ".join(f"{text} ({place})" for text, place in each.instead_of))
        for each in values
    ]
    out.table(("key", "value", "from", "instead of"), rows)
    if out.format is not Format.TABLE:
        return ExitCode.LOOK if rules.problems else ExitCode.DONE
    for sentence in _beside(rules, Clock(zone_of_windows(rules.windows), at)):
        out.say(sentence)
    for problem in rules.problems:
        out.say(f"Problem, nothing starts before it is solved: {problem}", "red")
    for note in rules.notes:
        out.say(f"Note: {note}", "yellow")
    return ExitCode.LOOK if rules.problems else ExitCode.DONE


def _beside(rules: Rules, clock: "Clock") -> Iterator[str]:
    """What holds for it beside the keys."""
    for freeze in rules.freezes:
        yield f"Frozen {clock.span(freeze.start, freeze.end)}: {freeze.reason}."
    if rules.counts_in:
        yield f"Counts in the limits {', '.join(rules.counts_in)}."
    if rules.stop:
        yield rules.stop


def windows(
    scale_set: NameArgument,
    policy: PolicyOption = None,
    snapshot: FromOption = None,
    subscription: SubscriptionOption = None,
    tag: TagOption = None,
    location: LocationOption = "",
    resource_group: GroupOption = "",
    cloud: CloudOption = None,
    number: NextOption = 5,
    output: OutputOption = Format.TABLE,
) -> ExitCode:
    """Show when the policy's windows are open next, freezes taken out.

    Ends with 2 when nothing is open within 60 days.
    """
    from handlers.cli.explained import explained  # noqa: PLC0415
    from handlers.render.contract import instant  # noqa: PLC0415
    from handlers.render.moments import Clock, zone_of_windows  # noqa: PLC0415
    from planner.calendar.openings import upcoming  # noqa: PLC0415
    from planner.text.phrases import short  # noqa: PLC0415

    out, read = Out(output), policy_of(policy_file(policy))
    wanted = Wanted(scale_set, subscription or (), snapshot, tag or (), location, resource_group, cloud)
    target, at = asyncio.run(found(wanted))
    rules, values = explained(read, target)
    said = next(each for each in values if each.key == "windows")
    openings = upcoming(rules.windows, rules.freezes, at, number)
    out.json(
        {
            "scale_set": target.id,
            "windows": said.value,
            "source": said.source,
            "next": [{"start": instant(each.start), "end": instant(each.end)} for each in openings],
        }
    )
    if out.format is Format.TABLE:
        out.say(f"{target.resource_group}/{target.name}: {said.value} (by {said.source})", "bold")
    clock = Clock(zone_of_windows(rules.windows), at)
    if out.format is Format.PLAIN:
        out.table((), [(instant(each.start), instant(each.end) or "-") for each in openings])
    elif openings and openings[0].end is None:
        out.say(f"Open from {clock.at(openings[0].start)} on; nothing ends it within 60 days.")
    elif openings:
        rows = [
            (clock.span(each.start, each.end), short(each.end - each.start)) if each.end else
            (f"from {clock.at(each.start)} on", "-")
            for each in openings
        ]  # fmt: skip
        out.table(("open", "for"), rows)
    for sentence in _beside(rules, clock) if out.format is Format.TABLE else ():
        out.say(sentence)
    if not openings and out.format is Format.TABLE:
        out.say("Nothing is open within 60 days: windows and freezes leave no time.", "yellow")
    return ExitCode.DONE if openings else ExitCode.LOOK


def routes(
    scale_set: NameArgument,
    policy: PolicyOption = None,
    snapshot: FromOption = None,
    subscription: SubscriptionOption = None,
    tag: TagOption = None,
    location: LocationOption = "",
    resource_group: GroupOption = "",
    cloud: CloudOption = None,
    output: OutputOption = Format.TABLE,
) -> ExitCode:
    """Show who would be told what, over which channels, when, and by which rule, route or tag.

    Ends with 2 when nobody would be told anything.
    """
    from dataclasses import asdict, astuple  # noqa: PLC0415

    from handlers.cli.routing import routes as of_scale_set  # noqa: PLC0415

    out, read = Out(output), policy_of(policy_file(policy))
    wanted = Wanted(scale_set, subscription or (), snapshot, tag or (), location, resource_group, cloud)
    target, _ = asyncio.run(found(wanted))
    told = of_scale_set(read, target)
    out.json({"scale_set": target.id, **asdict(told)})
    name = f"{target.resource_group}/{target.name}"
    if not told.receiver:
        out.say(f"{name}: nobody would be told anything, since the policy declares no receiver.", "yellow")
        return ExitCode.LOOK
    if out.format is Format.TABLE:
        out.say(f"{name}: notices go to {told.receiver}, by {told.source}.", "bold")
        for note in told.notes:
            out.say(f"Note: {note}", "yellow")
    out.table(
        ("notice", "urgency", "told to", "over", "when", "why"), [astuple(each) for each in told.hearings]
    )
    if out.format is Format.TABLE:
        out.say(told.page)
    return ExitCode.DONE
