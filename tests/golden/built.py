"""Pages that no recorded wave shows: of every state at once, very long ones, rare ones, and forms that ask again."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from handlers.render import page
from handlers.render.addresses import Addresses, OnPage, Place, place_of
from handlers.render.confirmation import confirmation
from handlers.render.page import Form
from handlers.render.wave_confirmation import wave_confirmation
from handlers.wire.command_request import CommandRequest
from handlers.wire.link_token import Link
from handlers.wire.wave_request import WaveRequest, Which
from planner.azure.fleet import MaintenanceStatus
from planner.notices import delivery_steps as steps
from planner.notices.delivery import Delivery, with_channels
from planner.notices.digest import Overview
from planner.places.outlook import Outlook
from planner.policy.limits import Limits
from planner.policy.model import Freeze
from planner.policy.weekly import parse_windows
from planner.record.check import Check, Outcome
from planner.record.command import Command, CommandKind
from planner.record.run import Entry, Run
from planner.record.shown import Shown
from planner.record.states import InstanceState, RunState
from tests.notices import (
    CAPACITY,
    HOUR,
    NOW,
    SUBSCRIPTION,
    TRACKING,
    batch,
    followed,
    misfit,
    notice,
    paused,
    repairing,
    run,
    short_of_time,
    wave,
)  # fmt: skip

ADDRESSES = Addresses("https://breakwater.example")
SIGNED = OnPage(
    "https://breakwater.example", lambda place, action, *_: f"{'-'.join((*place, action))}.signed"
)
LONG = "a-scale-set-with-a-very-long-name-that-nobody-would-type-" * 3


def _wave_page() -> str:
    runs = (
        misfit("orders-prod"),
        short_of_time("cart-prod"),
        followed("mail-prod", over=False),
        paused("db-prod", checks=tuple(Check(f"check-{one}", one, "Because. " * 20) for one in Outcome)),
        run("web", notice(), state=RunState.RUNNING, batches=tuple(
            batch(number, *"123", domain=f"zone {number}, domain 0", state=state)
            for number, state in enumerate(InstanceState, 1)
        )),
        run(LONG, notice(), state=RunState.LEFT_TO_AZURE, reason="Nobody declared a need, so Azure does it."),
        *(run(f"set-{state.value}", state=state, batches=(), history=(), checks=()) for state in RunState),
    )  # fmt: skip
    told = with_channels(Delivery(TRACKING, "ops"), ("teams",))
    told = steps.claim(told, "teams", {"a": 1}, (), NOW)
    told = steps.refused(told, "teams", "[Paused] db-prod", "Teams refused the message with 404.", NOW)
    seen = Overview({"paused": 1, "running": 1, "left_to_azure": 1}, 1, NOW + timedelta(days=4), planning=2)
    return page.wave_page(page.Report(TRACKING, (wave(*runs),), runs, seen, (told,)), ADDRESSES, NOW)


def _part(number: int, state: RunState | None = None) -> str:
    """A page of a wave of a thousand scale sets, many of which need a person."""
    first = [misfit(f"{LONG}{one}") for one in range(40)] if state is None and number == 1 else []
    runs = (*first, *(run(f"set-{one}", notice()) for one in range(50 - len(first))))
    seen = Overview({"paused": 40, "scheduled": 960}, 40, NOW)
    asking = tuple(Place(SUBSCRIPTION, "shop", f"{LONG}{one}") for one in range(40))
    part = page.Part(number, 20, number * 50 - 49, 1000, state)
    return page.wave_page(
        page.Report(TRACKING, (wave(),), runs, seen, (), asking=asking, part=part), ADDRESSES, NOW
    )


BERLIN = (parse_windows("Sat,Sun 02:00-05:00 Europe/Berlin; Wed 13:00-18:00 Europe/Berlin"),)
ONE = run("web").times
STATUS = MaintenanceStatus(
    allowed=True, self_service=ONE.self_service, scheduled=ONE.scheduled, message="The host is not ready."
)


def _planned(name: str, at: timedelta = timedelta(0)) -> Run:
    """A run of six batches in three domains."""
    made = tuple(
        replace(
            batch(number, f"{number}0", f"{number}1", domain=f"zone {number % 3 + 1}, domain {number}"),
            not_before=NOW + at + timedelta(minutes=40 * number),
        )
        for number in range(1, 7)
    )
    ids = tuple(one.id for each in made for one in each.instances)
    return run(
        name, notice(), batches=made, windows=BERLIN, serving=12, capacity=CAPACITY, checks=_checks()[:22],
        shown=(Shown(STATUS, ids[:10]),), shown_at=NOW, members=ids,
        freezes=(Freeze(NOW + 30 * HOUR, NOW + 40 * HOUR, "Release."),),
    )  # fmt: skip


def _wave_of_200() -> str:
    """As most are: most rebooted by us, some left to Azure, few not affected, some that ask."""
    runs = [_planned(f"app-{number:03}-prod", number * 4 * HOUR) for number in range(132)]
    left = "Left to Azure: nobody declared a need."
    runs += [
        run(f"batch-{number:03}-prod", notice(), state=RunState.LEFT_TO_AZURE, reason=left)
        for number in range(65)
    ]
    runs += [
        run("idle-prod", state=RunState.NOT_IMPACTED, batches=()), misfit("orders-prod"), paused("db-prod"),
    ]  # fmt: skip
    told = with_channels(Delivery(TRACKING, "ops"), ("teams",))
    for number in range(30):
        told = steps.claim(told, "teams", {str(number): number}, (), NOW)
        told = steps.accepted(told, "teams", f"[Started] app-{number:03}-prod", NOW)
    said = wave(*runs, text="<p>We will reboot your machines, and this is what it means.</p>" * 20)
    counts = {"paused": 2, "scheduled": 132, "left_to_azure": 65, "not_impacted": 1}
    seen = Overview(counts, 2, NOW + timedelta(days=4))
    ordered = sorted(runs, key=lambda one: not one.needs_person)[:50]
    asking = tuple(Place(SUBSCRIPTION, "shop", name) for name in ("db-prod", "orders-prod"))
    part = page.Part(1, 4, 1, 200)
    report = page.Report(TRACKING, (said,), tuple(ordered), seen, (told,), asking=asking, part=part)
    return page.wave_page(report, SIGNED, NOW)


def _confirming_wave(action: str, **more: Any) -> str:
    runs = tuple(_planned(f"app-{number:03}") for number in range(3))
    asked = WaveRequest(
        CommandRequest(CommandKind(action), "nobody", raised=more.pop("raised", {})), Which.LATE, **more
    )
    late = tuple(one.target.name for one in runs)
    seen = Outlook(SUBSCRIPTION, Limits(), 9, NOW, late, (("scale-sets", 9),))
    link = Link((TRACKING,), "ops", NOW + timedelta(days=3), action, seen.checksum)
    return page.confirm_wave_page(link, wave_confirmation(asked, seen, runs), Form(), SIGNED, NOW)


def _empty_wave() -> str:
    return page.wave_page(page.Report(TRACKING, (wave(),), (), Overview(), ()), ADDRESSES, NOW)


def _checks() -> tuple[Check, ...]:
    many = tuple(map(str, range(200)))
    return tuple(
        Check(
            f"a-check-with-a-name-{number}",
            tuple(Outcome)[number % 5],
            "Because. " * 30,
            many,
            ("activity log",),
        )
        for number in range(40)
    )


def _huge() -> str:
    batches = tuple(batch(number, *(f"{LONG}{one}" for one in range(50))) for number in range(1, 120))
    line = Entry(NOW, "breakwater", "batch started", "Because. " * 20)
    one = run(
        "huge", batches=batches, checks=_checks(), history=(line,) * 400, capacity=CAPACITY, serving=600
    )
    return page.run_page(TRACKING, one, ADDRESSES, NOW)


def _many() -> Run:
    return run("huge", batches=tuple(batch(number, f"{LONG}{number}") for number in range(1, 120)))


def _confirming(one: Run, action: str, form: Form | None = None) -> str:
    command = Command("link-1", CommandKind(action), "nobody", "", NOW, one.people.checksum)
    place = place_of(TRACKING, one.target)
    link = Link(place, "ops", NOW + timedelta(days=3), action, one.people.checksum)
    return page.confirm_page(link, one, confirmation(one, command, NOW), form or Form(), ADDRESSES, NOW)


def _one(made: Any) -> Any:
    return lambda: page.run_page(TRACKING, made, ADDRESSES, NOW)


BUILT: dict[str, Callable[[], str]] = {
    "every-state": _wave_page,
    "large-wave": lambda: _part(1),
    "one-state": lambda: _part(2, RunState.SCHEDULED),
    "empty-wave": _empty_wave,
    "wave-of-200": _wave_of_200,
    "repairing": _one(repairing("db-prod")),
    "short": _one(short_of_time("db-prod")),
    "huge": _huge,
    "planned": lambda: page.run_page(TRACKING, _planned("web-prod"), SIGNED, NOW, (wave(),)),
    "missing": lambda: page.missing_page("No announcement of a wave X is on record.", ADDRESSES, NOW),
    "asks-for-late": lambda: _confirming_wave("skip"),
    "asks-for-windows": lambda: _confirming_wave("raise", raised={"windows": "any time"}),
    "asks-for-limits": lambda: _confirming_wave("raise", limits={"scale-sets": 9}),
    "asks-again": lambda: _confirming(
        paused("db-prod"), "resume", Form(comment="Because.", problem="Say who you are: `actor` is missing.")
    ),
    "asks-to-sign-in": lambda: _confirming(run("db-prod", notice()), "hold", Form(sign_in="Sign in first.")),
    "asks-about-many": lambda: _confirming(_many(), "skip", Form(signed_in="ana@example.org")),
}
