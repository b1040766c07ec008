"""A rehearsal against the real stages over the simulated fleet: same starts, same order, same ends."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from benchmarks.rehearsal.host import Host
from benchmarks.rehearsal.scene import START, TRACKING_ID, Part, Scene
from handlers.cloud.names import RUNS_PREFIX
from handlers.stages import receive, respond
from handlers.wire.documents import decode
from handlers.wire.http import Request
from handlers.wire.run_lines import paging
from planner.azure.wave import Wave as Announced
from planner.notices.delivery import Delivery
from planner.notices.delivery_steps import LOG
from planner.policy.model import Limits, Policy, Receiver
from planner.record.batch import Batch
from planner.record.notice import Kind
from planner.record.run import Entry, Run
from planner.record.states import RunState
from planner.rehearsal import trouble as fates
from planner.rehearsal.part import Snapshot
from planner.rehearsal.play import play
from planner.rehearsal.story import Story
from planner.rehearsal.trouble import HOUR, Span, Trouble
from simulator.fleet import Fleet
from simulator.fleet.behaviour import Behaviour
from simulator.fleet.build import SUBSCRIPTION, Traits, flexible, uniform
from simulator.fleet.clock import VirtualClock
from simulator.fleet.model import ScaleSet
from simulator.fleet.waves import Wave, Window

SEED, DAYS = 7, 9
REGIONS = ("westeurope", "northeurope")
TROUBLE = Trouble(
    slow=0.1,
    approves=Span(3 * HOUR, 9 * HOUR),
    resumes=Span(2 * HOUR, 5 * HOUR),
    acknowledges=Span(HOUR, 2 * HOUR),
)
POLICY = Policy(
    {"self-service": "always", "soak": "20m", "lead": "12h"},
    limits=Limits(regions=1, scale_sets=2),
    receivers=(
        Receiver("ops", email=("ops@example.org",), escalate_to="chief"),
        Receiver("chief", email=("chief@example.org",)),
    ),
)


def sets() -> list[ScaleSet]:
    def where(region: str, **tags: str) -> Traits:
        named = {f"breakwater-{key.replace('_', '-')}": value for key, value in tags.items()}
        return {"subscription": SUBSCRIPTION, "resource_group": "rg", "location": region, "tags": named}

    return [
        uniform("alone", 4, update_domains=1, **where(REGIONS[0])),
        uniform("asks", 4, update_domains=2, **where(REGIONS[0], mode="approve")),
        uniform("broken", 6, update_domains=3, **where(REGIONS[0])),
        flexible("flexible", 3, **where(REGIONS[1])),
        uniform("follows", 4, update_domains=2, **where(REGIONS[0], after="alone")),
        uniform(
            "nightly", 6, update_domains=3, **where(REGIONS[1], windows="daily 22:00-23:30 Europe/Berlin")
        ),
        uniform("silent", 4, update_domains=2, health="none", **where(REGIONS[1])),
    ]


class People:
    """Answers when the people of the rehearsal do, and what they do."""

    def __init__(self, host: Host, trouble: Trouble) -> None:
        self._host, self._trouble = host, trouble
        self._asked: set[str] = set()
        self._questions: dict[str, int] = {}
        self._paged: set[tuple[str, int]] = set()

    def written(self, path: str, metadata: Any) -> None:
        name = metadata["name"]
        key = next(
            one.id.lower() for one in self._host.scene.fleet.world.scale_sets.values() if one.name == name
        )
        page = paging(metadata)
        if page is not None and (path, page[0]) not in self._paged:
            self._paged.add((path, page[0]))
            wait = fates.acknowledged(self._trouble, SEED, key, page[0])
            if wait is not None:
                self._host.at(self._host.clock() + wait, lambda: self._take(path))
        if metadata.get("needs_person") != "true" or path in self._asked:
            return
        self._asked.add(path)
        state, number = metadata["state"], self._questions.get(path, 0)
        self._questions[path] = number + 1
        span = self._trouble.approves if state == RunState.AWAITING_APPROVAL else self._trouble.resumes
        wait = fates.answer(self._trouble, span, SEED, key, number)
        assert wait is not None
        self._host.at(self._host.clock() + wait, lambda: self._answer(path))

    async def _take(self, path: str) -> None:
        stored = await self._host.wiring.runs.read(path)
        assert stored is not None
        if stored.run.ringing is not None:
            await self._say(stored.run, "acknowledge")

    async def _answer(self, path: str) -> None:
        self._asked.discard(path)
        stored = await self._host.wiring.runs.read(path)
        assert stored is not None
        run = stored.run
        if run.state is RunState.AWAITING_APPROVAL:
            await self._say(run, "approve", checksum=run.people.checksum)
        elif run.needs_person:
            fleet = self._host.scene.fleet
            for one in list(fleet.scale_set(run.target.id).instances.values()):
                if one.health == "unhealthy":
                    fleet.people.set_health(one, "healthy")
            await self._say(run, "resume")

    async def _say(self, run: Run, kind: str, **said: object) -> None:
        place = {
            "wave": TRACKING_ID,
            "subscription": run.target.subscription,
            "group": run.target.resource_group,
        }
        body = json.dumps({"actor": "somebody", **said}).encode()
        request = Request("POST", {**place, "name": run.target.name, "action": kind}, body=body)
        assert (await respond.handle(request, self._host.wiring)).status == 202


@dataclass
class Deployed:
    runs: dict[str, Run]
    starts: list[tuple[datetime, str, str]]
    fleet: list[Snapshot]
    waves: list[Announced]
    told: dict[str, Delivery]


async def deployed(trouble: Trouble, policy: Policy) -> Deployed:
    """The wave by the real stages, with the fates that the rehearsal draws for each instance."""
    clock = VirtualClock(START)
    fleet, parts = Fleet(clock), dict[str, Part]()
    for one in sets():
        for each in one.instances.values():
            drawn = fates.fate(
                trouble, SEED, one.id.lower(), each.instance_id if one.mode == "Uniform" else each.name
            )
            each.behaviour = Behaviour(
                reboot=drawn.reboot,
                health_delay=drawn.boot,
                health_finally="unhealthy" if drawn.lost else "healthy",
            )
        fleet.add(one)
        parts[one.name] = Part(one, as_learned=True, windows=False, approvals=False)
    opens = START - timedelta(hours=1)
    closes = opens + timedelta(days=8)
    fleet.plan(
        Wave(
            tracking_id=TRACKING_ID,
            subscriptions=(SUBSCRIPTION,),
            regions=REGIONS,
            self_service=Window(opens, closes),
            scheduled=Window(closes + timedelta(days=20), closes + timedelta(days=29)),
        )
    )
    host = Host(Scene(clock, fleet, policy, parts), SEED, pace=timedelta(0))
    host.people = People(host, trouble)  # type: ignore[assignment]
    compute = host.wiring.compute(SUBSCRIPTION)
    seen = [
        Snapshot(one, tuple(await compute.instances(one)))
        async for page, _ in compute.scale_sets()
        for one in page
    ]
    alert = host.scene.fleet.alert(TRACKING_ID, subscription=SUBSCRIPTION)
    assert (await receive.handle(Request("POST", body=json.dumps(alert).encode()), host.wiring)).status == 202
    await host.until(START + timedelta(days=DAYS))
    assert not host.failed, host.failed
    runs = {
        (run := decode(Run, stored.body)).target.name: run
        for path, (stored, _) in host.records.documents.items()
        if path.startswith(RUNS_PREFIX)
    }
    starts = [
        (one.at, one.scale_set.rsplit("/", 1)[-1], one.instance.rsplit("/", 1)[-1])
        for one in fleet.ledger.starts("customer")
    ]
    known = await host.wiring.waves.of(TRACKING_ID)
    told = [delivery async for delivery, _ in host.wiring.deliveries.of_wave(TRACKING_ID)]
    return Deployed(runs, starts, seen, list(known), {each.receiver: each for each in told})


def rehearsed(found: Deployed, trouble: Trouble, policy: Policy) -> Story:
    waves = [replace(wave, roster=(), evidence=None) for wave in found.waves]
    return play(found.fleet, waves, policy, trouble, SEED, START, until=START + timedelta(days=DAYS))


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[Deployed, Story]]:
    broken = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachineScaleSets/broken"
    trouble = replace(TROUBLE, lost_ones=frozenset({(broken, "1")}))
    found = asyncio.run(deployed(trouble, POLICY))
    yield found, rehearsed(found, trouble, POLICY)


def test_the_same_instances_start_at_the_same_moments_in_the_same_order(both: tuple[Deployed, Story]) -> None:
    found, story = both
    rehearsed_starts = sorted(
        (each.intent_at, one.run.target.name, each.id)
        for one in story.played
        for each in one.run.instances
        if each.intent_at is not None
    )
    assert rehearsed_starts == sorted(found.starts)
    assert len(found.starts) == sum(len(one.instances) for one in found.fleet)


def test_every_batch_and_every_run_ends_at_the_same_moment(both: tuple[Deployed, Story]) -> None:
    found, story = both
    for one in story.played:
        theirs = found.runs[one.run.target.name]
        assert [_without_address(batch) for batch in one.run.batches] == [
            _without_address(batch) for batch in theirs.batches
        ]
        assert (one.run.state, one.run.ended_at) == (theirs.state, theirs.ended_at)


def _without_address(batch: Batch) -> Batch:
    """Where Azure keeps an operation is its own business."""
    return batch.each(lambda instance: replace(instance, operation=""))


def test_people_are_told_the_same_at_the_same_moments_and_the_history_reads_the_same(
    both: tuple[Deployed, Story],
) -> None:
    found, story = both
    for one in story.played:
        theirs = found.runs[one.run.target.name].story
        assert tuple(told.notice for told in one.told) == theirs.notices
        assert [_read(entry) for entry in one.run.story.history] == [_read(entry) for entry in theirs.history]


def _read(entry: Entry) -> tuple[object, ...]:
    """What people read of a line; ids of commands are nobody's to choose."""
    return entry.at, entry.actor, entry.event, entry.reason, entry.instances


