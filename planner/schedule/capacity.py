"""What a plan takes away from the serving instances, and what would make up for it."""

from collections.abc import Collection, Sequence
from datetime import datetime

from planner.azure.fleet import Instance, ScaleSet, natural
from planner.azure.usage import LOOK_BACK
from planner.policy.health import ill, serving
from planner.policy.model import Rules
from planner.policy.overrides import accepted_instances
from planner.record.batch import Batch
from planner.record.copying import replace
from planner.record.observation import Observation
from planner.record.run import Run
from planner.record.states import BatchState, InstanceState
from planner.text.phrases import many, some


def share(batch: Batch, serving_now: int) -> int | None:
    """What percentage of the serving instances a batch takes away; None when nothing serves."""
    return round(100 * len(batch.instances) / serving_now) if serving_now else None


def with_capacity(run: Run, scale_set: ScaleSet, instances: Sequence[Instance], rules: Rules) -> Run:
    """The run with how many instances serve now and the sentence about what its batches take away."""
    up = {instance.id for instance in instances if serving(instance, rules.health)}
    # Instances that are switched off or ill already are not taken away by a batch.
    waiting = [
        sum(not instance.settled and instance.id in up for instance in batch.instances)
        for batch in run.batches
        if batch.state is BatchState.PENDING
    ]
    words, most, habits = "", max(waiting, default=0), scale_set.habits
    if most:
        words = (
            f"At most {most} of {len(up)} healthy instances {'is' if most == 1 else 'are'} down at a time "
            f"({round(100 * most / len(up))} %); {many(most, 'more instance')} would make up for it."
        )
    if most and habits is not None and habits.autoscale and habits.scales_in:
        words += (
            f" The autoscale setting {habits.autoscale} may remove instances meanwhile: raise its minimum "
            "until the run is over."
        )
    return replace(run, fleet=replace(run.fleet, serving=len(up), capacity=words))


def with_served(run: Run, instances: Sequence[Instance]) -> Run:
    """The run with the instances that served when it was planned, or at a plan before.

    A new plan forgets none of them: what is down since, whatever took it down, counts against
    `max-unavailable` until it serves again, and so does what a listing leaves out.
    """
    up = {instance.id for instance in instances if serving(instance, run.terms.health)}
    left = tuple(key for key in run.fleet.left_down if key not in up)
    served = tuple(sorted({*run.fleet.served, *up, *left}, key=natural))
    return replace(run, fleet=replace(run.fleet, served=served, left_down=left))


def left_down(former: Run, instances: Sequence[Instance], now: datetime) -> tuple[str, ...]:
    """What the maintenance of `former`, or of a run before it, left not serving.

    What it missed after a start counts, and what it maintained and is ill now, as long as the activity log
    goes back: a reboot may show late what it has broken. `lost` leaves out what somebody has stopped.
    """
    settled = {instance.id for instance in former.instances}
    earlier = (key for key in former.fleet.left_down if key not in settled)
    missed = (
        instance.id
        for instance in former.instances
        if instance.begun and instance.state is InstanceState.MISSED
    )
    down = {instance.id for instance in instances if ill(instance, former.terms.health)}
    relapsed = (
        instance.id
        for instance in former.instances
        if instance.state is InstanceState.MAINTAINED
        and instance.id in down
        and instance.finished_at is not None
        and now - instance.finished_at < LOOK_BACK
    )
    return (*earlier, *missed, *relapsed)


def with_stops(run: Run, observation: Observation) -> Run:
    """The run with who stopped what, where this poll has asked the activity log."""
    if observation.stops is None:
        return run
    return replace(
        run,
        fleet=replace(run.fleet, stops={**run.fleet.stops, **observation.stops}, log_read_at=observation.at),
    )


def lost(run: Run, instances: Sequence[Instance], accepted: Collection[str] = ()) -> frozenset[str]:
    """The instances that served when it was planned and do not now, whatever the reason.

    Except those that somebody is known to have stopped, and those whose failure a person has `accepted`.
    """
    seen = {instance.id: instance for instance in instances}

    def excused(instance: Instance) -> bool:
        stopped = instance.switched_off and instance.id in run.fleet.stops
        return stopped or serving(instance, run.terms.health)

    return frozenset(
        key for key in run.fleet.served if key not in accepted and not (key in seen and excused(seen[key]))
    )


def left_behind(run: Run, observation: Observation) -> str:
    """What an earlier run's maintenance left down and does not serve at this poll either, as a sentence.

    It starts with a space, and is empty when there is none. A run must not end as if all were well.
    """
    if observation.instances is None or observation.deleted:
        return ""
    accepted = accepted_instances(observation.rules.accept) if observation.rules is not None else frozenset()
    down = sorted(lost(run, observation.instances, accepted).intersection(run.fleet.left_down), key=natural)
    if not down:
        return ""
    which, has = ("Instance", "has") if len(down) == 1 else ("Instances", "have")
    return f" {which} {some(down, most=10)} {has} been unhealthy since an earlier reboot by Breakwater."
