"""Small worlds that a planned run lives through until it has something to tell: what the planner really says."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from planner.azure.fleet import Health, Interval, Orchestration, ScaleSet
from planner.record.notice import Notice
from planner.record.run import Run
from tests.planner.protocol import NOW, Protocol, policy
from tests.planner.small_azure import SUBSCRIPTION, SmallAzure

H, M, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)
SUNDAY = "Sun 02:00-05:00 Europe/Berlin"


def world(
    name: str = "payments-prod",
    count: int = 3,
    *,
    domains: int = 3,
    days: float = 7,
    location: str = "westeurope",
    flexible: bool = False,
    **values: str,
) -> Protocol:
    """A planned run of a scale set whose self-service window has been open for an hour."""
    window = Interval(NOW - H, NOW + days * DAY)
    azure = SmallAzure(flexible=flexible, zones=0, domains=domains, count=count, window=window)
    where = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/shop/providers/Microsoft.Compute"
    azure.scale_set = ScaleSet(
        f"{where}/virtualMachineScaleSets/{name}", SUBSCRIPTION, "shop", name, location,
        orchestration=Orchestration.FLEXIBLE if flexible else Orchestration.UNIFORM,
    )  # fmt: skip
    written = {
        "lead": "0m",
        "windows": SUNDAY,
        **{key.replace("_", "-"): text for key, text in values.items()},
    }
    made = Protocol(azure, policy(written))
    made.plan()
    return made


def of(made: Protocol) -> Run:
    assert made.run is not None
    assert made.findings == []
    return made.run


def until(made: Protocol, moment: timedelta) -> Run:
    """Every poll that is due until then, counted from the plan."""
    while of(made).due <= NOW + moment:
        made.now = max(made.now, of(made).due)
        made.poll()
    made.now = max(made.now, NOW + moment)
    return of(made)


def obeying(made: Protocol, moment: timedelta, *, ill: str = "") -> Run:
    """The same, with an Azure that reboots what is started in six minutes; `ill` stays unhealthy afterwards."""
    ready: dict[str, tuple[str, object]] = {}
    while of(made).due <= NOW + moment:
        made.now = max(made.now, of(made).due)
        for machine in made.azure.machines.values():
            key = machine.seen.id
            if not machine.operation:
                continue
            step, at = ready.get(key, ("start", made.now))
            if step == "start":
                made.azure.down(machine)
                ready[key] = ("down", made.now)
            elif step == "down" and made.now - at >= 6 * M:  # type: ignore[operator]
                made.azure.end(machine, "cleared")
                machine.become(health=Health.UNHEALTHY if key == ill else Health.HEALTHY)
        made.poll()
    return of(made)


def last(run: Run) -> tuple[Run, Notice]:
    """The run with the last notice it has."""
    return run, run.story.notices[-1]


def renamed(run: Run, name: str, location: str = "westeurope") -> Run:
    where = run.target.id.rpartition("/")[0]
    return replace(run, target=replace(run.target, id=f"{where}/{name}", name=name, location=location))


type Happens = Callable[[Protocol], None]
