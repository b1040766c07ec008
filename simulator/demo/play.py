"""The play: one alert in, the wave followed over HTTP to its end, and what there is to say about it."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp

from simulator.demo.fleet import ENDS, TRACKING_ID, UNTOUCHED, kind
from simulator.demo.people import Engineer, unopened, untold
from simulator.demo.platform import Platform, Struck
from simulator.demo.story import Event, Story
from simulator.demo.view import View
from simulator.fleet import Fleet
from simulator.lies import Lies
from simulator.lies.memory import LONGEST_LAG
from simulator.oracle import accounted, ended_early, violations
from simulator.rig import Rig

PATIENCE = 150  # seconds from the alert to the end of the wave; on two quiet cores it takes forty
PATIENCE_WITH_LIES = (
    300  # beyond the policy's `recover-within`: a machine that does not come back pauses its run
)
PATIENCE_ROUGH = 480  # the mail that asks for an approval may have died with its host: five minutes more
TOLD_WITHIN = 45  # seconds for the last messages; grouping holds them back for three
TOLD_WITHIN_ROUGH = 360
"""A message that was on its way when its host died goes again after five minutes, under its own id."""

IN_DOUBT = timedelta(seconds=20)
"""How long a start that nobody answered stays in doubt on a rough platform; half an hour in the app."""

LOOK_TO_START = timedelta(seconds=5)
PACE = 1 / 60  # a minute of Azure's is a second here
LOOK_WITHIN = 10  # seconds for one look at a host that may hang
WORDS = {"completed": "rebooted and healthy", "paused": "did not come back"}
ON_CALL = "ana@example.org"
SETTINGS = {
    "BREAKWATER_POLL_INTERVAL": "1",
    "BREAKWATER_GROUP_WAIT": "3",
    "BREAKWATER_SWEEP_SCHEDULE": "*/10 * * * * *",
    "BREAKWATER_LINK_KEY": secrets.token_hex(32),
}


class Play:
    """One wave over one rig; `problems` are sentences, none when everything went as promised."""

    def __init__(
        self, rig: Rig, view: View, lies: Lies | None = None, blows: tuple[Struck, ...] = ()
    ) -> None:
        self._rig, self._view, self._lies, self._blows = rig, view, lies or Lies(), blows
        self._story = Story(rig.fleet)
        self._engineer = Engineer(ON_CALL)
        self._approvals: list[str] = []
        self._began = time.monotonic()
        self.report: dict[str, Any] = {"tracking_id": TRACKING_ID, "runs": []}
        self.problems: list[str] = []

    async def perform(self) -> None:
        """From the alert until every run has settled and people know, or patience ends."""
        self._began = time.monotonic()
        status, answer = await self._rig.post_alert(self._rig.fleet.alert(TRACKING_ID))
        self._show(Event("action group", f"alert posted, answered {status}: {answer['reason']}"))
        patience = PATIENCE_WITH_LIES if self._lies.shares else PATIENCE
        patience = PATIENCE_ROUGH if self._blows else patience
        platform = Platform(self._rig.hosts, self._blows, lambda said: self._show(Event("platform", said)))
        async with asyncio.TaskGroup() as tasks:
            rough = tasks.create_task(platform.misbehave()) if self._blows else None
            await self._follow(
                patience, lambda: settled(self.report["runs"]) and (rough is None or rough.done())
            )
        if self._lies.shares:
            # How it ends is up to the lies; what was promised holds all the same.
            self.problems = [
                *broken(self._rig.fleet, self.report, LOOK_TO_START + LONGEST_LAG * PACE),
                *ended_early(self._rig.fleet, self.report),
            ]
            return
        self.problems = unlike(self.report["runs"])
        await self._follow(TOLD_WITHIN_ROUGH if self._blows else TOLD_WITHIN, lambda: not self._untold())
        self.problems += [f"Nobody was told by mail how {name} ended." for name in self._untold()]
        doubt = IN_DOUBT if self._blows else timedelta(0)
        self.problems += broken(self._rig.fleet, self.report, in_doubt=doubt)
        closed = await unopened(self._rig.mail.messages)
        self.problems += [f"A link in a mail does not open: {one}" for one in closed]

    async def _follow(self, seconds: float, until: Callable[[], bool]) -> None:
        deadline = time.monotonic() + seconds
        while True:
            if self._blows:
                await self._look_again()
            else:
                await self._look()
            if until() or time.monotonic() > deadline:
                return
            await asyncio.sleep(0.5)

    async def _look_again(self) -> None:
        """Look at a host that may be down or hang: whoever gets no answer asks again."""
        if self._rig.host.ready:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with asyncio.timeout(LOOK_WITHIN):
                    await self._look()

    async def _look(self) -> None:
        self.report = await self._rig.report(TRACKING_ID)
        mails = self._rig.mail.messages
        self._show(*self._story.next(self.report["runs"], mails, self._rig.teams.messages))
        self._approvals += self._engineer.read(mails)
        while self._approvals:
            said = await self._engineer.approve(self._approvals[0])
            self._approvals.pop(0)
            self._show(Event(self._engineer.name, said))

    def _show(self, *events: Event) -> None:
        self._view.show(time.monotonic() - self._began, self.report["runs"], events)

    def _untold(self) -> list[str]:
        ends = {name: WORDS[state] for name, state in ENDS.items() if state in WORDS}
        return untold(ends, self._rig.mail.messages)

    async def save(self, folder: Path) -> None:
        """The wave's page; mails and cards are saved as they arrive."""
        status, page = await self._rig.get(f"waves/{TRACKING_ID}")
        if status != 200:
            self.problems.append(f"The report's page answered {status}.")
        await asyncio.to_thread((folder / "report.html").write_text, page, encoding="utf-8")


def kinds(fleet: Fleet) -> dict[str, str]:
    """What sort of scale set each is, by name."""
    return {one.name: kind(one) for one in fleet.scale_sets()}


def settled(runs: Sequence[Mapping[str, Any]]) -> bool:
    """Whether nothing more is going to happen unless a person does something."""
    over = {*ENDS.values(), "cancelled", "missed"}
    return {run["name"] for run in runs} == set(ENDS) and all(run["state"] in over for run in runs)


def unlike(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Where the wave ended otherwise than the demo's story has it."""
    known = {str(run["name"]): run for run in runs}
    found = []
    for name, expected in ENDS.items():
        run = known.get(name)
        if run is None:
            found.append(f"{name} is not in the report at the end.")
        elif run["state"] != expected:
            found.append(f"{name} should be {expected} and is {run['state']}: {run['reason']}")
    return found


def broken(
    fleet: Fleet,
    report: Mapping[str, Any],
    grace: timedelta = LOOK_TO_START,
    in_doubt: timedelta = timedelta(0),
) -> list[str]:
    """Broken promises, judged from the fleet's ledger, and instances nobody accounts for."""
    most = {"web-prod": 2}
    return [
        *violations(fleet, blocked=UNTOUCHED, max_unavailable=most, grace=grace, in_doubt=in_doubt),
        *accounted(fleet, report),
    ]
