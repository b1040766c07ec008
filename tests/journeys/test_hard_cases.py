"""Hard cases of a wave, each with its exact outcome: played by the real stages on a virtual clock."""

from datetime import timedelta
from typing import Any

from handlers.cloud.errors import Throttled
from handlers.wire.messages import RunMessage
from handlers.wire.policy_file import load
from planner.record.states import RunState
from simulator.fleet import SUBSCRIPTION, Behaviour, ScaleSet, Wave, Window, uniform
from simulator.oracle import violations
from tests.world.world import START, World

QUICK = Behaviour(reboot=timedelta(minutes=2))
POLICY = (
    "defaults: {self-service: always, lead: 2h, soak: 10m, max-unavailable: 50%, "
    "tags-may-loosen: [self-service]}"
)
H, D = timedelta(hours=1), timedelta(days=1)


def world(
    *sets: ScaleSet, policy: str = POLICY, opens: timedelta = -D, lasts: timedelta = 30 * D, **wave: Any
) -> World:
    made = World(policy=load(policy, environment={}))
    made.fleet.add(*sets)
    made.fleet.plan(
        Wave(
            tracking_id="W-1",
            subscriptions=(SUBSCRIPTION,),
            regions=("westeurope",),
            self_service=Window(START + opens, START + opens + lasts),
            scheduled=Window(START + opens + lasts + D, START + opens + lasts + 9 * D),
            **wave,
        )
    )
    return made


def starts(made: World, name: str) -> list[str]:
    return [
        s.instance.rpartition("/")[2]
        for s in made.fleet.ledger.starts("customer")
        if s.scale_set.lower().endswith("/" + name)
    ]


async def test_an_order_declared_after_the_announcement_is_kept() -> None:
    """A team adds `breakwater-after: db` an hour after the wave was discovered, before anything has started."""
    made = world(
        uniform("db", 4, update_domains=4, behaviour=QUICK),
        uniform("web", 2, update_domains=2, behaviour=QUICK),
    )
    await made.alert("W-1")
    await made.until(START + H)
    made.fleet.scale_set("web").tags["breakwater-after"] = "db"
    await made.until(START + 2 * D)
    order = [(s.at, s.scale_set.rpartition("/")[2]) for s in made.fleet.ledger.starts("customer")]
    last_db = max(at for at, name in order if name == "db")
    first_web = min(at for at, name in order if name == "web")
    assert made.run_of("web").terms.after == ("db",)
    assert first_web > last_db, order


async def test_what_a_person_skipped_is_not_started_by_a_repeated_announcement() -> None:
    """Instance 0 has a window of its own that ends later; Ana skips it; the announcement comes once more."""
    made = world(uniform("web", 3, update_domains=3, behaviour=QUICK))
    ticket = made.fleet.scale_set("web").instances["0"].tickets[0]
    ticket.self_service = Window(ticket.self_service.start, ticket.self_service.end + D)
    await made.alert("W-1")
    await made.until(START + H)
    await made.say("web", "skip", instances=("0",))
    await made.until(START + D)
    assert made.run_of("web").state is RunState.COMPLETED
    assert starts(made, "web") == ["1", "2"]
    await made.alert("W-1", "Active")
    await made.until(START + 2 * D)
    assert starts(made, "web") == ["1", "2"]


async def test_maintained_instances_are_not_started_again_after_the_run_was_archived() -> None:
    """Status lingers, flag true, result code `None`: proof was the operation. A second wave archives the run."""
    made = world(
        uniform("web", 2, update_domains=2, behaviour=QUICK | Behaviour(after_success="lingers_allowed"))
    )
    await made.alert("W-1")

    def plain() -> None:
        for one in made.fleet.scale_set("web").instances.values():
            for ticket in one.tickets:
                ticket.code = "None"

    for hour in range(1, 72):
        await made.until(START + hour * H)
        plain()
        if made.run_of("web").state is RunState.COMPLETED:
            break
    assert starts(made, "web") == ["0", "1"]
    made.fleet.plan(
        Wave(
            tracking_id="W-2",
            subscriptions=(SUBSCRIPTION,),
            regions=("westeurope",),
            self_service=Window(START + 5 * D, START + 20 * D),
            scheduled=Window(START + 21 * D, START + 25 * D),
            impacted=lambda one: False,
        )
    )
    await made.until(START + 4 * D)
    await made.alert("W-2")
    await made.until(START + 8 * D)
    assert starts(made, "web") == ["0", "1"]


async def test_a_hold_is_still_shown_after_another_plan() -> None:
    made = world(uniform("web", 2, update_domains=2, behaviour=QUICK))
    await made.alert("W-1")
    await made.until(START + H)
    await made.say("web", "hold")
    await made.until(START + 1.2 * H)
    made.fleet.scale_set("web").tags["breakwater-self-service"] = "never"
    await made.alert("W-1", "Active")
    await made.until(START + 1.5 * H)
    del made.fleet.scale_set("web").tags["breakwater-self-service"]
    await made.until(START + 12 * H)
    run = made.run_of("web")
    assert starts(made, "web") == []
    assert run.needs_person and "Held" in run.reason, (run.state, run.reason, run.people.holding)


def takes_long(made: World, *reads: str) -> None:
    """These reads of Azure take 40 seconds each."""
    for name in reads:
        honest = getattr(made.compute, name)

        async def slow(*asked: Any, honest: Any = honest) -> Any:
            made.clock.advance(timedelta(seconds=40))
            return await honest(*asked)

        setattr(made.compute, name, slow)


