"""The app's processes die at any moment, or there are two of them: the same promises, nothing twice."""

import asyncio
import random
from collections import Counter
from typing import Any

import pytest

from handlers.cloud.names import RUNS_PREFIX, delivery_prefix
from handlers.cloud.records import Records
from handlers.wire.documents import decode
from handlers.wire.settings import Settings
from planner.notices.delivery import ChannelState, Delivery
from simulator.fleet import Fleet, flexible, uniform
from simulator.rig import Rig
from tests.eventually import eventually
from tests.journeys.play import (
    ALWAYS,
    POLICY,
    QUICK,
    SWEPT,
    TRACKING_ID,
    alerted,
    fleet,
    health,
    kept,
    mail_saying,
    reaches,
    started,
)


def _fleet() -> Fleet:
    return fleet(
        uniform("web", 4, update_domains=2, behaviour=QUICK, tags=ALWAYS),
        flexible("api", 2, zones=("1", "2"), behaviour=QUICK, tags=ALWAYS),
        uniform("calm", 2, behaviour=QUICK),
    )


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_host_killed_again_and_again_finishes_the_wave_without_starting_anything_twice(
    storage: str, seed: int
) -> None:
    dice = random.Random(seed)
    azure = _fleet()
    # A host that dies between an intent and its start leaves it in doubt: nobody waits half an hour here.
    settings = {**SWEPT, "BREAKWATER_IN_DOUBT": "10"}
    async with Rig(azure, storage=storage, policy=POLICY, settings=settings, lock_seconds=2) as rig:
        await alerted(rig)
        for _ in range(5):
            await asyncio.sleep(dice.uniform(0.5, 3))
            await rig.host.kill()
            await rig.host.start()
            await rig.host.wait_ready()
        report = await reaches(rig, 60, web="completed", api="completed", calm="left_to_azure")
        await eventually(lambda: _nothing_lost(rig), within=20, why="every notice is told or on its way")
        quarantine = (await health(rig))["quarantine"]
    kept(rig, report, blocked=("calm",))
    assert Counter(started(azure)) == _each_once(azure)
    assert quarantine == 0
    _once_each(rig)


async def test_two_hosts_on_one_storage_do_everything_once(storage: str) -> None:
    azure = _fleet()
    async with Rig(azure, storage=storage, policy=POLICY, settings=SWEPT, hosts=2) as rig:
        first, second = rig.hosts
        body = azure.alert(TRACKING_ID)

        async def post(url: str) -> tuple[int, str]:
            async with rig.http.post(f"{url}/api/alerts", json=body) as answer:
                return answer.status, (await answer.json())["status"]

        answers = await asyncio.gather(*(post(host.url) for host in (first, second, first, second)))
        assert sorted(answers) == [(200, "duplicate")] * 3 + [(202, "accepted")]
        report = await reaches(rig, 40, web="completed", api="completed", calm="left_to_azure")
        await _told(rig)
        quarantine = (await health(rig))["quarantine"]
        logs = first.log + second.log
    kept(rig, report, blocked=("calm",))
    assert Counter(started(azure)) == _each_once(azure)
    assert quarantine == 0
    assert "Traceback" not in logs
    _once_each(rig)


def _each_once(azure: Fleet) -> Counter[str]:
    names = [f"web/{number}" for number in range(4)]
    return Counter([*names, *(f"api/{one.name}" for one in azure.scale_set("api").instances.values())])


async def _told(rig: Rig) -> None:
    """Both scale sets' ends have been told, by mail and to Teams."""
    # News that come close together share a mail and its subject: what is announced is asked for by its words.
    await mail_saying(rig, "obody declared a need", within=30)
    for name in ("web", "api"):
        await rig.mail.wait_for(lambda mails, name=name: any(_ends(mail, name) for mail in mails), 120)
    await rig.teams.wait_for(lambda cards: len(cards) >= len(rig.mail.messages), 120)


def _ends(mail: Any, name: str) -> bool:
    said = mail.get_body(("plain",)).get_content()
    return any(name in line and "rebooted and healthy" in line for line in said.splitlines())


async def _nothing_lost(rig: Rig) -> bool:
    """Each channel was told all there is, or its message is on its way.

    What died between claiming a message and recording it sent goes again under its id after five minutes,
    which is longer than a test.
    """
    records = Records.from_settings(Settings(AzureWebJobsStorage=rig.storage))
    try:
        last = {
            one.path: int(one.metadata["last_notice"])
            for one in await records.list(RUNS_PREFIX)
            if int(one.metadata["last_notice"])
        }
        channels: list[ChannelState] = []
        for one in await records.list(delivery_prefix(TRACKING_ID)):
            stored = await records.read(one.path)
            assert stored is not None
            channels += decode(Delivery, stored.body).channels.values()
    finally:
        await records.close()
    assert len(channels) == 2, "mail and Teams"
    for state in channels:
        owed = {run: number for run, number in last.items() if state.told.get(run, 0) < number}
        assert not owed or state.sending is not None, owed
    return True


def _once_each(rig: Rig) -> None:
    """Each message id once: mails carry it as such, cards are compared as they are."""
    ids = Counter(str(mail["message-id"]) for mail in rig.mail.messages)
    assert [one for one, times in ids.items() if times > 1] == []
    cards = Counter(str(post.body) for post in rig.teams.messages)
    assert [one for one, times in cards.items() if times > 1] == []
