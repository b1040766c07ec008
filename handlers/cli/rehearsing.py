"""`breakwater rehearse`: the whole wave over your fleet, in virtual time, by the planner's own rules."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from handlers.cli.exits import ExitCode, Failed
from handlers.cli.files import written
from handlers.cli.options import CloudOption, FromOption, PolicyOption, SubscriptionOption
from handlers.cli.output import Format, Out, OutputOption

if TYPE_CHECKING:
    from handlers.cli.rehearsal_shown import Shown
    from handlers.cli.snapshot import Snapshot
    from handlers.wire.settings import Settings
    from planner.azure.wave import Wave
    from planner.policy.model import Policy
    from planner.rehearsal.part import Snapshot as ScaleSetSeen
    from planner.rehearsal.trouble import Trouble

EXAMPLE = "Example: breakwater rehearse --from fleet.json --policy policy.yaml --fail 3% --html wave.html"

FailOption = Annotated[
    str, typer.Option(metavar="SHARE", help="Instances that do not come back, such as 3%.")
]
SlowOption = Annotated[
    str, typer.Option(metavar="SHARE", help="Instances that reboot three times as slowly.")
]
ApproveOption = Annotated[
    str,
    typer.Option(
        metavar="TIME",
        help="How late people approve: 20h, or never. Else between 2 and 16 hours, by the seed.",
    ),
]
ResumeOption = Annotated[
    str,
    typer.Option(
        metavar="TIME",
        help="How late people repair and resume what is paused: 8h, or never. Else between 2 and 16 hours.",
    ),
]
AcknowledgeOption = Annotated[
    str,
    typer.Option(
        metavar="TIME",
        help="How late people take a page: 20m, or never. Else between 5 and 25 minutes, by the seed.",
    ),
]
ThrottleOption = Annotated[
    list[str] | None,
    typer.Option(metavar="AFTER:LASTS", help="Azure throttles starts, such as 2h:30m; may be repeated."),
]
ThrottleReadsOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="AFTER:LASTS",
        help="Azure throttles reads, such as 2h:30m: polls see nothing. May be repeated.",
    ),
]
MoveOption = Annotated[
    list[str] | None,
    typer.Option(metavar="AFTER:BY", help="Azure moves its windows, such as 3d:2d; may be repeated."),
]
CancelOption = Annotated[str, typer.Option(metavar="TIME", help="Azure cancels the wave, such as 5d.")]
SeedOption = Annotated[int, typer.Option(help="What is drawn by chance; the same seed tells the same story.")]
StartOption = Annotated[
    str,
    typer.Option(metavar="DATE", help="When it begins, such as 2026-12-01. Else when the fleet was read."),
]
HtmlOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write the story as a page with drawings, too.")
]
RecordsOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Write the runs and waves as records, a line each: breakwater render reads them."
    ),
]


def rehearse(
    snapshot: FromOption = None,
    policy: PolicyOption = None,
    subscription: SubscriptionOption = None,
    fail: FailOption = "",
    slow: SlowOption = "",
    approve_after: ApproveOption = "",
    resume_after: ResumeOption = "",
    acknowledge_after: AcknowledgeOption = "",
    throttle: ThrottleOption = None,
    throttle_reads: ThrottleReadsOption = None,
    move: MoveOption = None,
    cancel_after: CancelOption = "",
    seed: SeedOption = 1,
    start: StartOption = "",
    html: HtmlOption = None,
    records: RecordsOption = None,
    cloud: CloudOption = None,
    output: OutputOption = Format.TABLE,
) -> ExitCode:
    """Play the coming wave on your fleet: who reboots when, what is down, who is told, what is missed.

    Nothing is started or told. Without a wave in the snapshot, every instance counts as due from the start.
    Ends with 2 when something is missed, with 3 when something could not be read.
    """
    from handlers.cli.settings import settings_of  # noqa: PLC0415
    from handlers.cli.troubles import Asked, trouble  # noqa: PLC0415

    asked = Asked(
        fail,
        slow,
        approve_after,
        resume_after,
        acknowledge_after,
        throttle or [],
        throttle_reads or [],
        move or [],
        cancel_after,
    )
    made, begins = trouble(asked), _moment(start)
    out, settings = Out(output), settings_of(cloud)
    return asyncio.run(
        _rehearse(
            out,
            settings,
            snapshot,
            policy,
            subscription or (),
            trouble=made,
            seed=seed,
            start=begins,
            html=html,
            records=records,
        )
    )


def _moment(text: str) -> datetime | None:
    from planner.policy.durations import parse_when  # noqa: PLC0415

    try:
        return parse_when(text, end_of_day=False) if text else None
    except ValueError as error:
        raise Failed(f"--start: {error}.", ExitCode.USAGE) from error


async def _rehearse(
    out: Out,
    settings: "Settings",
    snapshot: Path | None,
    policy: Path | None,
    subscriptions: Sequence[str],
    *,
    trouble: "Trouble",
    seed: int,
    start: datetime | None,
    html: Path | None,
    records: Path | None,
) -> ExitCode:
    from handlers.cli.dry_run import unread_in  # noqa: PLC0415
    from handlers.cli.planning import fleet  # noqa: PLC0415
    from handlers.cli.policy_source import policy_file, policy_of  # noqa: PLC0415
    from handlers.cli.rehearsal_page import printed  # noqa: PLC0415
    from handlers.cli.rehearsal_shown import Shown  # noqa: PLC0415
    from planner.rehearsal.play import play  # noqa: PLC0415

    file = policy_file(policy)
    rules = policy_of(file)
    seen = await fleet(out, settings, subscriptions, snapshot=snapshot)
    begins = start or seen.read_at
    waves, as_if, due = await _waves(seen, rules, settings, subscriptions, begins)
    concerned = _concerned(due, waves)
    if not concerned:
        raise Failed("There is nothing to rehearse: no wave concerns a scale set that was read.")
    with out.progress("Rehearsing"):
        story = play(concerned, waves, rules, trouble, seed, begins)
    if file is None:
        out.note(
            "No policy file: only tags declare a need, the rest is left to Azure. Name one with --policy."
        )
    shown = Shown(story, tuple(waves), str(file or ""), as_if, seed, trouble)
    printed(shown, out)
    if html is not None:
        _write(html, shown, out)
    if records is not None:
        _keep(records, shown, out)
    unread = unread_in(seen)
    for each in unread:
        out.note(f"Not read: {each.what}. {each.why}")
    if unread:
        return ExitCode.PARTLY
    return ExitCode.LOOK if story.misses else ExitCode.DONE


async def _waves(
    seen: "Snapshot", policy: "Policy", settings: "Settings", subscriptions: Sequence[str], start: datetime
) -> "tuple[list[Wave], bool, Snapshot]":
    """The waves Azure knows of with their rosters; without any, one in which all is due from `start`."""
    from dataclasses import replace  # noqa: PLC0415

    from handlers.cli.as_if import all_due  # noqa: PLC0415
    from handlers.cli.dry_run import announced  # noqa: PLC0415
    from handlers.cli.planning import offline  # noqa: PLC0415

    waves = await announced(offline(seen, subscriptions), policy, settings, seen.read_at)
    if waves:
        return waves, False, seen
    due = all_due(replace(seen, read_at=start))
    return await announced(offline(due, subscriptions), policy, settings, start), True, due


def _concerned(seen: "Snapshot", waves: "Sequence[Wave]") -> "list[ScaleSetSeen]":
    """The scale sets of the waves, each once, with the instances that were read."""
    from planner.rehearsal.part import Snapshot as ScaleSetSeen  # noqa: PLC0415

    found = {
        member.scale_set.key: ScaleSetSeen(wave.informed(member.scale_set), instances)
        for wave in waves
        for member in wave.roster
        if (instances := seen.instances(member.scale_set.key)) is not None
    }
    return [found[key] for key in sorted(found)]


def _write(file: Path, shown: "Shown", out: Out) -> None:
    from handlers.cli.rehearsal_html import page  # noqa: PLC0415

    with written(file) as opened:
        opened.write(page(shown))
    out.note(f"The story as a page: {file}")


def _keep(file: Path, shown: "Shown", out: Out) -> None:
    from handlers.wire.documents import encode  # noqa: PLC0415
    from planner.text.phrases import many  # noqa: PLC0415

    runs = [run for played in shown.story.played for run in (*played.earlier, played.run)]
    with written(file) as opened:
        opened.writelines(f"{encode(record).decode()}\n" for record in (*runs, *shown.waves))
    out.note(f"{many(len(runs), 'run')} as records: {file}")
