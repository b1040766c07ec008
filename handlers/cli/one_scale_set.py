"""The one scale set that a command is about: in Azure, in a snapshot, or described by options."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import typer

from handlers.cli import clock
from handlers.cli.exits import ExitCode, Failed
from handlers.cloud.errors import AzureTrouble
from handlers.wire.clouds import Cloud
from planner.azure.fleet import ScaleSet
from planner.text.phrases import many, some

NOBODY = "00000000-0000-0000-0000-000000000000"
"""The subscription of a scale set that is only described."""

NameArgument = Annotated[
    str,
    typer.Argument(metavar="SCALE-SET", help="A name, group/name, or an ARM id; read with your own sign-in."),
]
TagOption = Annotated[
    list[str] | None,
    typer.Option(
        "--tag", metavar="KEY=VALUE", help="A tag of a scale set that is only described; may be repeated."
    ),
]
LocationOption = Annotated[
    str, typer.Option("--location", metavar="REGION", help="Region of a scale set that is only described.")
]
GroupOption = Annotated[
    str,
    typer.Option("--resource-group", metavar="NAME", help="Group of a scale set that is only described."),
]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was typed. With tags, a region or a group the scale set is described and nothing is read."""

    name: str
    subscriptions: Sequence[str] = ()
    snapshot: Path | None = None
    tags: Sequence[str] = ()
    location: str = ""
    resource_group: str = ""
    cloud: Cloud | None = None

    @property
    def described(self) -> bool:
        return bool(self.tags or self.location or self.resource_group)


async def found(wanted: Wanted) -> tuple[ScaleSet, datetime]:
    """The scale set, and the moment (aware UTC) at which it was so. Raises Failed."""
    if wanted.described:
        if wanted.snapshot is not None:
            raise Failed(
                "--tag, --location and --resource-group describe a scale set; with --from it is looked up. "
                "Leave out one of the two.",
                ExitCode.USAGE,
            )
        return _described(wanted), clock.now()
    if wanted.snapshot is not None:
        from handlers.cli.snapshot import load  # noqa: PLC0415

        seen = load(wanted.snapshot)
        return _only(seen.scale_sets(), wanted.name, str(wanted.snapshot)), seen.read_at
    return _only(await _in_azure(wanted), wanted.name, "Azure"), clock.now()


def _described(wanted: Wanted) -> ScaleSet:
    subscription, group, name = NOBODY, wanted.resource_group or "any", wanted.name
    if name.startswith("/"):
        subscription, group, name = _parts(name)
    elif "/" in name:
        group, _, name = name.partition("/")
    wrong = next((tag for tag in wanted.tags if "=" not in tag), None)
    if wrong is not None:
        raise Failed(f"--tag {wrong} has no value; write --tag KEY=VALUE.", ExitCode.USAGE)
    tags = dict(tag.partition("=")[::2] for tag in wanted.tags)
    subscription = next(iter(wanted.subscriptions), subscription)
    arm_id = (
        f"/subscriptions/{subscription}/resourceGroups/{group}"
        f"/providers/Microsoft.Compute/virtualMachineScaleSets/{name}"
    )
    return ScaleSet(arm_id, subscription, group, name, wanted.location or "westeurope", tags=tags)


async def _in_azure(wanted: Wanted) -> list[ScaleSet]:
    from handlers.cli.azure_access import opened  # noqa: PLC0415
    from handlers.cli.settings import settings_of  # noqa: PLC0415
    from handlers.cloud.side_by_side import side_by_side  # noqa: PLC0415

    subscriptions = wanted.subscriptions
    if wanted.name.startswith("/"):
        subscriptions = (_parts(wanted.name)[0],)
    sets: list[ScaleSet] = []
    trouble: list[str] = []
    async with opened(settings_of(wanted.cloud)) as access:
        azure = await access.subscriptions(subscriptions)

        async def read(number: int) -> None:
            try:
                sets.extend(await azure[number].listed())
            except AzureTrouble as error:
                trouble.append(f"Subscription {azure[number].subscription}: {error.sentence}")

        await side_by_side(read, range(len(azure)), 16)
    if trouble and not any(matches(each, wanted.name) for each in sets):
        raise Failed(f"{wanted.name} was not found, and not everything could be read. {' '.join(trouble)}")
    return sets


def _parts(arm_id: str) -> tuple[str, str, str]:
    from handlers.wire.messages import arm_parts  # noqa: PLC0415

    try:
        return arm_parts(arm_id)
    except ValueError as error:
        raise Failed(str(error), ExitCode.USAGE) from error


def matches(scale_set: ScaleSet, name: str) -> bool:
    """Whether a name, `group/name` or ARM id means this scale set; case does not count."""
    known = (scale_set.name, f"{scale_set.resource_group}/{scale_set.name}", scale_set.id)
    return name.lower() in {each.lower() for each in known}


def _only(sets: Iterable[ScaleSet], name: str, where: str) -> ScaleSet:
    every = list(sets)
    fitting = [each for each in every if matches(each, name)]
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        near = get_close_matches(name.rpartition("/")[2], {each.name for each in every}, n=3)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise Failed(f"{name} is not among the {many(len(every), 'scale set')} of {where}.{hint}")
    ids = some((each.id for each in fitting), most=5)
    raise Failed(f"{len(fitting)} scale sets are called {name}; name one by its ARM id: {ids}.")
