"""A command that was answered holds although the host that answered it is gone with every message it had."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any
from urllib.parse import urlencode

import pytest

from handlers.cli.app_client import Answer, App
from handlers.cli.main import main
from handlers.stages import link, report, respond, respond_wave
from handlers.wire.http import Request, Response
from planner.policy.model import Limits
from planner.record.states import InstanceState, RunState
from simulator.fleet import SUBSCRIPTION
from simulator.fleet.behaviour import Behaviour
from tests.handlers.linked import KEY, to
from tests.journeys.test_queue import DAY, ID, M, Queue, names
from tests.world.mailbox import Mailbox

ANA = {"actor": "ana", "comment": "as agreed"}
GROUP = "rg-breakwater"
H = timedelta(hours=1)

type Say = Callable[..., Awaitable[int]]


class Hosts(Queue):
    """Commands are given to one host, which dies with what it sent and took; another one goes on."""

    def __init__(self, *, sets: int = 3, limit: int = 3, **more: Any) -> None:
        super().__init__(Limits(scale_sets=limit), **more)
        key = type(self.settings.link_key)(KEY)
        self.settings = self.settings.model_copy(
            update={"link_key": key, "public_url": "https://app.example"}
        )
        self.wiring = self._new_wiring()
        self.names = names("set", sets)

    async def begin(self) -> None:
        """Announced and planned, until every one that may run at the same time does."""
        await self.announced(dict.fromkeys(self.names, "westeurope"))
        await self.until(when=lambda: len(self.running()) == min(3, len(self.names)))

    def running(self) -> list[str]:
        return [name for name, run in self.runs().items() if run.state is RunState.RUNNING]

    async def say_and_die(self, say: Say, name: str, action: str, **said: Any) -> None:
        """Give a command to the first host; what that one has sent meanwhile nobody sees again."""
        before = list(self.queues.waiting)
        assert await say(self, self._new_wiring(), name, action, **said) in {200, 202}
        self.queues.waiting = [one for one in self.queues.waiting if one in before]

    def starts(self) -> list[Any]:
        return list(self.fleet.ledger.starts("customer"))


async def by_api(world: Hosts, host: Any, name: str, action: str, **said: Any) -> int:
    place = {"wave": ID, "subscription": SUBSCRIPTION, "group": GROUP, "name": name, "action": action}
    answer = await respond.handle(Request("POST", place, body=json.dumps(ANA | said).encode()), host)
    return answer.status


async def for_the_wave(world: Hosts, host: Any, name: str, action: str, **said: Any) -> int:
    said.pop("checksum", None)
    body = json.dumps(ANA | {"runs": "all"} | said).encode()
    answer = await respond_wave.handle(Request("POST", {"wave": ID, "action": action}, body=body), host)
    return answer.status


async def by_link(world: Hosts, host: Any, name: str, action: str, **said: Any) -> int:
    """By the form behind a button of a mail or of a card in Teams: both open the same link."""
    checksum = said.pop("checksum", world.run_of(name).people.checksum)
    more = {key: ",".join(value) if isinstance(value, list) else value for key, value in said.items()}
    token = to(action, (ID, SUBSCRIPTION, GROUP, name), checksum, at=world.clock(), **more)
    form = {"content-type": "application/x-www-form-urlencoded"}
    request = Request("POST", {"token": token, "rest": ""}, {}, form, urlencode(ANA).encode())
    return (await link.handle(request, host)).status


async def by_command(world: Hosts, host: Any, name: str, action: str, **said: Any) -> int:
    """By the command line, whose requests reach the same host."""

    async def asked(self: App, method: str, path: str, body: bytes | None = None) -> Answer:
        place = dict(
            zip(("", "wave", "subscription", "group", "name", "action"), path.split("/"), strict=False)
        )
        del self, place[""]
        handle = respond.handle if method == "POST" else report.handle
        answer: Response = await handle(Request(method, place, body=body or b""), host)
        content = answer.body if isinstance(answer.body, bytes) else answer.body.encode()
        return Answer(answer.status, json.loads(content))

    typed = ["pass" if action == "let-pass" else action, ID, name, "--yes", "--actor", "ana"]
    for key, value in said.items():
        if key == "checksum":
            typed += ["--checksum", value]
        else:
            typed += [f"{key}={value}"] if isinstance(value, str) else [f"--instance={one}" for one in value]
    with pytest.MonkeyPatch.context() as shell:
        shell.setenv("BREAKWATER_PUBLIC_URL", "https://app.example")
        shell.setenv("BREAKWATER_KEY", "k" * 40)
        shell.setattr("handlers.cli.clock.now", world.clock)
        shell.setattr(App, "asked", asked)
        code = await asyncio.to_thread(main, typed)
    return 202 if code == 0 else code


@pytest.mark.parametrize("say", [by_api, by_link, by_command])
async def test_of_three_running_sets_none_starts_anything_after_their_hold_was_answered(say: Say) -> None:
    world = Hosts()
    await world.begin()
    for name in world.names:
        await world.say_and_die(say, name, "hold")
    begun = len(world.starts())
    await world.until(world.clock() + 2 * DAY)
    assert len(world.starts()) == begun >= 3, "each had begun, and none is through"
    assert {run.state for run in world.runs().values()} == {RunState.PAUSED}


async def test_a_hold_for_the_whole_wave_holds_each_of_its_running_sets() -> None:
    world = Hosts()
    await world.begin()
    await world.say_and_die(for_the_wave, "", "hold")
    begun = len(world.starts())
    await world.until(world.clock() + 2 * DAY)
    assert len(world.starts()) == begun >= 3
    assert {run.state for run in world.runs().values()} == {RunState.PAUSED}


@pytest.mark.parametrize("say", [by_api, by_link, by_command, for_the_wave])
async def test_a_resume_is_taken_up_by_another_host(say: Say) -> None:
    world = Hosts()
    await world.begin()
    for name in world.names:
        assert await world.say(name, "hold") == 202
    await world.until(world.clock() + 2 * H)
    for name in world.names if say is not for_the_wave else [""]:
        await world.say_and_die(say, name, "resume")
    await world.until(world.clock() + 3 * DAY, when=world.over)
    assert {run.state for run in world.runs().values()} == {RunState.COMPLETED}
    assert len(world.starts()) == 12


@pytest.mark.parametrize("say", [by_api, by_link, by_command])
async def test_an_approval_is_taken_up_by_another_host(say: Say) -> None:
    world = Hosts(mode="approve")
    await world.announced(dict.fromkeys(world.names, "westeurope"))
    await world.until(world.clock() + 10 * M)
    assert {run.state for run in world.runs().values()} == {RunState.AWAITING_APPROVAL}
    for name in world.names:
        await world.say_and_die(say, name, "approve", checksum=world.run_of(name).people.checksum)
    await world.until(world.clock() + 3 * DAY, when=world.over)
    assert {run.state for run in world.runs().values()} == {RunState.COMPLETED}


@pytest.mark.parametrize("say", [by_api, by_link, by_command])
async def test_what_was_skipped_is_started_by_nobody(say: Say) -> None:
    world = Hosts()
    await world.begin()
    left: dict[str, list[str]] = {}
    for name in world.names:
        batch = world.run_of(name).batches[1]
        left[name] = [one.id for one in batch.instances]
        await world.say_and_die(say, name, "skip", instances=left[name])
    await world.until(world.clock() + 3 * DAY, when=world.over)
    assert len(world.starts()) == 9, "three of four of each"
    for name, ids in left.items():
        states = {one.id: one.state for one in world.run_of(name).instances}
        assert {states[one] for one in ids} == {InstanceState.SKIPPED}


@pytest.mark.parametrize("say", [by_api, by_link, by_command, for_the_wave])
async def test_a_soak_that_was_raised_is_waited_for(say: Say) -> None:
    world = Hosts()
    await world.begin()
    for name in world.names if say is not for_the_wave else [""]:
        await world.say_and_die(say, name, "raise", soak="3h")
    await world.until(world.clock() + 3 * DAY, when=world.over)
    for name in world.names:
        began = [batch.started_at for batch in world.run_of(name).batches if batch.started_at]
        assert len(began) == 4
        assert all(after - before >= 3 * H for before, after in pairwise(began)), name


@pytest.mark.parametrize("say", [by_api, by_link, by_command])
async def test_a_paused_set_lets_others_pass(say: Say) -> None:
    world = Hosts(sets=2, limit=1)
    await world.announced(dict.fromkeys(world.names, "westeurope"))
    await world.until(when=lambda: len(world.running()) == 1)
    (held,) = world.running()
    assert await world.say(held, "hold") == 202
    await world.until(world.clock() + 2 * H)
    await world.say_and_die(say, held, "let-pass")
    await world.until(world.clock() + DAY)
    assert {name: run.state for name, run in world.runs().items()} == {
        name: RunState.PAUSED if name == held else RunState.COMPLETED for name in world.names
    }


@pytest.mark.parametrize("say", [by_api, by_link, by_command])
async def test_what_was_acknowledged_pages_nobody_any_more(say: Say) -> None:
    mailbox = Mailbox()
    world = Hosts(sets=1, mailbox=mailbox)
    await world.announced(dict.fromkeys(world.names, "westeurope"))
    (name,) = world.names
    for one in world.fleet.scale_set(name).instances.values():
        one.behaviour = Behaviour(health_finally="unhealthy")
    await world.until(when=lambda: world.run_of(name).alarmed is not None if world.runs() else False)
    await world.say_and_die(say, name, "acknowledge")
    await world.until(world.clock() + DAY)
    alarm = world.run_of(name).standing.alarm
    assert alarm is not None
    assert alarm.taken_by == "ana"
    assert world.run_of(name).ringing is None
