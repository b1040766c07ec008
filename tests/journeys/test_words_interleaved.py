"""Commands between starts, in any order: hosts die, messages are lost or come twice, and every answer holds."""

import json
import re
from collections import Counter
from datetime import timedelta
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.stages import respond
from handlers.wire.http import Request
from planner.policy.model import Limits
from planner.record.states import RunState
from simulator.fleet import SUBSCRIPTION
from tests.journeys.test_queue import ID, M, Queue, names
from tests.world.chaos import Chaos, Killed
from tests.world.world import START

SETS = names("set", 3)
ACTIONS = ("hold", "resume", "raise", "skip", "approve", "hold", "resume")
WORKED = timedelta(hours=8)
"""By then every set is through, where nobody holds it."""


class Spoken(Queue):
    """Everything that happens to a run in the order in which it happens: starts, and answers to commands."""

    def __init__(self, seed: int) -> None:
        dice = Random(seed)
        chaos = Chaos(seed, kill=0.004, storage=0.004, twice=0.1, hosts=6, processes=3)
        mode = {"mode": "approve"} if dice.random() < 0.3 else {}
        super().__init__(
            Limits(scale_sets=3),
            chaos=chaos,
            **mode,
            **{"max-unavailable": "50%", "soak": "5m", "lead": "5m"},
        )
        self.dice = dice
        self.broken: list[str] = []
        self.allowed: dict[str, set[str] | None] = dict.fromkeys(SETS)
        """For each run that is held, what its hold said may still go out; None while it is not held."""
        self.out: dict[str, set[str]] = {name: set() for name in SETS}
        """What was skipped, by run."""
        self.raised: dict[str, str] = {}
        self._watch_starts()

    def _watch_starts(self) -> None:
        start = self.compute.start

        async def starting(scale_set: Any, instance: str) -> Any:
            # Judged where the request leaves: what comes after the step is Azure's.
            allowed = self.allowed[scale_set.name]
            if allowed is not None and instance not in allowed:
                self.broken.append(f"{scale_set.name}/{instance} was started after an answered hold")
            if instance in self.out[scale_set.name]:
                self.broken.append(f"{scale_set.name}/{instance} was started after an answered skip")
            return await start(scale_set, instance)

        self.compute.start = starting

    async def give(self, name: str, action: str) -> None:
        """One command to a host of those there are; nobody repeats what was not answered."""
        run = self.run_of(name)
        said: dict[str, Any] = {"actor": "ana", "comment": "as agreed"}
        if action == "approve":
            said["checksum"] = run.people.checksum
        if action == "raise":
            said["soak"] = f"{self.dice.randint(6, 30)}m"
        if action == "skip":
            said["instances"] = [self.dice.choice(run.instances).id]
        if action == "resume":
            # From here on it may be taken, answered or not.
            self.allowed[name] = None
        target = run.target
        place = {"wave": ID, "subscription": SUBSCRIPTION, "group": target.resource_group, "name": name}
        request = Request("POST", {**place, "action": action}, body=json.dumps(said).encode())
        process = self._process()
        before = len(self.queues.waiting)
        try:
            answer = await respond.handle(request, process)
        except Killed:
            self._restarted(process)
            return
        if self.dice.random() < 0.5:
            # Its host dies with all that it had just sent, or taken.
            self.queues.waiting = self.queues.waiting[:before]
        if answer.status != 202:
            return
        body = json.loads(answer.body)
        self.accepted.append((name, body["id"], action, self.clock()))
        if action == "hold":
            found = re.search(r"may still go out: ([^.]*)\.", body["reason"])
            self.allowed[name] = set(found[1].split(", ")) if found else set()
        if action == "skip":
            self.out[name] |= set(said["instances"])
        if action == "raise":
            self.raised[name] = said["soak"]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32))
async def test_no_start_follows_an_answered_hold_and_no_answered_command_is_lost(seed: int) -> None:
    world = Spoken(seed)
    await world.announced(dict.fromkeys(SETS, "westeurope"), days=3)
    await world.until(when=lambda: len(world.runs()) == len(SETS))
    for _ in range(world.dice.randint(10, 40)):
        name, action = world.dice.choice(SETS), world.dice.choice(ACTIONS)
        when = world.clock() + world.dice.random() * timedelta(hours=4)
        world.at(when, lambda name=name, action=action: world.give(name, action))
    await world.until(START + WORKED)
    assert world.broken == []

    lines = Counter(
        (name, entry.id) for name, run in world.runs().items() for entry in run.story.history if entry.id
    )
    for name, command, action, _ in world.accepted:
        assert lines[name, command] == 1, (name, action)
    for name, run in world.runs().items():
        said = {command for of, command, _, _ in world.accepted if of == name}
        ours = [entry for entry in run.story.history if entry.id in said]
        assert not [entry for entry in ours if "Not applied" in entry.reason or "too late" in entry.reason]
        assert run.terms.raised.get("soak", "") == world.raised.get(name, run.terms.raised.get("soak", ""))
        if world.allowed[name] is not None and run.ended_at is None:
            assert run.state is RunState.PAUSED, name
    assert world.clock() >= START + M
