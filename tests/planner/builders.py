"""Scale sets, instances, decisions and runs made to order, and a clock that carries a run through polls."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from planner.azure.fleet import Health, Instance, Interval, MaintenanceStatus, Orchestration, ScaleSet
from planner.azure.usage import Habits
from planner.azure.wave import Announcement, Stage, Wave
from planner.decision.checks import counter_indications
from planner.decision.decide import Decision, decide
from planner.machine.advance import advance
from planner.observe.outstanding import outstanding
from planner.policy.model import Match, Policy, Rule, Rules
from planner.policy.overrides import NOTHING
from planner.policy.resolve import rules_for
from planner.record.action import Action
from planner.record.batch import Batch
from planner.record.check import Check
from planner.record.command import Command, CommandKind
from planner.record.instance import InstanceProgress
from planner.record.observation import Observation
from planner.record.run import Run, Target, Verdict
from planner.record.states import InstanceState, RunState
from planner.replan import new_plan
from tests.altered import made

SUBSCRIPTION = "aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)  # a Sunday
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

SELF_SERVICE = Interval(NOW - HOUR, NOW + 20 * DAY)
SCHEDULED = Interval(NOW + 21 * DAY, NOW + 28 * DAY)
STATUS = MaintenanceStatus(allowed=True, self_service=SELF_SERVICE, scheduled=SCHEDULED)

EVENTFUL = {"self-service": "always"}
"""The shortest policy under which something is started."""


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def scale_set(name: str = "web", *, group: str = "Prod", **more: Any) -> ScaleSet:
    where = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers"
    arm_id = f"{where}/Microsoft.Compute/virtualMachineScaleSets/{name}"
    return ScaleSet(arm_id, SUBSCRIPTION, group, name, "eastus2", **more)


def flexible(name: str = "flex", **more: Any) -> ScaleSet:
    return scale_set(name, orchestration=Orchestration.FLEXIBLE, **more)


def instance(id: str = "0", domain: int | None = 0, **more: Any) -> Instance:  # noqa: A002
    fields: dict[str, Any] = {
        "update_domain": domain,
        "power": "running",
        "provisioning": "succeeded",
        "health": Health.HEALTHY,
        "maintenance": STATUS,
        **more,
    }
    return Instance(str(id), **fields)


def fleet(size: int = 10, domains: int = 5, **more: Any) -> tuple[Instance, ...]:
    """Instances 0 to size-1, spread over the domains in turn, all of them impacted and healthy."""
    return tuple(instance(str(number), number % domains, **more) for number in range(size))


def policy(*, lead: str = "0m", **values: Any) -> Policy:
    """A policy whose one rule matches everything; `lead` is nothing unless said."""
    special = {key: values.pop(key) for key in ("freezes", "stop", "problem") if key in values}
    written = {key.replace("_", "-"): str(value) for key, value in values.items()}
    return Policy(rules=(Rule("all", Match(), {"lead": lead, **written}),), **special)


def always(**values: Any) -> Policy:
    return policy(self_service="always", **values)


def rules(**values: Any) -> Rules:
    return rules_for(policy(**values), scale_set())


def announcement(
    stage: Stage = Stage.PLANNED, at: datetime = NOW - DAY, tracking_id: str = "VM12-3AB", **more: Any
) -> Announcement:
    fields: dict[str, Any] = {
        "tracking_id": tracking_id,
        "subscription": SUBSCRIPTION,
        "communication_id": f"{tracking_id} {stage} {at}",
        "stage": stage,
        "alert": f"{tracking_id} {stage} {at}",
        "event_time": at,
        "submitted_at": at,
        "received_at": at,
        **more,
    }
    return Announcement(**fields)


def wave(*announcements: Announcement, tracking_id: str = "VM12-3AB") -> Wave:
    return Wave(tracking_id, SUBSCRIPTION, announcements or (announcement(tracking_id=tracking_id),))


def decided(
    a_set: ScaleSet | None = None,
    instances: Sequence[Instance] | None = None,
    a_policy: Policy | None = None,
    now: datetime = NOW,
    **more: Any,
) -> Decision:
    return decide(
        a_set or scale_set(),
        fleet() if instances is None else instances,
        more.pop("announcements", (announcement(),)),
        a_policy or always(),
        now,
        **more,
    )


def check(decision: Decision, name: str) -> Check:
    """The one check of that name; a decision without it, or with two, is wrong."""
    (found,) = [one for one in decision.checks if one.name == name]
    return found


def planned(
    a_set: ScaleSet | None = None,
    instances: Sequence[Instance] | None = None,
    a_policy: Policy | None = None,
    now: datetime = NOW,
    **more: Any,
) -> Run:
    """A new run, as the plan stage makes it."""
    a_set, instances = a_set or scale_set(), fleet() if instances is None else instances
    waves = more.pop("waves", (wave(),))
    former = more.pop("former", None)
    decision = decide(
        a_set,
        outstanding(instances, former, now),
        [one.current for one in waves],
        a_policy or always(),
        now,
        **more,
    )
    return new_plan.new_run(a_set, instances, decision, waves, now, former=former)


def planned_again(
    run: Run,
    a_set: ScaleSet | None = None,
    instances: Sequence[Instance] | None = None,
    a_policy: Policy | None = None,
    now: datetime = NOW,
    waves: Sequence[Wave] | None = None,
    **more: Any,
) -> Run:
    """The run after another plan, with what was raised for it, as the plan stage makes it.

    `more` goes to the poll of the plan: what it read one by one, what was absent there.
    """
    a_set, instances = a_set or scale_set(), fleet() if instances is None else instances
    waves = waves or (wave(),)
    decision = decide(
        a_set,
        outstanding(instances, run, now),
        [one.current for one in waves],
        a_policy or always(),
        now,
        raised=run.terms.raised or NOTHING,
    )
    observation = observe(a_set, instances, now=now, **more)
    return new_plan.replanned(run, a_set, instances, decision, waves, now, observation)


def observe(
    a_set: ScaleSet | None = None,
    instances: Sequence[Instance] | None = None,
    a_policy: Policy | None = None,
    now: datetime = NOW,
    **more: Any,
) -> Observation:
    """A poll that read everything, each instance by itself as well; `absent` answered 404 to that.

    `direct` says which instances were read one by one where it was not all of them.
    """
    a_set, instances = a_set or scale_set(), fleet() if instances is None else instances
    rules_now = rules_for(a_policy or always(), a_set)
    absent = frozenset(more.pop("absent", ()))
    direct = frozenset(more.pop("direct", {one.id for one in instances} | absent))
    fields: dict[str, Any] = {"scale_set": a_set, "rules": rules_now, **more}
    return Observation(now, tuple(instances), direct=direct, absent=absent, **fields)


def listed(*args: Any, **more: Any) -> Observation:
    """A poll that read the listing alone: nothing in it is confirmed."""
    return observe(*args, direct=(), **more)


def confirmed(
    run: Run, instances: Sequence[Instance], a_policy: Policy | None = None, now: datetime = NOW, **more: Any
) -> tuple[Run, tuple[Action, ...]]:
    """The run after two polls an interval apart that saw the same, and what both of them asked for."""
    actions: tuple[Action, ...] = ()
    for at in (now, now + MINUTE):
        run, asked = step(run, observe(more.get("a_set"), instances, a_policy, at, **_look_only(more)))
        actions += asked
    return run, actions


def _look_only(more: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in more.items() if key != "a_set"}


def command(word: CommandKind, id: str = "", at: datetime = NOW, **more: Any) -> Command:  # noqa: A002
    fields = {"actor": "ada", "comment": "", **more}
    return Command(id or f"{word} at {at}", word, at=at, **fields)


def run_of(*batches: Batch, **more: Any) -> Run:
    """A run with these batches, planned, with a deadline far away; fields as given."""
    one = scale_set()
    fields: dict[str, Any] = {
        "target": Target(
            one.id, SUBSCRIPTION, one.resource_group, one.name, one.location, Orchestration.UNIFORM, 10
        ),
        "waves": ("VM12-3AB",),
        "state": RunState.SCHEDULED,
        "reason": "Planned.",
        "verdict": Verdict.SELF_SERVICE,
        "due": NOW,
        "planned_at": NOW,
        "batches": batches,
        "self_service": SELF_SERVICE,
        "scheduled": SCHEDULED,
        "deadline": SELF_SERVICE.end - HOUR,
        **more,
    }
    return made(**fields)


def batch(number: int, *ids: str, **more: Any) -> Batch:
    instances = tuple(one if isinstance(one, InstanceProgress) else InstanceProgress(one) for one in ids)
    return Batch(number, more.pop("domain", f"domain {number}"), instances, **more)


def states(run: Run) -> Mapping[str, InstanceState]:
    return {one.id: one.state for one in run.instances}


def one_of(run: Run, id: str) -> InstanceProgress:  # noqa: A002
    (found,) = [one for one in run.instances if one.id == str(id)]
    return found


def without(instances: Iterable[Instance], *ids: str) -> tuple[Instance, ...]:
    return tuple(one for one in instances if one.id not in ids)


def changed(instances: Iterable[Instance], id: str, **fields: Any) -> tuple[Instance, ...]:  # noqa: A002
    return tuple(replace(one, **fields) if one.id == id else one for one in instances)


def step(
    run: Run, observation: Observation, *events: Command, now: datetime | None = None
) -> tuple[Run, tuple[Action, ...]]:
    return advance(run, observation, events, now or observation.at)


def checked(
    name: str,
    a_set: ScaleSet | None = None,
    instances: tuple[Instance, ...] | None = None,
    a_rules: Rules | None = None,
) -> Check:
    """The one check of that name; every check stands in every result exactly once."""
    found = counter_indications(
        scale_set() if a_set is None else a_set,
        fleet() if instances is None else instances,
        a_rules or Rules(),
        NOW,
    )
    (one,) = [each for each in found if each.name == name]
    return one


def lived(**habits: Any) -> ScaleSet:
    """A scale set whose life was looked up; it is old enough for its habits to mean something."""
    return scale_set(habits=Habits(**habits), created=NOW - 90 * DAY)
