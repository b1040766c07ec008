"""What else happens to scale sets in mid-run: they grow, shrink, move and vanish, and others start maintenance."""

from collections.abc import Callable
from random import Random

from simulator.fleet import Instance, ScaleSet
from simulator.fleet.build import flexible, uniform
from simulator.fleet.waves import Wave, Window
from tests.world.moments import DAY, H, M, moment
from tests.world.world import World

type Act = Callable[[Instance], object]


def _alive(world: World, instance: Instance) -> bool:
    owner = world.fleet.world.scale_sets.get(instance.owner.id.lower())
    return owner is instance.owner and owner.instances.get(instance.instance_id) is instance


def _acts(world: World, wave: Wave, random: Random) -> tuple[Act, ...]:
    """What can befall an instance; some of it brings it back with windows of its own."""
    people = world.fleet.people

    def off_and_on(one: Instance) -> None:
        people.deallocate(one)
        later = world.fleet.now + random.choice((5, 90)) * M
        back = random.random() < 0.5
        world.fleet.at(later, lambda: _alive(world, one) and people.start(one, back_in_wave=back))

    def healed(one: Instance) -> None:
        people.service_heal(one)
        if random.random() < 0.5 and one.tickets and not wave.over:
            opens = world.fleet.now + H
            window = Window(opens, opens + DAY)
            again = Window(opens + 2 * DAY, opens + 3 * DAY)
            tracking_id = one.tickets[0].wave.tracking_id
            world.fleet.at(
                opens - 30 * M,
                lambda: (
                    _alive(world, one)
                    and not world.fleet.wave(tracking_id).over
                    and world.fleet.schedule_again(tracking_id, one, window, again)
                ),
            )

    return (people.delete, people.reimage, people.resize, people.stop, off_and_on, healed)


def befallen(world: World, wave: Wave, random: Random) -> None:
    """At random moments, whatever the instance is doing."""
    for act in random.sample(_acts(world, wave, random), 3):
        one = random.choice([one for owner in world.fleet.scale_sets() for one in owner.instances.values()])
        world.fleet.at(moment(world, wave, random), lambda one=one, act=act: _alive(world, one) and act(one))


def ambushed(world: World, wave: Wave, random: Random) -> None:
    """Just while maintenance is under way, or right after it."""
    acts = _acts(world, wave, random)
    left = [random.randint(1, 3)]
    hit: set[str] = set()

    def watch(instance: Instance) -> None:
        flying = instance.operation is not None and instance.operation.who == "customer"
        if not flying or not left[0] or instance.id in hit or random.random() > 0.3:
            return
        hit.add(instance.id)
        left[0] -= 1
        act, wait = random.choice(acts), random.choice((1, 3, 6, 20)) * M
        world.fleet.world.timeline.at(
            world.fleet.world.now + wait, lambda: _alive(world, instance) and act(instance)
        )

    world.fleet.world.watching.append(watch)


def set_deleted(world: World, wave: Wave, random: Random) -> None:
    """A whole scale set goes; perhaps another one comes under its name, perhaps into the same wave."""
    old = random.choice(world.fleet.scale_sets())
    at = moment(world, wave, random)

    def gone() -> None:
        if world.fleet.world.scale_sets.get(old.id.lower()) is old:
            world.fleet.people.delete_scale_set(old)

    world.fleet.at(at, gone)
    if random.random() < 0.6:
        count, into = random.randint(1, 4), random.random() < 0.5

        def anew() -> None:
            if old.id.lower() in world.fleet.world.scale_sets:
                return
            made = _same_name(old, count)
            world.fleet.add(made)
            for one in list(made.instances.values()) if into and not wave.over else ():
                world.fleet.include(wave.tracking_id, one)

        world.fleet.at(at + random.choice((1, 30, 2000)) * M, anew)


def _same_name(old: ScaleSet, count: int) -> ScaleSet:
    build = flexible if old.mode == "Flexible" else uniform
    return build(
        old.name, count, location=old.location, health=old.health, zones=old.zones, tags=dict(old.tags),
        service_fabric=old.service_fabric, spot=old.spot, automatic_repairs=old.automatic_repairs,
    )  # fmt: skip


def capacity_changed(world: World, wave: Wave, random: Random) -> None:
    """Somebody adds an instance, or takes the last one away, now and then or like autoscale every few hours."""
    owner = random.choice(world.fleet.scale_sets())
    number = [700]

    def out() -> None:
        number[0] = max(number[0], owner.last_number) + 1
        if world.fleet.world.scale_sets.get(owner.id.lower()) is owner:
            inside = wave.tracking_id if random.random() < 0.2 and not wave.over else None
            world.fleet.add_instance(owner, str(number[0]), wave=inside)

    def back() -> None:
        if len(owner.instances) > 1 and world.fleet.world.scale_sets.get(owner.id.lower()) is owner:
            world.fleet.people.delete(list(owner.instances.values())[-1])

    at = moment(world, wave, random)
    times, apart = random.choice(((1, H), (2, 40 * M), (12, 5 * H)))
    for turn in range(times):
        world.fleet.at(at + turn * apart, random.choice((out, back)))
        world.fleet.at(at + turn * apart + 20 * M, random.choice((out, back)))


def azure_first(world: World, wave: Wave, random: Random) -> None:
    """Azure starts by itself in the middle of the self-service window: one instance, or a whole domain."""
    owner = random.choice(world.fleet.scale_sets())
    at, some = moment(world, wave, random), random.choice((1, 1, 9))

    def now() -> None:
        waiting = [one for one in owner.instances.values() if any(t.outstanding for t in one.tickets)]
        for one in waiting[:some]:
            if one.azure_domain == waiting[0].azure_domain and one.operation is None:
                world.fleet.start_by_azure(one)

    world.fleet.at(at, now)


def in_the_portal(world: World, wave: Wave, random: Random) -> None:
    """A person presses Start now, on one or two instances."""
    for _ in range(random.randint(1, 2)):
        one = random.choice([one for owner in world.fleet.scale_sets() for one in owner.instances.values()])
        world.fleet.at(
            moment(world, wave, random),
            lambda one=one: _alive(world, one) and world.fleet.start_in_portal(one),
        )


def windows_overlap(world: World, wave: Wave, random: Random) -> None:
    """Azure's own turn begins before the self-service window is over."""
    at = moment(world, wave, random)
    closes = max(wave.self_service.end, at + 2 * DAY)

    def move() -> None:
        if not wave.over and at < closes:
            opens = min(wave.self_service.start, at)
            world.fleet.reschedule(
                wave.tracking_id, Window(opens, closes), Window(at + 5 * H, closes + 5 * DAY)
            )

    async def said() -> None:
        await world.alert(wave.tracking_id, "Rescheduled")

    world.fleet.at(at, move)
    world.at(at + M, said)