async def test_a_listing_too_slow_for_fresh_polls_keeps_nobody_from_being_maintained() -> None:
    made = world(uniform("web", 2, update_domains=2, behaviour=QUICK))
    await made.alert("W-1")
    await made.until(START + H)
    takes_long(made, "instances")
    await made.until(START + 2 * D)
    assert starts(made, "web") == ["0", "1"]
    assert made.run_of("web").state is RunState.COMPLETED


async def test_an_azure_too_slow_for_fresh_polls_is_told() -> None:
    """Reads of single instances take as long: nothing is fresh enough for a start, and somebody should know."""
    made = world(uniform("web", 2, update_domains=2, behaviour=QUICK))
    await made.alert("W-1")
    await made.until(START + H)
    takes_long(made, "instances", "instance")
    await made.until(START + 2 * D)
    run = made.run_of("web")
    assert starts(made, "web") == []
    assert any(one.urgency.value in {"act", "page"} for one in run.story.notices), [
        (n.kind.value, n.sentence) for n in run.story.notices
    ] + [run.reason]


async def test_who_goes_after_an_unhealthy_scale_set_waits_for_a_person() -> None:
    """db's only instance never becomes healthy; its window closes; web has a longer one and goes after db."""
    made = world(
        uniform("db", 1, behaviour=QUICK | Behaviour(health_finally="unhealthy")),
        uniform("web", 2, update_domains=2, behaviour=QUICK, tags={"breakwater-after": "db"}),
        lasts=3 * D,
    )
    for one in made.fleet.scale_set("web").instances.values():
        for ticket in one.tickets:
            ticket.self_service = Window(ticket.self_service.start, ticket.self_service.end + 10 * D)
    await made.alert("W-1")
    await made.until(START + D)
    assert made.run_of("db").state is RunState.PAUSED
    await made.until(START + 4 * D)
    assert starts(made, "web") == [], (made.run_of("db").state, made.run_of("db").reason)


async def test_a_result_code_left_by_an_earlier_wave_does_not_hide_one_whose_window_is_to_come() -> None:
    """The instances show windows to come and the code of their last maintenance, which nobody reset."""
    made = world(uniform("web", 2, update_domains=2, behaviour=QUICK), opens=H)
    for one in made.fleet.scale_set("web").instances.values():
        one.tickets[0].code = "MaintenanceCompleted"
    await made.alert("W-1")
    await made.until(START + D)
    run = made.run_of("web")
    assert starts(made, "web") == ["0", "1"], (run.state, run.reason)


async def test_instances_that_moved_to_another_domain_since_the_plan_are_not_started_together() -> None:
    made = world(uniform("web", 4, update_domains=2, behaviour=QUICK))
    await made.alert("W-1")
    await made.until(START + H)
    made.fleet.scale_set("web").instances["2"].update_domain = 1
    made.fleet.scale_set("web").instances["2"].touch()
    await made.until(START + D)
    assert violations(made.fleet) == []


async def test_a_hold_counts_at_once_while_azure_throttles_this_host() -> None:
    made = world(uniform("web", 4, update_domains=4, behaviour=QUICK))
    await made.alert("W-1")
    await made.until(START + 2.05 * H)
    assert starts(made, "web") == ["0"]
    listing = made.compute.instances

    async def throttled(scale_set: Any) -> Any:
        raise Throttled(timedelta(hours=1))

    made.compute.instances = throttled
    await made.say("web", "hold")
    await made.until(START + 2.1 * H)
    made.compute.instances = listing  # the other host is not throttled
    run = made.run_of("web")
    message = RunMessage(
        subscription=run.target.subscription,
        resource_group=run.target.resource_group,
        name="web",
        generation=run.generation,
    )
    await made.queues.send("runs", message)
    await made.until(START + 2.9 * H)
    assert starts(made, "web") == ["0"]
    assert made.run_of("web").people.holding


async def test_settings_and_marks_of_a_scale_set_decide_as_azure_means_them() -> None:
    """Agents of Azure DevOps are left alone, and a part that is switched off adopts no scheduled events."""
    environment = "/subscriptions/s/providers/Microsoft.App/managedEnvironments/e"
    made = world(
        uniform("agents", 2, behaviour=QUICK, tags={"__AzureDevOpsElasticPool": "linux"}),
        uniform("nodes", 2, behaviour=QUICK, resource_group="rg-e", managed_by=environment),
        uniform("told", 2, behaviour=QUICK, events_published=True),
        uniform("mute", 2, behaviour=QUICK, events_published=False, scheduled_events_policy=True),
        uniform("balanced", 2, behaviour=QUICK, zone_rebalancing=True),
    )
    await made.alert("W-1")
    await made.until(START + 2 * D)
    assert {name: len(starts(made, name)) for name in ("agents", "nodes", "told", "balanced", "mute")} == {
        "agents": 0, "nodes": 0, "told": 0, "balanced": 0, "mute": 2,
    }  # fmt: skip
    said = {name: made.run_of(name).reason for name in ("agents", "nodes", "told", "balanced")}
    assert "an Azure DevOps agent pool (tag __AzureDevOpsElasticPool)" in said["agents"]
    assert "Azure Container Apps" in said["nodes"]
    assert "Event Grid and Resource Graph" in said["told"]
    assert "zone balance" in said["balanced"]
