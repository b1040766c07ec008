"""Whether an instance serves again after its maintenance; what is off and who switched it off."""

from datetime import datetime, timedelta

from planner.azure.fleet import Health, Instance, ResultCode
from planner.observe.aside import minutes, put_off, set_aside
from planner.observe.confirmation import cleared, confirmed, matured, sighted
from planner.observe.settle import fail, settle
from planner.policy.health import describe, serving
from planner.record.copying import replace
from planner.record.instance import InstanceProgress, Sight
from planner.record.observation import Observation
from planner.record.run import Run
from planner.record.states import InstanceState
from planner.text.phrases import say

HEALTHY_POLLS = 2

VIEWS_FOLLOW = timedelta(minutes=10)  # a view is minutes behind at the most


def off(
    run: Run, progress: InstanceProgress, instance: Instance, observation: Observation, now: datetime
) -> InstanceProgress:
    """Switched off after our start: a person's doing only where the log, or its having served, says so."""
    maintained = f"Rebooted ({progress.proof})" if progress.proof else "Started"
    if progress.id in run.fleet.stops:
        words = f"{maintained}, then stopped by {run.fleet.stops[progress.id]}."
        return settle(progress, InstanceState.SKIPPED, words, now)
    if progress.state is InstanceState.FAILED:
        return progress
    if progress.up_at is not None:
        words = f"Rebooted and healthy at {say(progress.up_at)}, then {instance.power} by somebody."
        return settle(progress, InstanceState.SKIPPED, words, now)
    if not confirmed(progress, Sight.STOPPED, observation):
        words = f"{maintained}, and it is {instance.power}; a second poll has to confirm it."
        return sighted(progress, Sight.STOPPED, observation, words)
    return fail(
        cleared(progress),
        f"{maintained}, and it did not come back: it is {instance.power}, and nobody is known to have "
        "stopped it.",
    )


def verifying(
    run: Run, progress: InstanceProgress, instance: Instance, observation: Observation, now: datetime
) -> InstanceProgress:
    if instance.switched_off:
        return off(run, progress, instance, observation, now)
    if progress.state is InstanceState.VERIFYING and put_off(progress, instance):
        # Its operation succeeded in putting it off; the view that was read with that was of before.
        code = instance.status.result if instance.status else ""
        return set_aside(run, progress, instance, observation, now, code)
    gone = instance.maintenance is None
    progress = sighted(progress, Sight.STATUS, observation) if gone else cleared(progress)
    if serves(run, progress, instance):
        polls = progress.healthy_polls + 1
        progress = replace(progress, healthy_polls=polls, up_at=progress.up_at or now)
        if polls >= HEALTHY_POLLS and progress.state is not InstanceState.FAILED:
            offered = _offered_as_before(progress, instance, now)
            if offered and now - (progress.proof_at or now) < VIEWS_FOLLOW:
                words = f"Rebooted ({progress.proof}) and healthy, but Azure still offers its maintenance."
                return replace(progress, reason=words)
            return settle(
                progress,
                InstanceState.MAINTAINED,
                f"Rebooted: {progress.proof}, running and {_health(instance)} on two polls.",
                now,
                gone=offered or matured(progress, Sight.STATUS, observation),
            )
        return progress
    since = progress.since or progress.intent_at or now
    if progress.state is not InstanceState.FAILED and now - since > run.terms.recover_within:
        return fail(
            progress,
            f"Rebooted {say(progress.proof_at or since)}, still not healthy {minutes(run)} after its start "
            f"(last seen: {describe(instance)}).",
        )
    return replace(progress, healthy_polls=0)


def serves(run: Run, progress: InstanceProgress, instance: Instance) -> bool:
    reported = progress.before is not None and progress.before.reported_health
    return serving(instance, run.terms.health, reported_before=reported)


def _offered_as_before(progress: InstanceProgress, instance: Instance, now: datetime) -> bool:
    """Whether Azure shows the very status it showed before the start: done, and due again.

    A stop and start since the maintenance does that, and no poll need have seen it.
    """
    status, before = instance.status, progress.before
    if status is None or before is None or status.result == ResultCode.COMPLETED:
        return False
    same = (status.allowed, status.result, status.self_service) == (True, before.result, before.self_service)
    return same and status.self_service is not None and now in status.self_service


def _health(instance: Instance) -> str:
    silent = instance.health is Health.NOT_REPORTED
    return "reporting no health, as before," if silent else instance.health.value
