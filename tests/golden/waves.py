"""The waves that are recorded: their fleets, what happens to them when, and which moments are kept.

Each is announced on Monday 23 November 2026 at 08:00 UTC.
"""

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from handlers.wire.ids import RUNS
from simulator.fleet import SUBSCRIPTION, Behaviour, ScaleSet, Wave, Window, uniform
from tests.golden.recorder import Recorder
from tests.golden.strange import ENDLESS, GROUP, HOSTILE, STRANGE

M, H, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
TRACKING_ID = "VM8T-1Q8"
REGIONS = ("westeurope", "northeurope")
APPROVE = {"breakwater-mode": "approve"}
ILL = Behaviour(health_finally="unhealthy")


@dataclass(frozen=True)
class Recording:
    """How a wave is played, by which policy file, and of which messages the moment is kept, by name.

    A message is the nth (from 0) of its kind to its receiver; a negative one counts from the end.
    """

    policy: str
    play: Callable[[Recorder], Awaitable[None]]
    moments: Mapping[str, tuple[str, str, int]]


def policy(*, limits: str = "{regions: 2, scale-sets: 12}", more: str = "") -> str:
    """What the teams have agreed on: the shop is rebooted by us on Sundays, everything else when it needs it."""
    return f"""\
defaults: {{lead: 0m, windows: any time}}
rules:
  - name: the shop
    match: {{name: [web-*, payments-*, orders-*, late-*]}}
    self-service: always
    windows: Sun 02:00-05:00 Europe/Berlin
  - name: the search
    match: {{name: [search-*, stuck-*, done-*, odd-*]}}
    self-service: always
limits: {limits}
{more}receivers:
  ops: {{email: [ops@example.org], know: at once}}
  payments: {{email: [payments@example.org], know: at once}}
  web: {{email: [web@example.org], know: at once}}
routes:
  - {{match: {{name: payments-*}}, receiver: payments}}
  - {{match: {{name: web-prod}}, receiver: web}}
"""


def scale_set(name: str, count: int = 3, **traits: Any) -> ScaleSet:
    """As many domains as instances, so that one at a time goes down."""
    return uniform(name, count, **({"update_domains": count, "resource_group": "shop"} | traits))


def shop(many: int) -> Iterable[ScaleSet]:
    """So many that we reboot in two regions, four that are left to Azure, one that is not affected."""
    yield from (scale_set(f"web-{number}", location=REGIONS[number % 2]) for number in range(many))
    yield from (scale_set(f"batch-{number}") for number in range(4))
    yield scale_set("cache-prod")


def planned(world: Recorder, *members: ScaleSet, days: float = 7, **wave: Any) -> None:
    """Maintenance of all but caches: self-service since an hour, for so many days, then a week of Azure's own."""
    world.fleet.add(*members)
    opened, closes = world.clock() - H, world.clock() + timedelta(days=days)
    given: dict[str, Any] = {
        "tracking_id": TRACKING_ID,
        "subscriptions": (SUBSCRIPTION,),
        "regions": REGIONS,
        "self_service": Window(opened, closes),
        "scheduled": Window(closes + DAY, closes + 8 * DAY),
        "impacted": lambda one: not one.owner.name.startswith("cache"),
    }
    world.fleet.plan(Wave(**(given | wave)))


async def ordinary(world: Recorder) -> None:
    """Two are approved late, one is held and resumed, one grows, one is deleted; all that stay are done."""
    planned(world, *shop(6), *(scale_set(name, tags=APPROVE) for name in ("orders-prod", "payments-prod")))
    begun, fleet = world.clock(), world.fleet
    grows, goes = fleet.scale_set("web-0"), fleet.scale_set("web-5")
    fleet.at(begun + DAY, lambda: fleet.add_instance(grows, "3", update_domains=4, wave=TRACKING_ID))
    world.at(begun + 2 * DAY, lambda: world.say("web-1", "hold"))
    world.at(begun + 2 * DAY + 2 * H, lambda: world.say("web-1", "resume"))
    world.at(begun + 5 * DAY, lambda: world.say("orders-prod", "approve"))
    world.at(begun + 5 * DAY, lambda: world.say("payments-prod", "approve"))
    fleet.at(begun + 5.5 * DAY, lambda: fleet.people.delete_scale_set(goes))
    await world.alert(TRACKING_ID)
    await world.until(begun + 15 * DAY)
    await world.alert(TRACKING_ID, "Complete")
    await world.until(begun + 16 * DAY)


