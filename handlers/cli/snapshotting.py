"""`breakwater snapshot`: what a plan reads, in a file to work with later, or elsewhere."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from handlers.cli import clock
from handlers.cli.exits import ExitCode
from handlers.cli.options import CloudOption, SubscriptionOption
from handlers.cli.output import Out

if TYPE_CHECKING:
    from handlers.wire.settings import Settings

EXAMPLE = "Example: breakwater snapshot -o fleet.json --anonymise"

FileOption = Annotated[
    Path,
    typer.Option(
        "--output", "-o", metavar="FILE", help="Where to write it; replaces the file that is there."
    ),
]

AnonymiseOption = Annotated[
    bool,
    typer.Option(
        "--anonymise",
        help="Replace names of subscriptions, resource groups, scale sets and machines, and tag values, by "
        "pseudonyms that nobody can undo. A policy that matches on names or values then matches other sets.",
    ),
]


def snapshot(
    file: FileOption,
    subscription: SubscriptionOption = None,
    anonymise: AnonymiseOption = False,
    cloud: CloudOption = None,
) -> ExitCode:
    """Save what a plan reads of Azure. `plan --from`, `diff --from` and others work on it without Azure.

    It holds no credentials, no extension settings and no custom data; it holds names, tags and who stopped
    what, unless they are made anonymous. Ends with 3 when something could not be read.
    """
    from handlers.cli.settings import settings_of  # noqa: PLC0415

    settings = settings_of(cloud)
    return asyncio.run(_snapshot(file, settings, subscription or [], anonymise=anonymise))


async def _snapshot(
    file: Path, settings: "Settings", subscriptions: list[str], *, anonymise: bool
) -> ExitCode:
    from handlers.cli.anonymising import anonymised  # noqa: PLC0415
    from handlers.cli.azure_access import opened  # noqa: PLC0415
    from handlers.cli.dry_run import planned, unread_in  # noqa: PLC0415
    from handlers.cli.reading import read_fleet  # noqa: PLC0415
    from handlers.cli.snapshot import Snapshot, save  # noqa: PLC0415
    from planner.policy.model import Policy  # noqa: PLC0415
    from planner.text.phrases import many  # noqa: PLC0415

    out = Out()
    at = clock.now().replace(microsecond=0)
    async with opened(settings) as access:
        azure = await access.subscriptions(subscriptions)
        await read_fleet(azure, at, out)
        # A plan, whatever comes out of it, reads what `plan` will want to read.
        await planned(azure, Policy(), settings, at)
    seen = Snapshot(at, tuple(each.seen for each in azure))
    unread = unread_in(seen)
    save(anonymised(seen) if anonymise else seen, file)
    instances = sum(len(listed) for each in seen.subscriptions for listed in each.instances.values())
    out.say(
        f"{file}: {many(len(seen.scale_sets()), 'scale set')} with {many(instances, 'instance')} "
        f"in {many(len(seen.subscriptions), 'subscription')}."
    )
    for each in unread:
        out.note(f"Not read: {each.what}. {each.why}")
    return ExitCode.PARTLY if unread else ExitCode.DONE
