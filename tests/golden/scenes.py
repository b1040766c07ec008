"""Every kind of message, each from a run that a small world has carried to it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from handlers.render.addresses import Addresses
from handlers.render.compose import compose
from handlers.render.letter import Letter, Story
from planner.azure.wave import Announcement, Stage, Wave
from planner.notices.digest import Row, overview
from planner.record.notice import Notice
from planner.record.run import Run
from planner.record.waits import HeldUp
from tests.altered import altered
from tests.golden.worlds import DAY, H, last, obeying, of, until, world
from tests.planner.protocol import NOW
from tests.planner.small_azure import SUBSCRIPTION

TRACKING = "VM8T-1Q8"
ADDRESSES = Addresses(
    "https://breakwater.example",
    lambda place, action, checksum, to: "-".join((action, *place[3:], *to)) or "view",
)
HOSTILE = (
    "<script>alert(1)</script> **bold** [here](https://evil.example) \u202egnirts desrever\u202c שלום "
    "\N{FIRE}\N{SKULL} "
)
ENDLESS = HOSTILE + "x" * 10_000


def wave(runs: Sequence[Run], title: str = "Planned maintenance for Virtual Machine Scale Sets") -> Wave:
    said = Announcement(
        TRACKING, SUBSCRIPTION, "1", Stage.PLANNED, "a" * 64, NOW - H, NOW - H, NOW - H, title=title,
        text="We will reboot your machines.", regions=tuple({run.target.location for run in runs}),
        services=("Virtual Machine Scale Sets",),
    )  # fmt: skip
    return Wave(TRACKING, SUBSCRIPTION, (said,))


def told(*items: tuple[Run, Notice], now: datetime = NOW, ended: tuple[Run, ...] = (), **more: str) -> Letter:
    """The message about these notices; `more` is the announcement's title."""
    runs = [*{run.target.id: run for run, _ in items}.values(), *ended]
    rows = [Row(run.state, run.needs_person, run.times.deadline) for run in runs]
    seen = overview(rows, 0, wave_open=True)
    return compose(Story(TRACKING, (wave(runs, **more),), items, seen, ended), ADDRESSES, now)


def one(run: Run, now: datetime | None = None) -> Letter:
    run, notice = last(run)
    return told((run, notice), now=now or notice.at)


def approval() -> Letter:
    return one(of(world(mode="approve")))


def changed() -> Letter:
    made = world()
    until(made, H)
    made.azure.grow(in_wave=True)
    made.policy = world(windows="Sat,Sun 01:00-06:00 Europe/Berlin", max_unavailable="2").policy
    made.plan()
    return one(of(made))


def started() -> Letter:
    return one(obeying(world(), 6 * DAY))


def paused() -> Letter:
    run = obeying(world("search-prod"), 6.5 * DAY, ill="1")
    others = HeldUp(3, ("westeurope",), NOW + 8 * DAY)
    run, notice = last(altered(run, holds_up=others))
    return told(
        (
            run,
            replace(
                notice,
                otherwise=f"{notice.otherwise} Holds up 3 other scale sets in westeurope; they still fit until Tue 1 Dec 2026 07:00 UTC.",
                answers=(*notice.answers, "let-pass"),
            ),
        ),
        now=notice.at,
    )


SCENES: dict[str, Callable[[], Letter]] = {
    "approval": approval,
    "changed": changed,
    "started": started,
    "paused": paused,
}
