"""`breakwater approve`, `hold`, `resume`, `skip`, `raise`, `pass`, `acknowledge`: a person's word to the app.

What will happen is said first, and on a terminal asked about. A command names the plan that was shown: where
the plan has changed meanwhile, the app refuses.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer

from handlers.cli.app_client import Answer, App, Where, path_of, refused
from handlers.cli.app_options import (
    WAVES,
    AppOption,
    AudienceOption,
    KeyFileOption,
    SetArgument,
    WaveArgument,
    where_is,
)
from handlers.cli.exits import ExitCode, Failed
from handlers.cli.output import Format, Out, OutputOption

ReasonOption = Annotated[
    str, typer.Option("--reason", "-r", metavar="TEXT", help="Why; it stands in the history.")
]
ActorOption = Annotated[
    str,
    typer.Option(
        "--actor",
        metavar="NAME",
        help="Who says it; BREAKWATER_ACTOR without it. Whoever signed in counts instead.",
    ),
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask: for scripts.")]
ChecksumOption = Annotated[
    str,
    typer.Option("--checksum", metavar="PLAN", help="The plan that was looked at; another one is refused."),
]
RunsOption = Annotated[
    str,
    typer.Option(
        "--runs",
        metavar="WHICH",
        help="Instead of SET: late (no place before the deadline), waiting (not begun) or all (active).",
    ),
]
InstanceOption = Annotated[
    list[str] | None, typer.Option("--instance", metavar="ID", help="Only this one; may be repeated.")
]
DomainOption = Annotated[
    list[str] | None, typer.Option("--domain", metavar="NAME", help="Only this one; may be repeated.")
]
WHICH = ("late", "waiting", "all")


@dataclass(frozen=True, slots=True)
class Said:
    """What a person wants to say. `action` is the app's word; `fields` go with it."""

    action: str
    wave: str
    scale_set: str = ""
    runs: str = ""
    reason: str = ""
    actor: str = ""
    checksum: str = ""
    yes: bool = False
    fields: dict[str, Any] = field(default_factory=dict)

    @property
    def called(self) -> str:
        """The command as it is typed here."""
        return "pass" if self.action == "let-pass" else self.action


PLAIN = (
    ("hold", "hold", "Start nothing new; reboots in progress are watched to their end.", "Not tonight."),
    ("resume", "resume", "Go on after a hold or a failure, or although time is short.", "It is out."),
    (
        "pass",
        "let-pass",
        "Let the scale sets that wait for a limit go before a paused one.",
        "It takes a day.",
    ),
    ("acknowledge", "acknowledge", "Say that somebody has it: it pages nobody any more.", "On it."),
)
"""As it is typed here, the app's word, what it does, and a reason as an example."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    approving = "Example: breakwater approve VM8T-1Q8 web-prod --reason 'Looks right.'"
    app.command("approve", epilog=approving, rich_help_panel=WAVES)(approve)
    for name, action, does, why in PLAIN:
        example = f"Example: breakwater {name} VM8T-1Q8 web-prod --reason '{why}'"
        app.command(name, help=does, epilog=example, rich_help_panel=WAVES)(_plain(action))
    skipping = "Example: breakwater skip VM8T-1Q8 web-prod --instance 7"
    app.command("skip", epilog=skipping, rich_help_panel=WAVES)(skip)
    raising = "Example: breakwater raise VM8T-1Q8 web-prod soak=10m"
    app.command("raise", epilog=raising, rich_help_panel=WAVES)(raise_)


def approve(
    wave: WaveArgument,
    scale_set: Annotated[str, typer.Argument(metavar="SET", help="A scale set: name, group/name or ARM id.")],
    reason: ReasonOption = "",
    actor: ActorOption = "",
    checksum: ChecksumOption = "",
    yes: YesOption = False,
    app: AppOption = "",
    key_file: KeyFileOption = "",
    audience: AudienceOption = "",
    output: OutputOption = Format.TABLE,
) -> ExitCode:
    """Let the plan start that waits for it. Lead time, windows and limits still count."""
    if yes and not checksum:
        raise Failed(
            "An approval is for a plan that somebody has looked at: with --yes, name it with --checksum "
            "(breakwater show has it).",
            ExitCode.USAGE,
        )
    said = Said("approve", wave, scale_set, "", reason, actor, checksum, yes)
    return _run(said, where_is(app, key_file, audience), output)


def skip(
    wave: WaveArgument,
    scale_set: SetArgument = "",
    instance: InstanceOption = None,
    domain: DomainOption = None,
    runs: RunsOption = "",
    reason: ReasonOption = "",
    actor: ActorOption = "",
    checksum: ChecksumOption = "",
    yes: YesOption = False,
    app: AppOption = "",
    key_file: KeyFileOption = "",
    audience: AudienceOption = "",
    output: OutputOption = Format.TABLE,
) -> ExitCode:
    """Leave to Azure: these instances and domains, or with neither all that has not been started."""
    fields: dict[str, Any] = {
        **({"instances": instance} if instance else {}),
        **({"domains": domain} if domain else {}),
    }
    said = Said("skip", wave, scale_set, runs, reason, actor, checksum, yes, fields)
    return _run(said, where_is(app, key_file, audience), output)


def raise_(
    wave: WaveArgument,
    what: Annotated[
        list[str],
        typer.Argument(
            metavar="[SET] KEY=VALUE",
            help="soak, max-unavailable, windows, complete-by, lead, accept; without SET the wave's limits.",
        ),
    ],
    runs: RunsOption = "",
    reason: ReasonOption = "",
    actor: ActorOption = "",
    checksum: ChecksumOption = "",
    yes: YesOption = False,
    app: AppOption = "",
    key_file: KeyFileOption = "",
    audience: AudienceOption = "",
    output: OutputOption = Format.TABLE,
) -> ExitCode:
    """Change what this plan goes by, or, without SET and --runs, the wave's limits (scale-sets=9)."""
    names = [each for each in what if "=" not in each]
    fields = dict(each.split("=", 1) for each in what if "=" in each)
    if len(names) > 1 or not fields:
        raise Failed("Say what to raise: breakwater raise WAVE [SET] soak=10m ...", ExitCode.USAGE)
    said = Said("raise", wave, (names or [""])[0], runs, reason, actor, checksum, yes, dict(fields))
    return _run(said, where_is(app, key_file, audience), output)


