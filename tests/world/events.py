"""What else happens during a wave: it moves, it is called off, a second one comes, people change their minds."""

from collections.abc import Callable, Collection
from dataclasses import replace
from random import Random

from planner.policy.model import Limits
from simulator.fleet import Instance
from simulator.fleet.build import SUBSCRIPTION
from simulator.fleet.waves import Wave, Window
from tests.world import upheavals
from tests.world.moments import DAY, H, M
from tests.world.moments import moment as _moment
from tests.world.world import World

SECOND = "ZX9K-7QD"
RESTARTED = "RS7T-0N1"
RAISES = (
    {"soak": "1m"},
    {"soak": "2h"},
    {"max-unavailable": "2"},
    {"max-unavailable": "50%"},
    {"windows": "any time"},
    {"windows": "daily 20:00-08:00 Europe/Berlin"},
    {"complete-by": "2026-11-24"},
    {"lead": "0m"},
    {"lead": "3h", "soak": "10m"},
)


def happen(world: World, wave: Wave, random: Random, leave_out: Collection[str] = ()) -> None:
    """Tags first, then a handful of events at random moments of the self-service window."""
    _tags(world, random)
    for kind in random.sample(_kinds, random.randint(3, 8)):
        if kind.__name__ not in leave_out:
            kind(world, wave, random)


def _tags(world: World, random: Random) -> None:
    sets = world.fleet.scale_sets()
    for scale_set in sets:
        tags = dict(scale_set.tags)
        if random.random() < 0.25:
            tags["breakwater-max-unavailable"] = random.choice(("1", "2", "50%"))
        if random.random() < 0.25:
            tags["breakwater-mode"] = random.choice(("approve", "approve", "observe"))
        if random.random() < 0.15:
            tags["breakwater-after"] = random.choice([one.name for one in sets] + ["nobody"])
        scale_set.tags = tags


def _duplicates(world: World, wave: Wave, random: Random) -> None:
    for _ in range(random.randint(1, 4)):

        async def again() -> None:
            await world.post(world.last_alert)

        world.at(_moment(world, wave, random), again)


def _late_announcement(world: World, wave: Wave, random: Random) -> None:
    """Said before everything else, and heard last."""
    said = world.clock() - DAY
    stage = random.choice(("Planned", "Canceled", "Active"))

    async def late() -> None:
        await world.alert(wave.tracking_id, stage, event_at=said, submitted_at=said)

    world.at(_moment(world, wave, random), late)


def _another(world: World, tracking_id: str, window: Window, impacted: Callable[[Instance], bool]) -> None:
    later = max(window.end, world.clock()) + DAY
    world.fleet.plan(
        Wave(
            tracking_id=tracking_id,
            subscriptions=(SUBSCRIPTION,),
            regions=("westeurope", "northeurope"),
            self_service=window,
            scheduled=Window(later, later + 4 * DAY),
            impacted=impacted,
            eligible=lambda one: not one.owner.service_fabric,
        )
    )


def _second_wave(world: World, wave: Wave, random: Random) -> None:
    opens = _moment(world, wave, random) + random.choice((-1, 3)) * H
    closes = opens + random.choice((1, 4)) * DAY
    also = random.choice((0.5, 1.0))
    seen = Random(random.random())
    chosen = {one.id for owner in world.fleet.scale_sets() for one in owner.instances.values()}
    chosen = {one for one in sorted(chosen) if seen.random() < also}

    async def announced() -> None:
        _another(world, SECOND, Window(opens, closes), lambda one: one.id in chosen)
        await world.alert(SECOND)

    world.at(max(opens - H, world.clock() + 2 * M), announced)


def _moved(world: World, wave: Wave, random: Random) -> None:
    at = _moment(world, wave, random)
    opens = at + random.choice((-1, 1, 30)) * H
    closes = max(opens, at) + random.choice((4, 40)) * H
    again = random.random() < 0.3

    def move() -> None:
        if not wave.over:
            world.fleet.reschedule(
                wave.tracking_id, Window(opens, closes), Window(closes + DAY, closes + 6 * DAY), again=again
            )

    async def said() -> None:
        await world.alert(wave.tracking_id, "Rescheduled")

    world.fleet.at(at, move)
    world.at(at + random.choice((0, 5, 90)) * M, said)


def _called_off(world: World, wave: Wave, random: Random) -> None:
    at = _moment(world, wave, random)

    async def said() -> None:
        await world.alert(wave.tracking_id, "Canceled")

    world.fleet.at(at, lambda: world.fleet.cancel(wave.tracking_id))
    world.at(at + random.choice((-5, 0, 90)) * M, said)


def _new_instances(world: World, wave: Wave, random: Random) -> None:
    for number in range(random.randint(1, 3)):
        owner = random.choice(world.fleet.scale_sets())

        def grow(owner=owner, number=number) -> None:
            if not wave.over and f"{900 + number}" not in owner.instances:
                world.fleet.add_instance(owner, f"{900 + number}", wave=wave.tracking_id)

        world.fleet.at(_moment(world, wave, random), grow)