async def nobody_affected(world: Recorder) -> None:
    planned(world, scale_set("cache-prod"))
    await world.alert(TRACKING_ID)
    await world.until(world.clock() + H)


async def called_off(world: Recorder) -> None:
    """By Azure, after two days."""
    planned(world, *shop(7))
    begun = world.clock()
    await world.alert(TRACKING_ID)
    await world.until(begun + 2 * DAY)
    world.fleet.cancel(TRACKING_ID)
    await world.alert(TRACKING_ID, "Canceled")
    await world.until(begun + 3 * DAY)


async def emergency(world: Recorder) -> None:
    """Azure announces it as a warning."""
    planned(world, scale_set("web-0"), scale_set("web-1"))
    await world.alert(TRACKING_ID, level="Warning")
    await world.until(world.clock() + H)


async def unreadable(world: Recorder) -> None:
    """An hour after the plan was told the app's role is taken away."""
    planned(world, scale_set("web-0"))
    begun = world.clock()
    await world.alert(TRACKING_ID)
    await world.until(begun + H)
    assert world.arm is not None
    sets = "Microsoft.Compute/virtualMachineScaleSets"
    world.arm.faults.denied = {f"{sets}/read", f"{sets}/virtualMachines/read"}
    await world.until(begun + 3 * DAY)


async def huge(world: Recorder) -> None:
    """A thousand scale sets, of which one waits for approval."""
    planned(
        world,
        *(scale_set(f"web-{number:03}", location="northeurope") for number in range(700)),
        *(scale_set(f"batch-{number:03}") for number in range(299)),
        scale_set("orders-prod", tags=APPROVE),
    )
    await world.alert(TRACKING_ID)
    await world.until(world.clock() + H, when=lambda: bool(world.tellings))


async def held_up(world: Recorder) -> None:
    """One at a time may go, and the first does not come back."""
    planned(world, *(scale_set(f"search-{number}") for number in range(1, 5)), days=2)
    world.fleet.instance("search-1", 0).behaviour = ILL
    await world.alert(TRACKING_ID)
    await world.until(world.clock() + 2 * H)


async def no_worker(world: Recorder) -> None:
    """For fifty minutes the platform runs nothing for scale sets of which each has begun."""
    planned(world, *(scale_set(f"search-{number}") for number in range(1, 6)))
    await world.alert(TRACKING_ID)
    await world.until(when=lambda: bool(world.runs()) and all(run.begun for run in world.runs().values()))
    for message in world.queues.waiting:
        message.visible += 50 * M if message.queue == RUNS else 0 * M
    await world.until(world.clock() + 2 * H)


async def everything_went_wrong(world: Recorder) -> None:
    """Two do not come back, one is ill from the start, two do not fit, two are ignored; one is done."""
    planned(
        world,
        *(scale_set(name) for name in ("search-prod", "stuck-prod", "late-prod", "done-prod")),
        *(scale_set(name, 12) for name in ("web-prod", "web-shop")),
        *(scale_set(name, tags=APPROVE) for name in ("payments-prod", "orders-prod")),
    )
    begun, fleet = world.clock(), world.fleet
    fleet.instance("search-prod", 0).behaviour = ILL
    fleet.instance("late-prod", 1).behaviour = ILL
    fleet.people.set_health(fleet.instance("stuck-prod", 2), "unhealthy")
    world.at(begun + 2 * H, lambda: world.say("search-prod", "acknowledge"))
    await world.alert(TRACKING_ID)
    await world.until(begun + 8 * DAY)


