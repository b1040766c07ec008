"""Whether an instance serves again after its maintenance; what is off and who switched it off."""

from datetime import datetime, timedelta

from planner.azure.fleet import Health, Instance, ResultCode
from planner.observe.aside import put_off, set_aside
from planner.observe.confirmation import cleared, confirmed, matured, sighted
from planner.observe.settle import fail, settle
from planner.policy.health import describe, serving
from planner.record.copying import replace
from planner.record.instance import InstanceProgress, Sight
from planner.record.observation import Observation
from planner.record.run import Run
from planner.record.states import InstanceState
from planner.words import instances as words
from planner.words.starts import STARTED

HEALTHY_POLLS = 2

VIEWS_FOLLOW = timedelta(minutes=10)  # a view is minutes behind at the most


def off(
    run: Run, progress: InstanceProgress, instance: Instance, observation: Observation, now: datetime
) -> InstanceProgress:
    """Switched off after our start: a person's doing only where the log, or its having served, says so."""
    maintained = words.rebooted(progress.proof) if progress.proof else STARTED
    if progress.id in run.fleet.stops:
        reason = words.stopped(maintained, run.fleet.stops[progress.id])
        return settle(progress, InstanceState.SKIPPED, reason, now)
    if progress.state is InstanceState.FAILED:
        return progress
    if progress.up_at is not None:
        reason = words.off_by_somebody(progress.up_at, instance.power)
        return settle(progress, InstanceState.SKIPPED, reason, now)
    if not confirmed(progress, Sight.STOPPED, observation):
        reason = words.off_for_now(maintained, instance.power)
        return sighted(progress, Sight.STOPPED, observation, reason)
    return fail(cleared(progress), words.off_by_nobody(maintained, instance.power))


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
                return replace(progress, reason=words.still_offered(progress.proof))
            return settle(
                progress,
                InstanceState.MAINTAINED,
                words.maintained(progress.proof, _health(instance)),
                now,
                gone=offered or matured(progress, Sight.STATUS, observation),
            )
        return progress
    since = progress.since or progress.intent_at or now
    if progress.state is not InstanceState.FAILED and now - since > run.terms.recover_within:
        return fail(
            progress,
            words.not_back(progress.proof_at or since, run.terms.recover_within, describe(instance)),
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
    return words.SILENT_AS_BEFORE if silent else instance.health.value
