"""Pages and calendars of the same waves: ordinary, empty, huge, hostile, and one in which everything went wrong."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from handlers.render import contract
from handlers.render.addresses import OnPage, Place, place_of
from handlers.render.appointments import appointments
from handlers.render.calendar import calendar
from handlers.render.confirmation import confirmation
from handlers.render.page import confirm_page, run_page, said_page, wave_page, waves_page
from handlers.render.report_model import Form, Part, Report
from handlers.wire.link_token import Link
from planner.notices.digest import Overview, Row, overview
from planner.notices.feed import Feed, revised
from planner.record.command import Command, CommandKind
from planner.record.run import Run
from tests.golden.scenes import ENDLESS, TRACKING, over, strange, thousand, troubled, twelve, wave
from tests.golden.worlds import DAY, H, of, world
from tests.planner.protocol import NOW

ADDRESSES = OnPage(
    "https://breakwater.example",
    lambda place, action, checksum, to: "-".join((action, *(str(len(part)) for part in place[3:]), *to)),
)
TITLE = "Planned maintenance for Virtual Machine Scale Sets"
A_PAGE = 50


def seen(runs: Sequence[Run]) -> Overview:
    return overview([Row(run.state, run.needs_person, run.times.deadline) for run in runs], 0, wave_open=True)


def of_wave(runs: Sequence[Run], now: datetime = NOW, title: str = TITLE) -> str:
    """The wave's page; of many scale sets the first one, those that ask in front."""
    ordered = sorted(runs, key=lambda run: not run.needs_person)
    pages = -(-len(ordered) // A_PAGE)
    part = Part(pages=pages, total=len(ordered)) if pages > 1 else None
    asking = tuple(
        Place(run.target.subscription, run.target.resource_group, run.target.name)
        for run in ordered
        if run.needs_person
    )
    shown = tuple(ordered[:A_PAGE])
    report = Report(TRACKING, (wave(runs, title),), shown, seen(ordered), (), asking=asking, part=part)
    return wave_page(report, ADDRESSES, now)


def of_run(run: Run, now: datetime = NOW, title: str = TITLE) -> str:
    return run_page(TRACKING, run, ADDRESSES, now, (wave((run,), title),))


def asking_wave() -> list[Run]:
    return [*twelve(), of(world(mode="approve"))]


def confirming() -> str:
    run = of(world(mode="approve"))
    command = Command("link", CommandKind.APPROVE, "nobody", "", NOW, run.people.checksum)
    link = Link(place_of(TRACKING, run.target), "ops", NOW + DAY, "approve", run.people.checksum)
    return confirm_page(link, run, confirmation(run, command, NOW), Form(), ADDRESSES, NOW)


def all_waves() -> str:
    waves = {TRACKING: seen(troubled()), "XT2P-9Z0": seen(twelve())}
    rows = [contract.overview_row(name, "Planned", (), counted) for name, counted in waves.items()]
    return waves_page(rows, ADDRESSES, NOW)


def said() -> str:
    return said_page("This link has expired", ("A newer message has a newer link.", "Nothing was done."), NOW)


PAGES: dict[str, Callable[[], str]] = {
    "waves": all_waves,
    "waves-none": lambda: waves_page([], ADDRESSES, NOW),
    "wave": lambda: of_wave(asking_wave()),
    "wave-nobody-affected": lambda: of_wave(twelve()[-1:]),
    "wave-huge": lambda: of_wave(thousand()),
    "wave-hostile": lambda: of_wave([strange()[0]], title=ENDLESS),
    "wave-everything-went-wrong": lambda: of_wave(troubled(), NOW + 2 * H),
    "wave-finished": lambda: of_wave(over(), NOW + 8 * DAY),
    "run-asks-for-approval": lambda: of_run(asking_wave()[-1]),
    "run-paused": lambda: of_run(troubled()[0], NOW + 2 * H),
    "run-completed": lambda: of_run(over()[0], NOW + 8 * DAY),
    "run-left-to-azure": lambda: of_run(twelve()[7]),
    "run-not-affected": lambda: of_run(twelve()[-1]),
    "run-hostile": lambda: of_run(strange()[0], title=ENDLESS),
    "confirm": confirming,
    "said": said,
}


def feed(runs: Sequence[Run], before: Sequence[Run] = ()) -> str:
    """The calendar of the wave, after what was `before` has been published a day ago."""
    published = Feed(TRACKING)
    for members, now in ((before, NOW - timedelta(days=1)), (runs, NOW)):
        published = revised(published, appointments(TRACKING, "", members, {}), now)
    made = calendar(
        f"Planned maintenance {TRACKING}", (published,), ADDRESSES.wave, organizer="ops@example.org"
    )
    return made.decode().replace("\r\n", "\n")


CALENDARS: dict[str, Callable[[], str]] = {
    "wave": lambda: feed(asking_wave()),
    "wave-nobody-affected": lambda: feed(twelve()[-1:]),
    "wave-huge": lambda: feed(thousand()),
    "wave-hostile": lambda: feed([strange()[0]]),
    "wave-everything-went-wrong": lambda: feed(troubled()),
    "wave-finished": lambda: feed(over()),
    "scale-sets-that-left": lambda: feed(twelve()[3:], before=twelve()),
}
