"""A planned run that lives through its window poll by poll, for the tests of waiting."""

from datetime import timedelta

from planner.azure.fleet import Health, Interval
from planner.record.notice import Kind, Notice
from planner.record.run import Run
from tests.planner.protocol import NOW, Protocol, policy
from tests.planner.small_azure import SmallAzure

H, M, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)


def living(count: int = 4, *, hours: float = 480, flexible: bool = False, **values: str) -> Protocol:
    """A planned run whose window has been open for an hour."""
    window = Interval(NOW - H, NOW + hours * H)
    azure = SmallAzure(flexible=flexible, zones=0, domains=2, count=count, window=window)
    written = {key.replace("_", "-"): value for key, value in values.items()}
    world = Protocol(azure, policy({"lead": "0m", **written}))
    world.plan()
    return world


def run_of_world(world: Protocol) -> Run:
    assert world.run is not None
    assert world.findings == []
    return world.run


def until(world: Protocol, moment: timedelta) -> Run:
    """Every poll that is due until then."""
    while run_of_world(world).due <= NOW + moment:
        world.now = max(world.now, run_of_world(world).due)
        world.poll()
    world.now = max(world.now, NOW + moment)
    return run_of_world(world)


def told(run: Run, kind: Kind = Kind.STALLED) -> list[Notice]:
    return [one for one in run.story.notices if one.kind is kind]


def sick(world: Protocol) -> None:
    world.azure.machines["3"].become(health=Health.UNHEALTHY)


def failed_set(world: Protocol) -> None:
    object.__setattr__(world.azure.scale_set, "provisioning", "failed")
