"""`breakwater doctor`: what keeps Breakwater from working, each with the command that mends it."""

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from handlers.cli import clock
from handlers.cli.app_client import App, Where
from handlers.cli.app_options import AppOption, AudienceOption, KeyFileOption, where_is
from handlers.cli.exits import ExitCode, Failed
from handlers.cli.output import Format, Out, OutputOption
from planner.text.phrases import many

if TYPE_CHECKING:
    from handlers.cli.checkup.finding import Finding
    from handlers.wire.settings import Settings
    from handlers.wiring import Wiring
    from planner.policy.model import Policy

EXAMPLE = "Example: breakwater doctor --app https://HOST --subscription ID --policy policy.yaml"

SubscriptionsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--subscription", metavar="ID", help="May be repeated; BREAKWATER_SUBSCRIPTIONS without it."
    ),
]
PrincipalOption = Annotated[
    str,
    typer.Option(
        "--principal",
        metavar="ID",
        help="The app's identity: look at its rights instead of yours; BREAKWATER_PRINCIPAL_ID without it.",
    ),
]
PolicyOption = Annotated[
    str, typer.Option("--policy", metavar="FILE", help="The policy file; BREAKWATER_POLICY without it.")
]
SendOption = Annotated[
    bool, typer.Option("--send-test", help="Send a labelled test through each channel of each receiver.")
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before tests are sent.")]


def doctor(
    subscription: SubscriptionsOption = None,
    principal: PrincipalOption = "",
    policy: PolicyOption = "",
    send_test: SendOption = False,
    yes: YesOption = False,
    app: AppOption = "",
    key_file: KeyFileOption = "",
    audience: AudienceOption = "",
    output: OutputOption = Format.TABLE,
) -> ExitCode:
    """Look at sign-in, rights, alert rules, the app, its storage, policy, receivers and clocks. Only reads.

    Ends with 0 when all is in order, 2 when there is something to mend, 3 when something could not be seen.
    """
    named = app or os.environ.get("BREAKWATER_PUBLIC_URL", "")
    where = where_is(app, key_file, audience) if named else None
    out = Out(output)
    identity = principal or os.environ.get("BREAKWATER_PRINCIPAL_ID", "")
    found = asyncio.run(_looked(subscription or [], identity, policy, where, out, send=send_test, yes=yes))
    found = [replace(each, remedies=tuple(_filled(text, where) for text in each.remedies)) for each in found]
    _print(out, found)
    return _code(found)


def _filled(remedy: str, where: Where | None) -> str:
    """The command with what is known of the app in place of what stands for it."""
    if where is None:
        return remedy
    name, _, zone = where.host.partition(".")
    named = remedy.replace("--name APP", f"--name {name}") if zone == "azurewebsites.net" else remedy
    return named.replace("https://APP", where.url).replace("https://HOST", where.url)


async def _looked(
    subscriptions: Sequence[str],
    principal: str,
    policy_path: str,
    where: Where | None,
    out: Out,
    *,
    send: bool,
    yes: bool,
) -> "list[Finding]":
    from handlers.cli.checkup import here, storage  # noqa: PLC0415
    from handlers.wiring import Wiring  # noqa: PLC0415

    found = [*here.versions()]
    settings, said = here.settings()
    found += said
    policy, told = here.policy(policy_path or (settings.policy if settings else ""))
    found += told
    if send:
        _agreed(policy, out, yes=yes)
    with out.progress("Looking") as doing:
        found += await _app(where, doing)
        wiring = Wiring(settings or _defaults(), clock.now)
        try:
            if settings is not None and here.storage_named(settings):
                doing.step("Looking at the storage")
                found += await storage.look(wiring)
            found += await _azure(subscriptions, principal, where, wiring, doing)
            if send:
                found += await _tests(policy, wiring)
        finally:
            await wiring.close()
    return found


async def _app(where: Where | None, doing: Any) -> "list[Finding]":
    from handlers.cli.checkup import deployed  # noqa: PLC0415
    from handlers.cli.checkup.finding import unread  # noqa: PLC0415

    if where is None:
        sentence = "No app is named: its health, queues and clock cannot be looked at."
        return [unread(deployed.AREA, sentence, "breakwater doctor --app https://HOST")]
    doing.step(f"Looking at {where.host}")
    try:
        async with App.opened(where) as client:
            return await deployed.look(client, clock.now())
    except Failed as failed:
        return [unread("sign-in", failed.sentence, "az login")]


async def _azure(
    subscriptions: Sequence[str], principal: str, where: Where | None, wiring: "Wiring", doing: Any
) -> "list[Finding]":
    from handlers.cli.checkup import azure  # noqa: PLC0415
    from handlers.cli.checkup.finding import unread, well, wrong  # noqa: PLC0415
    from handlers.cloud.arm import Arm  # noqa: PLC0415
    from handlers.cloud.errors import AzureTrouble  # noqa: PLC0415
    from handlers.cloud.read_only import ReadOnly  # noqa: PLC0415
    from handlers.wire.ids import checked_subscription  # noqa: PLC0415

    found: list[Finding] = []
    wanted = subscriptions or wiring.settings.subscriptions
    if not wanted:
        sentence = "No subscription is named: rights and alert rules cannot be looked at."
        return [unread("rights", sentence, "breakwater doctor --subscription ID")]
    for number, each in enumerate(wanted):
        try:
            subscription = checked_subscription(each)
        except ValueError as error:
            raise Failed(str(error), ExitCode.USAGE) from error
        doing.step(f"Looking at {subscription}")
        arm = Arm(
            subscription,
            lambda: wiring.credential,
            wiring.settings.management,
            clock.now,
            policies=[ReadOnly()],
        )
        try:
            if not number:
                await arm.ready()
                found.append(well("sign-in", f"You are signed in to {wiring.settings.arm_endpoint}."))
            found += await azure.look(arm, subscription, principal, where.host if where else "")
        except AzureTrouble as error:
            return [*found, wrong("sign-in", f"Azure does not let you in: {error.sentence}", "az login")]
        finally:
            await arm.close()
    return found


def _agreed(policy: "Policy | None", out: Out, *, yes: bool) -> None:
    """Ask before people are sent anything. Raises Failed, typer.Abort."""
    from handlers.cli.checkup.here import channels  # noqa: PLC0415

    if yes or policy is None or not policy.receivers:
        return
    if not (sys.stdin.isatty() and out.errors.is_terminal):
        raise Failed("Nothing was sent: there is no terminal to ask on. Add --yes.", ExitCode.USAGE)
    names = ", ".join(f"{each.name} ({', '.join(channels(each))})" for each in policy.receivers)
    typer.confirm(f"Send a labelled test to {names}?", default=False, abort=True, err=True)


async def _tests(policy: "Policy | None", wiring: "Wiring") -> "list[Finding]":
    from handlers.cli.checkup.sending import send_tests  # noqa: PLC0415

    if policy is None:
        return []
    who = os.environ.get("BREAKWATER_ACTOR", "")
    return [each async for each in send_tests(policy.receivers, wiring.channels, who, clock.now())]


def _print(out: Out, found: "Sequence[Finding]") -> None:
    from handlers.cli.checkup.finding import Verdict  # noqa: PLC0415

    out.json({"findings": [asdict(each) for each in found]})
    if out.format is Format.PLAIN:
        out.table((), [(each.verdict, each.area, each.sentence, " ; ".join(each.remedies)) for each in found])
        return
    wrong = [each for each in found if each.verdict is Verdict.FINDING]
    unread = [each for each in found if each.verdict is Verdict.UNREAD]
    right = [each for each in found if each.verdict is Verdict.WELL]
    out.say(
        f"{many(len(wrong), 'thing') if wrong else 'Nothing'} to mend, {len(unread)} could not be looked at, "
        f"{len(right)} in order.",
        "bold red" if wrong else "bold yellow" if unread else "bold green",
    )
    for title, some, style in (
        ("To mend", wrong, "bold red"),
        ("Could not be looked at", unread, "bold yellow"),
        ("In order", right, "bold green"),
    ):
        if not some:
            continue
        out.say("")
        out.say(title, style)
        for number, each in enumerate(some):
            out.say(f"{each.area}: {each.sentence}")
            if number + 1 < len(some) and some[number + 1].remedies == each.remedies:
                continue  # one command mends them all
            for remedy in each.remedies:
                out.typed(remedy)


def _code(found: "Sequence[Finding]") -> ExitCode:
    from handlers.cli.checkup.finding import Verdict  # noqa: PLC0415

    verdicts = {each.verdict for each in found}
    if Verdict.FINDING in verdicts:
        return ExitCode.LOOK
    return ExitCode.PARTLY if Verdict.UNREAD in verdicts else ExitCode.DONE


def _defaults() -> "Settings":
    """What a shell whose settings are wrong still has."""
    from handlers.wire.settings import Settings  # noqa: PLC0415

    return Settings.as_far_as_readable()
