"""What a poll tells about an instance: whether its maintenance happened, and whether it serves again.

Done needs proof (docs/promises.md): first the maintenance itself, then running, then healthy on two polls.
"""

from datetime import datetime

from planner.azure.fleet import Instance
from planner.observe.confirmation import cleared, matured, sighted
from planner.observe.not_started import waiting
from planner.observe.proof import looking_for_proof
from planner.observe.recovery import verifying
from planner.observe.settle import deleted, fail
from planner.policy.health import describe, ill
from planner.record.copying import replace
from planner.record.instance import InstanceProgress, Sight
from planner.record.observation import Observation
from planner.record.run import Run
from planner.record.states import InstanceState
from planner.text.phrases import say


def observed(
    run: Run,
    progress: InstanceProgress,
    instance: Instance | None,
    observation: Observation,
    now: datetime,
    *,
    gone: bool = False,
) -> InstanceProgress:
    """The instance after a poll; `instance` is None where the poll did not show it.

    `gone`: two polls and a direct read agree that it no longer exists. What was not shown, or cannot be read,
    changes nothing. Every change carries its sentence.
    """
    if progress.answered and not progress.begun:
        progress = replace(progress, begun=True)
    if progress.settled:
        return _after_the_end(run, progress, instance, observation, now)
    if gone:
        return deleted(progress, observation, now)
    if instance is None or instance.unreadable:
        return progress
    if progress.waiting:
        return waiting(run, progress, instance, observation, now)
    progress = replace(progress, seen_down=progress.seen_down or instance.down)
    if progress.proof_at is None:
        progress = looking_for_proof(run, progress, instance, observation, now)
    if progress.proof_at is not None and not progress.settled:
        progress = verifying(run, progress, instance, observation, now)
    return progress


def _after_the_end(
    run: Run, progress: InstanceProgress, instance: Instance | None, observation: Observation, now: datetime
) -> InstanceProgress:
    """A settled instance: whether its status goes, and whether what this run maintained still serves."""
    if instance is None or instance.unreadable:
        return progress
    if progress.state is InstanceState.MAINTAINED and ill(instance, run.terms.health):
        return _no_longer_serving(run, progress, instance, observation, now)
    if instance.maintenance is None and not progress.gone:
        if matured(progress, Sight.STATUS, observation):
            return replace(progress, gone=True, sighting=None)
        return sighted(progress, Sight.STATUS, observation)
    return cleared(progress)


def _no_longer_serving(
    run: Run, progress: InstanceProgress, instance: Instance, observation: Observation, now: datetime
) -> InstanceProgress:
    """Maintained, served again, and does not any more: no next domain before a person says so."""
    if instance.switched_off and progress.id in run.fleet.stops:
        words = f"Rebooted; stopped since by {run.fleet.stops[progress.id]}."
        # A stop can take its status with it and bring it back at the next start.
        gone = progress.gone or instance.maintenance is None
        return replace(cleared(progress), reason=words, gone=gone)
    if progress.id not in observation.direct and not matured(progress, Sight.ILL, observation):
        return sighted(progress, Sight.ILL, observation)
    since = progress.sighting.since if progress.sighting else now
    return fail(
        cleared(progress),
        f"Rebooted and healthy at {say(progress.finished_at or now)}, unhealthy since {say(since)} "
        f"({describe(instance)}).",
    )