def _plain(action: str) -> Callable[..., ExitCode]:
    """The command for what is said without saying more than who and why."""

    def command(
        wave: WaveArgument,
        scale_set: SetArgument = "",
        runs: RunsOption = "",
        reason: ReasonOption = "",
        actor: ActorOption = "",
        checksum: ChecksumOption = "",
        yes: YesOption = False,
        app: AppOption = "",
        key_file: KeyFileOption = "",
        audience: AudienceOption = "",
        output: OutputOption = Format.TABLE,
    ) -> ExitCode:
        said = Said(action, wave, scale_set, runs, reason, actor, checksum, yes)
        return _run(said, where_is(app, key_file, audience), output)

    return command


def _run(said: Said, where: Where, output: Format) -> ExitCode:
    limits = said.action == "raise" and not said.scale_set and not said.runs
    if not limits and bool(said.scale_set) == bool(said.runs):
        raise Failed(
            "Say which: a scale set, or --runs late, waiting or all for the whole wave.", ExitCode.USAGE
        )
    if said.runs and said.runs not in WHICH:
        raise Failed(f"--runs is {', '.join(WHICH)}.", ExitCode.USAGE)
    if said.fields and said.runs and said.action == "skip":
        raise Failed("--instance and --domain are of one scale set: name it.", ExitCode.USAGE)
    return asyncio.run(_said(said, where, Out(output)))


async def _said(said: Said, where: Where, out: Out) -> ExitCode:
    from handlers.cli import app_waves, saying  # noqa: PLC0415

    async with App.opened(where) as client:
        document = await app_waves.wave(client, said.wave)
        if said.scale_set:
            seen = app_waves.find(document["runs"], said.scale_set)
            name = app_waves.short_name(seen, document["runs"])
            checksum = _same_plan(said, seen)
            saying.of_run(out, said, seen, name)
            path = f"{app_waves.place(said.wave, seen)}/{said.action}"
        else:
            checksum = ""
            saying.of_wave(out, said, document)
            path = path_of("waves", said.wave, said.action)
        actor = _agreed(said, where, out)
        answer = await client.post(
            path,
            {
                **({"actor": actor} if actor else {}),
                **({"comment": said.reason} if said.reason else {}),
                **({"checksum": checksum} if checksum else {}),
                **({"runs": said.runs} if said.runs else {}),
                **said.fields,
            },
        )
    return _told(answer, where, out)


def _same_plan(said: Said, seen: Any) -> str:
    """The plan that the command is for: the one that is shown. Raises Failed where another one was meant."""
    known = str(seen["checksum"])
    if said.checksum and said.checksum != known:
        raise Failed(
            f"The plan is {known} by now, not {said.checksum}. Look at it again: "
            f"breakwater show {said.wave} {said.scale_set}"
        )
    return "" if said.action == "acknowledge" else known


def _agreed(said: Said, where: Where, out: Out) -> str:
    """Who says it, once it is agreed that it shall be said. Raises Failed, typer.Abort."""
    actor = said.actor or os.environ.get("BREAKWATER_ACTOR", "")
    if said.reason != "" and not said.reason.strip():
        raise Failed("--reason is empty: say why, or leave it out.", ExitCode.USAGE)
    asks = sys.stdin.isatty() and out.errors.is_terminal
    if not said.yes and not asks:
        raise Failed("Nothing was sent: there is no terminal to ask on. Add --yes.", ExitCode.USAGE)
    if not actor and not where.audience:
        if said.yes:
            raise Failed("Say who you are: --actor NAME, or set BREAKWATER_ACTOR.", ExitCode.USAGE)
        actor = typer.prompt("Your name, for the history", err=True)
    if not said.yes:
        typer.confirm(f"{said.called.capitalize()}?", default=False, abort=True, err=True)
    return actor


def _told(answer: Answer, where: Where, out: Out) -> ExitCode:
    if answer.status == 202 and isinstance(answer.body, dict):
        out.json(answer.body)
        out.say(f"Done. {answer.sentence}", "green")
        return ExitCode.DONE
    if answer.status in {400, 409} and answer.sentence:
        raise Failed(f"Refused, nothing was changed: {answer.sentence}")
    raise refused(answer, where)