def _words(world: World, wave: Wave, random: Random) -> None:
    for _ in range(random.randint(1, 6)):
        name = random.choice(world.fleet.scale_sets()).name
        kind = random.choice(("hold", "resume", "resume", "skip", "approve", "approve", "raise"))
        dice = Random(random.random())

        async def word(name=name, kind=kind, dice=dice) -> None:
            run = world.runs().get(name)
            if run is None:
                return
            instances, domains, raised = (), (), {}
            if kind == "skip" and dice.random() < 0.5:
                instances = tuple(one.id for one in run.instances if dice.random() < 0.3)
            elif kind == "skip" and run.batches:
                domains = (dice.choice(run.batches).domain,)
            elif kind == "raise":
                raised = dice.choice(RAISES)
            await world.say(name, kind, instances=instances, domains=domains, raised=raised)

        world.at(_moment(world, wave, random), word)


def _policy(world: World, at, **changes) -> None:
    async def change() -> None:
        world.policy = replace(world.policy, **changes)

    world.at(at, change)


def _stopped_for_a_while(world: World, wave: Wave, random: Random) -> None:
    at = _moment(world, wave, random)
    _policy(world, at, stop=True)
    _policy(world, at + random.choice((1, 20)) * H, stop=False)


def _policy_changed(world: World, wave: Wave, random: Random) -> None:
    at = _moment(world, wave, random)
    key, value = random.choice(
        (("mode", "approve"), ("mode", "observe"), ("self-service", "never"), ("self-service", "always"),
         ("soak", "10m"), ("max-unavailable", "10%"), ("soak", "as long as it takes"))
    )  # fmt: skip
    _policy(world, at, defaults={**world.policy.defaults, key: value})
    if random.random() < 0.5:
        _policy(world, at + random.choice((1, 20)) * H, defaults=world.policy.defaults)
    if random.random() < 0.3:
        _policy(world, at + H, limits=Limits(regions=1, scale_sets=1))


def _tags_changed(world: World, wave: Wave, random: Random) -> None:
    """And somebody announces the wave again, so that everything is planned again at once."""
    at = _moment(world, wave, random)
    scale_set = random.choice(world.fleet.scale_sets())
    key, value = random.choice(
        (("self-service", "never"), ("mode", "observe"), ("mode", "approve"), ("max-unavailable", "1"))
    )
    world.fleet.at(
        at, lambda: world.fleet.people.set_tags(scale_set, {**scale_set.tags, f"breakwater-{key}": value})
    )

    async def said() -> None:
        await world.alert(wave.tracking_id, "InProgress")

    world.at(at + random.choice((0, 2)) * M, said)


def _said_again_at_the_end(world: World, wave: Wave, random: Random) -> None:
    for stage in random.sample(("Planned", "InProgress", "Complete"), 2):

        async def said(stage=stage) -> None:
            await world.alert(wave.tracking_id, stage)

        world.at(wave.self_service.end + random.choice((-2, 3, 60)) * H, said)


def _restarted(world: World, wave: Wave, random: Random) -> None:
    """Cancelled, and announced anew under another tracking id: the guidance's "restarted with a new payload"."""
    at = _moment(world, wave, random)
    anew = at + random.choice((0.1, 5, 60)) * H

    async def called_off() -> None:
        await world.alert(wave.tracking_id, "Canceled")

    async def announced() -> None:
        opens = anew + random.choice((0, 2)) * H
        _another(world, RESTARTED, Window(opens, opens + random.choice((1, 3)) * DAY), lambda _: True)
        await world.alert(RESTARTED)

    world.fleet.at(at, lambda: world.fleet.cancel(wave.tracking_id))
    world.at(at + random.choice((0, 3)) * M, called_off)
    world.at(anew, announced)


def _over_and_again(world: World, wave: Wave, random: Random) -> None:
    """Over, long since or early, and the same tracking id is announced once more."""
    at = random.choice((wave.scheduled.end + H, _moment(world, wave, random)))
    anew = at + random.choice((0.2, 3, 50)) * H
    opens, again = anew + random.choice((-1, 2)) * H, random.random() < 0.7

    async def complete() -> None:
        world.fleet.complete(wave.tracking_id)
        await world.alert(wave.tracking_id, "Complete")

    async def reopened() -> None:
        closes = max(opens, world.clock()) + random.choice((6, 40)) * H
        world.fleet.reschedule(
            wave.tracking_id, Window(opens, closes), Window(closes + DAY, closes + 4 * DAY), again=again
        )
        await world.alert(wave.tracking_id, random.choice(("Planned", "Active", "Rescheduled")))

    world.at(at, complete)
    world.at(anew, reopened)


_kinds: tuple[Callable[[World, Wave, Random], None], ...] = (
    _duplicates, _late_announcement, _second_wave, _moved, _called_off, _new_instances, _words, _words,
    _words, _stopped_for_a_while, _policy_changed, _tags_changed, _said_again_at_the_end, _restarted,
    _over_and_again, upheavals.befallen, upheavals.ambushed, upheavals.ambushed, upheavals.set_deleted,
    upheavals.capacity_changed, upheavals.azure_first, upheavals.in_the_portal,
    upheavals.windows_overlap,
)  # fmt: skip
KINDS = tuple(dict.fromkeys(one.__name__ for one in _kinds))
"""The names of what can happen, to leave it out."""
