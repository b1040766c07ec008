"""People as runs meet them: who is asked answers hours later, and repairs first what is ill."""

import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from random import Random

from benchmarks.rehearsal.scene import TRACKING_ID, Scene
from benchmarks.rehearsal.storage import STAGE, SUBJECT
from handlers.repository.runs import StoredRun
from handlers.stages import respond
from handlers.wire.http import Request
from handlers.wiring import Wiring
from planner.record.run import Run
from planner.record.states import RunState

HOUR = timedelta(hours=1)
FIRST, LAST = 2, 16
"""Hours until somebody answers, at least and at most."""

type Later = Callable[[datetime, Callable[[], Awaitable[None]]], None]


class People:
    """Told of every write of a run; whoever is asked by it acts once, `later`, until nothing is asked."""

    def __init__(self, scene: Scene, seed: int, later: Later) -> None:
        self.words: Counter[tuple[str, str]] = Counter()
        self.turned_down: Counter[tuple[str, str]] = Counter()
        self._scene, self._later = scene, later
        self._random = Random(f"people {seed}")
        self._asked: set[str] = set()
        self.wiring: Wiring

    def written(self, path: str, metadata: Mapping[str, str]) -> None:
        if metadata.get("needs_person") == "true" and path not in self._asked:
            self._asked.add(path)
            self._answer_later(path)

    def _answer_later(self, path: str) -> None:
        wait = HOUR * self._random.uniform(FIRST, LAST)

        async def answer() -> None:
            stored = await self.wiring.runs.read(path)
            if stored is not None and stored.run.needs_person:
                await self._answer(stored)
                self._answer_later(path)
            else:
                self._asked.discard(path)

        self._later(self._scene.clock() + wait, answer)

    async def _answer(self, stored: StoredRun) -> None:
        run = stored.run
        if run.state is RunState.AWAITING_APPROVAL:
            await self._say(run, "approve", checksum=run.people.checksum)
            return
        part = self._scene.parts[run.target.name]
        failed = part.sick if run.begun and part.sick else ""
        choice = self._random.choice(("resume", "resume", "skip", "let-pass")) if failed else "resume"
        if choice == "let-pass":
            # The others go first; whoever looks again repairs it.
            await self._say(run, "let-pass")
            if self._random.random() < 0.5:
                return
        if failed:
            self._repair(part.sick, run)
        if choice == "skip":
            await self._say(run, "skip", instances=[failed])
        await self._say(run, "resume")

    def _repair(self, instance: str, run: Run) -> None:
        fleet = self._scene.fleet
        found = fleet.instance(run.target.id, instance)
        if found.trouble():
            fleet.people.set_health(found, "healthy")

    async def _say(self, run: Run, kind: str, **said: object) -> None:
        target = run.target
        place = {"wave": TRACKING_ID, "subscription": target.subscription, "group": target.resource_group}
        body = json.dumps({"actor": "ana", "comment": "as agreed", **said}).encode()
        STAGE.set("respond")
        SUBJECT.set(target.name)
        answer = await respond.handle(
            Request("POST", {**place, "name": target.name, "action": kind}, body=body), self.wiring
        )
        (self.words if answer.status == 202 else self.turned_down)[target.name, kind] += 1
