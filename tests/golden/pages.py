"""Pages and calendars of the recorded waves, as the app gives them out at a recorded moment."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial

from handlers.delivery import calendars
from handlers.pages import acting
from handlers.pages.report import shown
from handlers.render.contract import in_order
from handlers.wire.documents import decode
from handlers.wire.http import Request
from handlers.wire.link_token import Link
from handlers.wiring import Wiring
from planner.azure.wave import Wave
from planner.record.command import CommandKind
from planner.record.run import Run
from tests.golden.recorded import Moment, moments
from tests.golden.replayed import ADDRESSES, ON_PAGE, opened
from tests.golden.scenes import IN_WAVES
from tests.golden.strange import GROUP, STRANGE
from tests.golden.waves import TRACKING_ID

WAVE = {"wave": TRACKING_ID}
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"


def at(name: str) -> Moment:
    return moments(IN_WAVES[name])[name]


def _shown(wiring: Wiring, place: Mapping[str, str]) -> str:
    answer = asyncio.run(shown(place, {}, wiring, ON_PAGE))
    assert answer.status == 200, answer.body
    return answer.body if isinstance(answer.body, str) else answer.body.decode()


def of_wave(name: str) -> str:
    return _shown(opened(at(name)), WAVE)


def of_run(name: str, scale_set: str, group: str = "shop") -> str:
    return _shown(opened(at(name)), {**WAVE, "subscription": SUBSCRIPTION, "group": group, "name": scale_set})


def runs_at(name: str) -> list[Run]:
    """The runs on record at that moment, in the order of a report."""
    found = opened(at(name)).records
    stored = [asyncio.run(found.read(line.path)) for line in asyncio.run(found.list("runs/"))]
    return in_order([decode(Run, each.body) for each in stored if each is not None])


def waves_at(name: str) -> tuple[Wave, ...]:
    """The wave's records at that moment."""
    return asyncio.run(opened(at(name)).waves.of(TRACKING_ID))


def wave_as(name: str, suffix: str) -> str:
    """The wave's JSON, spreadsheet or calendar; without a suffix the JSON of all waves."""
    return _shown(opened(at(name)), {"wave": f"{TRACKING_ID}.{suffix}"} if suffix else {"suffix": "json"})


def all_waves(name: str) -> str:
    return _shown(opened(at(name)), {})


def no_waves() -> str:
    return _shown(opened(replace(at("approval"), documents={})), {})


def confirming(name: str, scale_set: str, action: CommandKind, *, outdated: bool = False) -> str:
    """What a link shows that would act on the run, or one that was made for another plan."""
    moment = at(name)
    wiring = opened(moment)
    place = (TRACKING_ID, SUBSCRIPTION, "shop", scale_set)
    stored = asyncio.run(wiring.runs.read(f"runs/{SUBSCRIPTION}/shop/{scale_set}.json"))
    assert stored is not None
    checksum = "0" * 64 if outdated else stored.run.people.checksum
    link = Link(place, "ops", moment.at + timedelta(days=1), action, checksum)
    answer = asyncio.run(acting.answered(link, Request("GET"), wiring))
    assert answer.status == (409 if outdated else 200)
    return str(answer.body)


PAGES: dict[str, Callable[[], str]] = {
    "waves": partial(all_waves, "stalled"),
    "waves-none": no_waves,
    "wave": partial(of_wave, "announced-with-a-question"),
    "wave-nobody-affected": partial(of_wave, "announced-nobody-affected"),
    "wave-huge": partial(of_wave, "announced-huge"),
    "wave-hostile": partial(of_wave, "paused-hostile"),
    "wave-held-up": partial(of_wave, "paused-holds-others-up"),
    "wave-everything-went-wrong": partial(of_wave, "stalled"),
    "wave-finished": partial(of_wave, "finished"),
    "run-asks-for-approval": partial(of_run, "announced-with-a-question", "orders-prod"),
    "run-does-not-fit": partial(of_run, "paused-does-not-fit", "web-prod"),
    "run-paused": partial(of_run, "paused-holds-others-up", "search-1"),
    "run-waits-behind-it": partial(of_run, "paused-holds-others-up", "search-2"),
    "run-under-way": partial(of_run, "started-several", "web-0"),
    "run-completed": partial(of_run, "finished", "payments-prod"),
    "run-left-to-azure": partial(of_run, "announced-with-a-question", "batch-0"),
    "run-done-by-azure": partial(of_run, "finished", "batch-0"),
    "run-not-affected": partial(of_run, "announced-with-a-question", "cache-prod"),
    "run-hostile": partial(of_run, "paused-hostile", STRANGE, GROUP),
    "confirm": partial(confirming, "approval", "orders-prod", CommandKind.APPROVE),
    "said": partial(confirming, "approval", "orders-prod", CommandKind.APPROVE, outdated=True),
}


def calendar(name: str) -> str:
    """The wave's, for whoever has the link to it."""
    return _shown(opened(at(name)), {"wave": f"{TRACKING_ID}.ics"}).replace("\r\n", "\n")


def own_calendar(name: str, receiver: str) -> str:
    """What a receiver subscribes to."""
    made = asyncio.run(calendars.of_receiver(receiver, opened(at(name)), ADDRESSES))
    return made.decode().replace("\r\n", "\n")


CALENDARS: dict[str, Callable[[], str]] = {
    "wave": partial(calendar, "announced-with-a-question"),
    "wave-nobody-affected": partial(calendar, "announced-nobody-affected"),
    "wave-huge": partial(calendar, "announced-huge"),
    "wave-hostile": partial(calendar, "paused-hostile"),
    "wave-everything-went-wrong": partial(calendar, "stalled"),
    "wave-finished": partial(calendar, "finished"),
    "own-after-changes": partial(own_calendar, "started-several", "ops"),
}
