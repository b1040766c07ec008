"""Waves in seconds on real parts: the fleets, settings and waits that the journeys share."""

import base64
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue.aio import QueueServiceClient

from simulator.fleet import SUBSCRIPTION, Behaviour, Fleet, ScaleSet, Wave, Window
from simulator.oracle import accounted, violations
from simulator.rig import Rig
from tests.eventually import eventually

TRACKING_ID = "VM8T-1Q8"
GRACE = timedelta(seconds=3)
QUICK = Behaviour(
    reboot=timedelta(seconds=1), health_delay=timedelta(seconds=0.3), set_aside_after=timedelta(seconds=0.5)
)
ALWAYS = {"breakwater-self-service": "always"}
POLICY = """
defaults:
  lead: 1s
  soak: 1s
  recover-within: 20s
  max-unavailable: 50%
  tags-may-loosen: [self-service]
limits:
  scale-sets: 20
receivers:
  ops:
    teams: "{teams}"
    email: [ops@example.org]
    know: at once
"""
NEVER = "0 0 0 1 1 *"
SETTINGS = {
    "BREAKWATER_POLL_INTERVAL": "1",
    "BREAKWATER_GROUP_WAIT": "1",
    "BREAKWATER_SWEEP_SCHEDULE": NEVER,
}
SWEPT = {**SETTINGS, "BREAKWATER_SWEEP_SCHEDULE": "*/3 * * * * *"}
SETTLED = frozenset({"completed", "left_to_azure", "not_impacted", "cancelled", "missed"})


def fleet(*scale_sets: ScaleSet, opens_in: float = 0, lasts: float = 3600, **wave: Any) -> Fleet:
    """A fleet on the real clock, in a wave whose self-service window opens so many seconds from now."""
    made = Fleet(lambda: datetime.now(UTC))
    made.add(*scale_sets)
    first, later = windows(opens_in, lasts)
    made.plan(
        Wave(
            tracking_id=TRACKING_ID,
            subscriptions=(SUBSCRIPTION,),
            regions=("westeurope",),
            self_service=first,
            scheduled=later,
            **wave,
        )
    )
    return made


def windows(opens_in: float, lasts: float = 3600) -> tuple[Window, Window]:
    """Self-service from so many seconds from now, so many seconds long; scheduled a day later."""
    opens = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=opens_in)
    closes = opens + timedelta(seconds=lasts)
    return Window(opens, closes), Window(closes + timedelta(days=1), closes + timedelta(days=8))


async def alerted(rig: Rig, stage: Any = "Planned", **variations: Any) -> None:
    """Post the wave's alert as an action group does; it must be taken."""
    status, answer = await rig.post_alert(rig.fleet.alert(TRACKING_ID, stage, **variations))
    assert (status, answer["status"]) == (202, "accepted"), answer


async def shown(
    rig: Rig, condition: Callable[[dict[str, dict[str, Any]]], object], *, within: float, why: str
) -> dict[str, Any]:
    """The first report whose runs, by name, satisfy the condition."""

    async def look() -> dict[str, Any] | None:
        report = await rig.report(TRACKING_ID)
        runs = {run["name"]: run for run in report["runs"]}
        assert condition(runs), {name: f"{run['state']}: {run['reason']}" for name, run in runs.items()}
        return report

    return await eventually(look, within=within, every=0.3, why=why)


async def reaches(rig: Rig, within: float, **states: str | Iterable[str]) -> dict[str, Any]:
    """The first report in which every named run is in its state, or one of its states."""

    def there(runs: Mapping[str, Mapping[str, Any]]) -> bool:
        return all(
            name in runs and runs[name]["state"] in ({wanted} if isinstance(wanted, str) else set(wanted))
            for name, wanted in states.items()
        )

    return await shown(rig, there, within=within, why=f"the runs reach {states}")


def run_of(report: Mapping[str, Any], name: str) -> dict[str, Any]:
    return next(run for run in report["runs"] if run["name"] == name)


def kept(rig: Rig, report: Mapping[str, Any], **options: Any) -> None:
    """No promise was broken and nobody was forgotten."""
    assert violations(rig.fleet, grace=GRACE, **options) == []
    assert accounted(rig.fleet, report) == []


def started(fleet: Fleet) -> list[str]:
    """Every start Azure was asked for, as scale set/instance, in order."""
    return [f"{name(start.scale_set)}/{name(start.instance)}" for start in fleet.ledger.starts("customer")]


def name(arm_id: str) -> str:
    return arm_id.rsplit("/", 1)[-1]


def subject(mail: EmailMessage) -> str:
    return str(mail["subject"]).strip()


def text_of(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return part.get_content()


def html_of(mail: EmailMessage) -> str:
    part = mail.get_body(("html",))
    assert part is not None
    return part.get_content()


def words(text: str) -> str:
    """Text with its white space evened out: where a mail breaks its lines is no matter."""
    return re.sub(r"\s+", " ", text)


async def mail_about(rig: Rig, word: str, *, within: float = 15) -> EmailMessage:
    """The first mail whose subject has the word."""
    return await _mail(rig, word, subject, "its subject", within)


async def mail_saying(rig: Rig, sentence: str, *, within: float = 15) -> EmailMessage:
    """The first mail whose text has the sentence: news that come close together share a mail and its subject."""
    return await _mail(rig, sentence, lambda one: words(text_of(one)), "its text", within)


async def _mail(
    rig: Rig, said: str, part: Callable[[EmailMessage], str], where: str, within: float
) -> EmailMessage:
    def found() -> EmailMessage:
        come = rig.mail.messages
        assert any(said in part(one) for one in come), [subject(one) for one in come]
        return next(one for one in come if said in part(one))

    return await eventually(found, within=within, why=f"a mail says {said!r} in {where}")


async def health(rig: Rig) -> dict[str, Any]:
    async with rig.http.get(f"{rig.host.url}/api/health") as answer:
        assert answer.status == 200
        return await answer.json()


async def post(rig: Rig, run: Mapping[str, Any], action: str, **said: Any) -> tuple[int, dict[str, Any]]:
    """A person's word about a run, over HTTP; an approval is for the plan as it was read."""
    place = f"waves/{TRACKING_ID}/{run['subscription']}/{run['resource_group']}/{run['name']}/{action}"
    plan = {"checksum": run["checksum"]} if action == "approve" else {}
    body = {"actor": "ana@example.org", "comment": "as agreed", **plan, **said}
    async with rig.http.post(f"{rig.host.url}/api/{place}", json=body) as answer:
        return answer.status, await answer.json()


async def put(rig: Rig, queue: str, *texts: str | bytes, raw: bool = False) -> None:
    """Forge messages: base64 as the host expects it, or as they are."""
    async with QueueServiceClient.from_connection_string(rig.storage) as service:
        client = service.get_queue_client(queue)
        for one in texts:
            body = one.encode() if isinstance(one, str) else one
            content = body.decode() if raw else base64.b64encode(body).decode()
            try:
                await client.send_message(content)
            except ResourceNotFoundError:
                await client.create_queue()
                await client.send_message(content)