async def hostile(world: Recorder) -> None:
    """Whoever could write something wrote what does harm: in alert, portal, answers of Azure, policy and commands."""
    member = scale_set(STRANGE, resource_group=GROUP, tags={"breakwater-owner": HOSTILE})
    planned(world, member, title=ENDLESS)
    for _, ticket in world.fleet.wave(TRACKING_ID).tickets:
        ticket.message = ENDLESS
    world.fleet.instance(STRANGE, 0).behaviour = ILL
    begun = world.clock()
    said = {"actor": HOSTILE, "comment": ENDLESS[:2000]}
    world.at(begun + 10 * M, lambda: world.say(STRANGE, "hold", raised=said))
    world.at(begun + 20 * M, lambda: world.say(STRANGE, "resume", raised=said))
    await world.alert(TRACKING_ID)
    await world.until(begun + 3 * H)


WAVES: dict[str, Recording] = {
    "ordinary": Recording(
        policy(),
        ordinary,
        {
            "announced-with-a-question": ("ops", "approval", 0),
            "approval": ("payments", "approval", 0),
            "changed": ("ops", "replanned", 0),
            "paused-on-hold": ("ops", "paused", 0),
            "resumed": ("ops", "resumed", 0),
            "reminder": ("payments", "reminder", -1),
            "starting": ("payments", "starting", 0),
            "starting-several": ("ops", "starting", 0),
            "completed-deleted": ("ops", "completed", 0),
            "started": ("payments", "started", 0),
            "started-several": ("ops", "started", 1),
            "completed": ("payments", "completed", 0),
            "completed-several": ("ops", "completed", 2),
            "completed-by-azure": ("ops", "completed", 4),
            "finished": ("ops", "finished", 0),
            "finished-one": ("payments", "finished", 0),
        },
    ),
    "nobody-affected": Recording(
        policy(), nobody_affected, {"announced-nobody-affected": ("ops", "announced", 0)}
    ),
    "called-off": Recording(
        policy(), called_off, {"announced": ("ops", "announced", 0), "cancelled": ("ops", "cancelled", 0)}
    ),
    "emergency": Recording(policy(), emergency, {"announced-emergency": ("ops", "announced", 0)}),
    "unreadable": Recording(
        policy(), unreadable, {"unread": ("ops", "unread", 0), "trouble": ("ops", "trouble", 0)}
    ),
    "huge": Recording(policy(), huge, {"announced-huge": ("ops", "approval", 0)}),
    "held-up": Recording(
        policy(limits="{regions: 1, scale-sets: 1}"),
        held_up,
        {"paused-holds-others-up": ("ops", "paused", 0)},
    ),
    "no-worker": Recording(policy(), no_worker, {"late": ("ops", "late", 0)}),
    "everything-went-wrong": Recording(
        policy(),
        everything_went_wrong,
        {
            "everything-went-wrong": ("ops", "paused", 0),
            "paused-does-not-fit": ("web", "paused", 0),
            "paused": ("ops", "paused", 1),
            "paused-again": ("ops", "paused", 2),
            "acknowledged": ("ops", "acknowledged", 0),
            "stalled": ("ops", "stalled", 0),
            "out-of-time": ("ops", "slack", 0),
            "missed": ("payments", "missed", 0),
            "missed-several": ("ops", "missed", 0),
        },
    ),
    "hostile": Recording(
        policy(
            more=f"freezes:\n  - {{from: 2026-12-01T00:00Z, to: 2026-12-02T00:00Z, reason: {json.dumps(HOSTILE, ensure_ascii=False)}}}\n"
        ),
        hostile,
        {
            "started-hostile": ("ops", "started", 0),
            "paused-on-hold-hostile": ("ops", "paused", 0),
            "paused-hostile": ("ops", "paused", 1),
        },
    ),
}
