"""A wave that waits for approval, and the links that lead to it: made, opened and sent as people do."""

import re
from contextlib import asynccontextmanager
from urllib.parse import urlencode

from handlers.cloud.names import run_path, wave_path
from handlers.stages import link as stage
from handlers.wire import link_token
from handlers.wire.documents import decode, encode, wave_metadata
from handlers.wire.http import Request
from handlers.wire.ids import RUNS
from handlers.wire.link_token import Link
from planner.azure.wave import Announcement, Member, Stage, Wave
from planner.policy.model import Mode
from planner.record.batch import Batch
from planner.record.instance import InstanceProgress
from planner.record.run import Run
from planner.record.states import RunState
from tests.handlers.parts import NOW, SUBSCRIPTION, Clock, TestWiring, put, run, scale_set

KEY, OLDER = "k" * 32, "o" * 32
WAVE = "VM12-3AB"
PLACE = (WAVE, SUBSCRIPTION, "Prod-RG", "web")
PATH = run_path(SUBSCRIPTION, "Prod-RG", "web")
ASKING = {"state": RunState.AWAITING_APPROVAL, "mode": Mode.APPROVE}
TIMED = (Batch(1, "domain 0", (InstanceProgress("0"), InstanceProgress("1")), not_before=NOW),)
ADA = {"actor": "Ada L.", "comment": "Looks right."}


@asynccontextmanager
async def linked(storage):
    """An app that signs links with its newer key, with one run that asks for approval and one that does not."""
    made = TestWiring(storage, Clock(), link_key=f"{KEY} {OLDER}", public_url="https://app.example")
    await announce(made)
    await put(made, run("web", **ASKING))
    await put(made, run("db"))
    yield made
    await made.close()


async def announce(wiring, stage=Stage.PLANNED):
    heard = Announcement(WAVE, SUBSCRIPTION, "1", stage, "a", NOW, NOW, NOW, title="Reboots")
    wave = Wave(WAVE, SUBSCRIPTION, (heard,), (Member(scale_set("web")), Member(scale_set("db"))))
    path = wave_path(WAVE, SUBSCRIPTION)
    stored = await wiring.records.read(path)
    await wiring.records.write(path, encode(wave), etag=stored and stored.etag, metadata=wave_metadata(wave))


def to(action="view", place=PLACE, checksum="c0ffee", key=KEY, receiver="ops", at=NOW, **more):
    link = Link(
        place,
        receiver,
        link_token.expiry(action, at),
        action,
        checksum if action not in {"view", "feed"} else "",
        more,
    )
    return link_token.signed(link, (key,))


async def open_(wiring, token, rest="", method="GET", form=None, **headers):
    body = urlencode(form).encode() if form is not None else b""
    headers = {"content-type": "application/x-www-form-urlencoded", **headers}
    return await stage.handle(Request(method, {"token": token, "rest": rest}, {}, headers, body), wiring)


async def send(wiring, token, form=ADA, **headers):
    return await open_(wiring, token, method="POST", form=form, **headers)


async def recorded(wiring, path=PATH):
    return decode(Run, (await wiring.records.read(path)).body)


async def unchanged(wiring, path=PATH):
    one = await recorded(wiring, path)
    return (
        not one.people.events
        and not one.people.approved
        and not one.story.history
        and not wiring.spy.of(RUNS)
    )


def says(answer):
    return re.sub(
        r"\s+",
        " ",
        re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", str(answer.body), flags=re.DOTALL)),
    )


def hrefs(answer):
    found = re.findall(r'href="([^"]+)"', str(answer.body))
    return [
        address for address in found if not address.startswith(("#", "https://portal.", "https://app.azure."))
    ]


def behind(address):
    token, _, rest = address.removeprefix("https://app.example/api/links/").partition("/")
    return token, rest.partition("?")[0]
