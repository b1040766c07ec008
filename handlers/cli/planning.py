"""`breakwater plan`: what Breakwater would do to the fleet, read only."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from handlers.cli import clock
from handlers.cli.exits import ExitCode
from handlers.cli.options import (
    CloudOption,
    FromOption,
    PolicyOption,
    ScaleSetOption,
    SubscriptionOption,
)
from handlers.cli.output import Format, Out, OutputOption

if TYPE_CHECKING:
    from handlers.cli.dry_run import Planned
    from handlers.cli.plan_shown import Shown
    from handlers.cli.seen_azure import SeenAzure
    from handlers.cli.snapshot import Snapshot
    from handlers.wire.settings import Settings
    from planner.policy.model import Policy

EXAMPLE = "Example: breakwater plan --policy policy.yaml"

AsIfOption = Annotated[
    bool,
    typer.Option("--as-if", help="Plan as if every instance were due from now on, whatever Azure plans."),
]


def plan(
    subscription: SubscriptionOption = None,
    scale_set: ScaleSetOption = None,
    policy: PolicyOption = None,
    snapshot: FromOption = None,
    as_if: AsIfOption = False,
    cloud: CloudOption = None,
    output: OutputOption = Format.TABLE,
) -> ExitCode:
    """Show what Breakwater would do about the maintenance Azure has planned. Reads only, with your sign-in.

    Ends with 2 when a scale set needs a person or has no place in time, with 3 when something could not be
    read.
    """
    from handlers.cli.settings import settings_of  # noqa: PLC0415

    out, settings = Out(output), settings_of(cloud)
    return asyncio.run(
        _plan(
            out, settings, subscription or (), scale_set or (), policy=policy, snapshot=snapshot, as_if=as_if
        )
    )


async def _plan(
    out: Out,
    settings: "Settings",
    subscriptions: Sequence[str],
    scale_sets: Sequence[str],
    *,
    policy: Path | None,
    snapshot: Path | None,
    as_if: bool,
) -> ExitCode:
    from handlers.cli.plan_page import printed  # noqa: PLC0415
    from handlers.cli.plan_shown import Shown, chosen  # noqa: PLC0415
    from handlers.cli.policy_source import policy_file, policy_of  # noqa: PLC0415

    file = policy_file(policy)
    planned = await plan_fleet(out, settings, policy_of(file), subscriptions, snapshot=snapshot, as_if=as_if)
    if file is None:
        out.note(
            "No policy file: only tags declare a need, the rest is left to Azure. Name one with --policy."
        )
    runs = chosen(planned.runs, scale_sets)
    shown = Shown(planned, runs, str(file or ""), as_if)
    if planned.waves or out.format is Format.JSON:
        printed(shown, out)
    else:
        _nothing_planned(planned, out)
    if planned.waves and scale_sets and not runs:
        out.note(f"No wave concerns a scale set like {', '.join(scale_sets)}.")
    return _code(planned, shown, out)


def _nothing_planned(planned: "Planned", out: Out) -> None:
    """No wave at all: say so, and what to type to see something all the same."""
    seen = planned.snapshot.subscriptions
    one = f"subscription {seen[0].name or seen[0].id}" if len(seen) == 1 else f"{len(seen)} subscriptions"
    partly = ", as far as it could be read" if planned.unread else ""
    out.say(f"Azure plans no maintenance of scale sets in {one}{partly}.")
    for remark in planned.remarks:
        out.say(remark, "yellow")
    out.note("To see what the policy would decide if every instance were due: breakwater plan --as-if")


def _code(planned: "Planned", shown: "Shown", out: Out) -> ExitCode:
    from handlers.cli.plan_shown import Fate  # noqa: PLC0415

    for unread in planned.unread:
        out.note(f"Not read: {unread.what}. {unread.why}")
    if planned.unread:
        return ExitCode.PARTLY
    return ExitCode.LOOK if shown.of(Fate.PERSON) or shown.of(Fate.LATE) else ExitCode.DONE


async def plan_fleet(
    out: Out,
    settings: "Settings",
    policy: "Policy",
    subscriptions: Sequence[str],
    *,
    snapshot: Path | None,
    as_if: bool,
) -> "Planned":
    """Plan what a snapshot has, or Azure; what is read of Azure is in `Planned.snapshot`."""
    from handlers.cli.as_if import all_due  # noqa: PLC0415
    from handlers.cli.azure_access import opened  # noqa: PLC0415
    from handlers.cli.dry_run import planned  # noqa: PLC0415
    from handlers.cli.reading import read_waves  # noqa: PLC0415

    if snapshot is not None or as_if:
        seen = await fleet(out, settings, subscriptions, snapshot=snapshot)
        made = offline(all_due(seen) if as_if else seen, subscriptions)
        with out.progress("Planning scale sets", len(seen.scale_sets())) as doing:
            found = await planned(made, policy, settings, seen.read_at, lambda _: doing.step())
        return replace(found, snapshot=seen)
    at = clock.now().replace(microsecond=0)
    async with opened(settings) as access:
        azure = await access.subscriptions(subscriptions)
        await read_waves(azure, out)
        with out.progress("Planning scale sets") as doing:
            return await planned(azure, policy, settings, at, lambda _: doing.step())


async def fleet(
    out: Out, settings: "Settings", subscriptions: Sequence[str], *, snapshot: Path | None
) -> "Snapshot":
    """The whole fleet, from a snapshot or read of Azure now."""
    from handlers.cli.azure_access import opened  # noqa: PLC0415
    from handlers.cli.reading import read_fleet  # noqa: PLC0415
    from handlers.cli.snapshot import load  # noqa: PLC0415

    if snapshot is not None:
        return load(snapshot)
    at = clock.now().replace(microsecond=0)
    async with opened(settings) as access:
        return await read_fleet(await access.subscriptions(subscriptions), at, out)


def offline(seen: "Snapshot", subscriptions: Sequence[str]) -> "list[SeenAzure]":
    """Azure as a snapshot has it, without a connection; all of it, or these subscriptions."""
    from handlers.cli.seen_azure import SeenAzure  # noqa: PLC0415

    wanted = {each.lower() for each in subscriptions}
    return [SeenAzure(each) for each in seen.subscriptions if not wanted or each.id in wanted]
