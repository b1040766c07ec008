"""Scale sets of any size as the planner sees them, and the policies a benchmark decides by: values only."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from planner.azure.fleet import Health, Instance, Interval, MaintenanceStatus, ScaleSet
from planner.azure.wave import Announcement, Stage, Wave
from planner.policy.model import Freeze, Match, Policy, Rule

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
SELF_SERVICE = Interval(START - timedelta(days=1), START + timedelta(days=34))
SCHEDULED = Interval(START + timedelta(days=36), START + timedelta(days=44))
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
ZONES, GROUPS, DOMAINS = 3, 2, 5


@dataclass(frozen=True, slots=True)
class Case:
    """A policy and the tags of its scale sets."""

    name: str
    policy: Policy
    tags: dict[str, str]


PLAIN = Case("plain", Policy(defaults={"self-service": "always"}), {})

WINDOWS = Case(
    "windows, freezes, tags",
    Policy(
        defaults={"windows": "Mon-Fri 20:00-06:00 Europe/Berlin; Sat,Sun 00:00-24:00 Europe/Berlin"},
        rules=(
            Rule("databases", Match(name=("db-*", "sql-*")), {"soak": "2h"}),
            Rule("shop", Match(resource_group=("rg-shop-*",), tags={"env": ("prod",)}), {"soak": "35m"}),
        ),
        freezes=(
            Freeze(START + timedelta(days=4), START + timedelta(days=7), "Black Friday"),
            Freeze(START + timedelta(days=27), START + timedelta(days=41), "year-end"),
        ),
    ),
    {
        "env": "prod",
        "breakwater-windows": "daily 22:00-05:00 Europe/Berlin",
        "breakwater-max-unavailable": "2%",
        "breakwater-soak": "45m",
        "breakwater-complete-by": "2026-12-20",
        "breakwater-tier": "web",
        "breakwater-recover-within": "40m",
    },
)

CASES = (PLAIN, WINDOWS)
"""The dearer one last."""

ANNOUNCEMENT = Announcement(
    tracking_id="VM8T-1Q8",
    subscription=SUBSCRIPTION,
    communication_id="1",
    stage=Stage.PLANNED,
    alert="a",
    event_time=START,
    submitted_at=START,
    received_at=START,
)
WAVE = Wave(ANNOUNCEMENT.tracking_id, ANNOUNCEMENT.subscription, (ANNOUNCEMENT,))


def scale_set(number: int, tags: dict[str, str]) -> ScaleSet:
    name, group = f"shop-{number:04}", f"rg-shop-{number % 40:02}"
    return ScaleSet(
        id=f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/Microsoft.Compute"
        f"/virtualMachineScaleSets/{name}",
        subscription=SUBSCRIPTION,
        resource_group=group,
        name=name,
        location="westeurope",
        tags=dict(tags),
    )


def instances(count: int) -> tuple[Instance, ...]:
    """So many healthy instances of an open wave: 5 update domains in each of 2 groups in each of 3 zones.

    In no order, as Azure lists them.
    """
    made = [
        Instance(
            id=str(number),
            zone=str(number % ZONES + 1),
            placement_group=f"{number % ZONES}{number // ZONES % GROUPS}5f0c3d-0000-4000-8000-000000000000",
            update_domain=number // (ZONES * GROUPS) % DOMAINS,
            power="running",
            provisioning="succeeded",
            health=Health.HEALTHY,
            maintenance=MaintenanceStatus(allowed=True, self_service=SELF_SERVICE, scheduled=SCHEDULED),
        )
        for number in range(count)
    ]
    return tuple(made[1::2] + made[::2])
