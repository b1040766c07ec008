"""What the deployed app says of itself: whether it answers, what waits, what is stuck, its clock."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from handlers.cli.app_client import Answer, App, refused
from handlers.cli.checkup.finding import Finding, unread, well, wrong
from handlers.cli.exits import Failed
from planner.text.phrases import long, many, say_how_far

AREA = "app"
SWEPT_WITHIN = timedelta(minutes=20)
"""The sweep runs every five minutes unless BREAKWATER_SWEEP_SCHEDULE says otherwise."""

SKEW = timedelta(minutes=2)
"""Clocks that differ by more: windows are judged by the app's clock, tokens by everybody's."""


async def look(app: App, now: datetime) -> list[Finding]:
    """Health, and whether the key or the sign-in is taken. `now` is this machine's, aware UTC."""
    host = app.where.host
    try:
        health = await app.asked("GET", "health")
    except Failed as failed:
        return [
            wrong(
                AREA, failed.sentence, "az functionapp show --resource-group GROUP --name APP --query state"
            )
        ]
    found = [*skew(host, health.date, now)]
    if health.status == 200 and isinstance(health.body, dict):
        found += judged(health.body, host, now)
    elif health.status == 503 and health.sentence:
        found.append(
            wrong(
                "storage",
                f"{host} cannot use its storage: {health.sentence}",
                "az functionapp identity show --resource-group GROUP --name APP",
                "az role assignment list --assignee PRINCIPAL-ID --all --output table",
            )
        )
    else:
        found.append(wrong(AREA, refused(health, app.where).sentence))
    return [*found, *await _let_in(app)]


def judged(health: dict[str, Any], host: str, now: datetime) -> Iterator[Finding]:
    """What `/api/health` says, and what to do about it."""
    yield well(AREA, f"{host} answers.")
    if health.get("policy_problem"):
        yield wrong("policy", str(health["policy_problem"]), "breakwater policy check policy.yaml")
    elif health.get("stopped"):
        yield wrong(
            AREA,
            f"Nothing new starts. {health.get('stopped_by') or ''}".strip(),
            "az functionapp config appsettings set --resource-group GROUP --name APP "
            "--settings BREAKWATER_STOP=0",
        )
    yield from _sweep(health.get("last_sweep"), now)
    queues = health.get("queues")
    yield from _queues(queues if isinstance(queues, dict) else {})
    if kept := int(health.get("quarantine") or 0):
        yield wrong(
            "quarantine",
            f"{many(kept, 'item')} in quarantine: each failed five times, and nothing comes of it "
            "until it is replayed.",
            "az storage blob list --account-name ACCOUNT --container-name breakwater --prefix quarantine/ "
            "--auth-mode login --query '[].name' --output tsv",
            "breakwater replay quarantine/DATE/NAME.json",
        )
    else:
        yield well("quarantine", "Nothing is in quarantine.")


def skew(host: str, date: str, now: datetime) -> Iterator[Finding]:
    """How far a clock is from this machine's, by a Date header (whole seconds)."""
    try:
        there = parsedate_to_datetime(date)
    except ValueError:
        return
    apart = abs(there - now)
    if apart > SKEW:
        yield wrong(
            "clock",
            f"The clocks of {host} and of this machine are {long(apart)} apart: set this one right.",
            "timedatectl set-ntp true",
        )
    else:
        yield well("clock", f"The clocks of {host} and of this machine agree.")


def _sweep(swept: Any, now: datetime) -> Iterator[Finding]:
    try:
        at = datetime.fromisoformat(str(swept))
    except ValueError:
        at = None
    if at is not None and now - at <= SWEPT_WITHIN:
        yield well("sweep", f"The sweep last ran {say_how_far(at, now)}.")
        return
    when = f"last ran {say_how_far(at, now)}" if at is not None else "has never run"
    yield wrong(
        "sweep",
        f"The sweep {when}: what a queue loses is not sent again, and waves without an alert are not found.",
        "az functionapp restart --resource-group GROUP --name APP",
    )


def _queues(depths: dict[str, Any]) -> Iterator[Finding]:
    poisoned = {name: number for name, number in depths.items() if name.endswith("-poison") and number}
    waiting = ", ".join(f"{name} {number}" for name, number in depths.items() if not name.endswith("-poison"))
    yield well("queues", f"Messages that wait or are not due yet: {waiting}.")
    for name, number in poisoned.items():
        yield wrong(
            "queues",
            f"{many(int(number), 'message')} in {name}: "
            f"`bury` has not taken {'it' if int(number) == 1 else 'them'} to the quarantine.",
            f"az storage message peek --queue-name {name} --account-name ACCOUNT --auth-mode login",
            "az functionapp restart --resource-group GROUP --name APP",
        )


async def _let_in(app: App) -> list[Finding]:
    """Whether the key or the sign-in opens more than health."""
    try:
        answer = await app.asked("GET", "waves.json")
    except Failed as failed:
        return [unread("key", failed.sentence)]
    if answer.status == 200:
        return [well("key", f"{app.where.host} lets you in.")]
    return [_shut(answer, app)]


def _shut(answer: Answer, app: App) -> Finding:
    keys = "az functionapp keys list --resource-group GROUP --name APP"
    host = app.where.host
    if answer.status == 401 and app.where.key:
        return wrong("key", f"{host} refused the key.", keys)
    if answer.status == 401 and not app.where.audience:
        return unread("key", f"{host} asks for a key, and none is set.", keys, "export BREAKWATER_KEY=...")
    return wrong("key", refused(answer, app.where).sentence)
