"""`breakwater diff`: what another policy would change, for review before it is merged."""

import asyncio
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from handlers.cli.exits import ExitCode
from handlers.cli.options import CloudOption, FromOption, SubscriptionOption
from handlers.cli.output import Format, Out

if TYPE_CHECKING:
    from handlers.cli.comparing import Comparison
    from handlers.wire.settings import Settings
    from planner.policy.model import Policy

EXAMPLE = "Example: breakwater diff --policy old.yaml new.yaml --from fleet.json -o markdown"


class DiffFormat(StrEnum):
    TABLE = "table"
    JSON = "json"
    PLAIN = "plain"
    MARKDOWN = "markdown"


PoliciesOption = Annotated[
    tuple[Path, Path], typer.Option("--policy", metavar="OLD NEW", help="The two policy files to compare.")
]
DiffOutputOption = Annotated[
    DiffFormat,
    typer.Option(
        "--output",
        "-o",
        help="table: for people. json: for programs. plain: one line a change. markdown: for a pull request.",
    ),
]


def diff(
    policy: PoliciesOption,
    snapshot: FromOption = None,
    subscription: SubscriptionOption = None,
    cloud: CloudOption = None,
    output: DiffOutputOption = DiffFormat.TABLE,
) -> ExitCode:
    """Show which scale sets another policy would plan otherwise, and which rule, tag or default does it.

    Every instance counts as due; those that are due in earnest keep their times. Ends with 2 when something
    changes, with 3 when something could not be read.
    """
    markdown = output is DiffFormat.MARKDOWN
    out = Out(Format.TABLE if markdown else Format(output.value))
    from handlers.cli.settings import settings_of  # noqa: PLC0415

    settings = settings_of(cloud)
    return asyncio.run(_diff(out, settings, policy, snapshot, subscription or (), markdown=markdown))


async def _diff(
    out: Out,
    settings: "Settings",
    files: tuple[Path, Path],
    snapshot: Path | None,
    subscriptions: Sequence[str],
    *,
    markdown: bool,
) -> ExitCode:
    from handlers.cli import diff_page  # noqa: PLC0415
    from handlers.cli.policy_source import policy_of  # noqa: PLC0415

    old, new = (policy_of(file) for file in files)
    found, unread = await _compared(out, settings, (old, new), snapshot, subscriptions)
    if markdown:
        out.raw(diff_page.markdown(found, files[1].name))
    else:
        diff_page.printed(found, out)
    for each in unread:
        out.note(f"Not read: {each}")
    if unread:
        return ExitCode.PARTLY
    return ExitCode.LOOK if found.changed or found.whole else ExitCode.DONE


async def _compared(
    out: Out,
    settings: "Settings",
    policies: "tuple[Policy, Policy]",
    snapshot: Path | None,
    subscriptions: Sequence[str],
) -> "tuple[Comparison, list[str]]":
    """The fleet planned by both; what could not be read of it."""
    from handlers.cli.as_if import all_due  # noqa: PLC0415
    from handlers.cli.comparing import compared  # noqa: PLC0415
    from handlers.cli.dry_run import planned, unread_in  # noqa: PLC0415
    from handlers.cli.planning import fleet, offline  # noqa: PLC0415
    from handlers.render.moments import Clock, zone_of  # noqa: PLC0415

    seen = await fleet(out, settings, subscriptions, snapshot=snapshot)
    due = all_due(seen)
    with out.progress("Planning by both policies", 2 * len(seen.scale_sets())) as doing:
        before, after = [
            await planned(offline(due, subscriptions), policy, settings, seen.read_at, lambda _: doing.step())
            for policy in policies
        ]
    clock = Clock(zone_of((*before.runs, *after.runs)), seen.read_at)
    missing = [f"{each.what}. {each.why}" for each in unread_in(seen)]
    return compared(before, after, *policies, clock), missing