def test_every_message_comes_at_the_same_moment_to_the_same_receiver(both: tuple[Deployed, Story]) -> None:
    found, story = both
    assert set(found.told) == {message.receiver for message in story.messages}
    for receiver, delivery in found.told.items():
        sent = [message.at for message in delivery.messages]
        assert 0 < len(sent) < LOG, "the record remembers only so many"
        assert [each.at for each in story.messages if each.receiver == receiver] == sent


def test_a_page_that_nobody_takes_comes_again_and_goes_to_whom_it_escalates(
    both: tuple[Deployed, Story],
) -> None:
    _, story = both
    again = [message for message in story.messages if any(item.again for item in message.items)]
    assert {message.receiver for message in again} == {"ops", "chief"}


def test_the_wave_that_is_compared_has_what_it_is_meant_to_show(both: tuple[Deployed, Story]) -> None:
    """Guards the other tests: something waits for limits, is approved, fails and is resumed, waits for a night."""
    found, story = both
    kinds = {told.notice.kind for told in story.told}
    assert {Kind.APPROVAL, Kind.STALLED, Kind.PAUSED, Kind.RESUMED, Kind.STARTING, Kind.COMPLETED} <= kinds
    nights = {batch.started_at.date() for batch in found.runs["nightly"].batches if batch.started_at}
    assert len(nights) == 2
