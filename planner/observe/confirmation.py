"""One answer is no proof: what a poll shows for the first time counts when a second poll confirms it.

ARM answers while it replicates (hashicorp/terraform-provider-azurerm#18268) and shows views of a minute ago;
so a status that is gone, or an instance that is stopped, has to be there twice, a poll apart.
"""

from planner.record.copying import replace
from planner.record.instance import InstanceProgress, Sight, Sighting
from planner.record.observation import Observation


def confirmed(progress: InstanceProgress, what: Sight, observation: Observation) -> bool:
    """Whether `what` was seen at least one poll interval ago as well and, where it has to be, read directly.

    A direct read beside a listing that shows otherwise, or cannot be read, is one answer: it counts when
    another one, a poll interval ago, said the same.
    """
    if not matured(progress, what, observation):
        return False
    if what is not Sight.STATUS:
        return True
    before = progress.sighting.alone if progress.sighting is not None else None
    twice = before is not None and observation.at - before >= observation.poll_interval
    return progress.id in observation.direct and (progress.id not in observation.alone or twice)


def matured(progress: InstanceProgress, what: Sight, observation: Observation) -> bool:
    """Whether an earlier poll, at least one poll interval ago, has seen `what`."""
    seen = progress.sighting
    return seen is not None and seen.what is what and observation.at - seen.since >= observation.poll_interval


def sighted(
    progress: InstanceProgress, what: Sight, observation: Observation, reason: str = ""
) -> InstanceProgress:
    """The instance with `what` seen by this poll; the first poll that saw it counts."""
    seen = progress.sighting
    if seen is None or seen.what is not what:
        seen = Sighting(what, observation.at)
    if progress.id in observation.alone and seen.alone is None:
        seen = replace(seen, alone=observation.at)
    return replace(progress, sighting=seen, reason=reason or progress.reason)


def cleared(progress: InstanceProgress) -> InstanceProgress:
    """The instance after a poll that showed nothing of what was to be confirmed."""
    return replace(progress, sighting=None) if progress.sighting is not None else progress
