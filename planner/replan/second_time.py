"""Why an instance is scheduled for the second time, of the guidance's four reasons, by evidence.

The guidance ("Why is my VM scheduled for a second time?"): the wave was cancelled and restarted, the instance
was service healed, it was stopped and started, or an auto-shutdown did that.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from planner.azure.fleet import Instance, ScaleSet
from planner.azure.usage import Habits
from planner.azure.wave import OVER, Announcement, Stage, Wave
from planner.observe.outstanding import offered_anew
from planner.record.instance import InstanceProgress
from planner.record.run import Run
from planner.record.states import InstanceState
from planner.words import second_time as words

DONE = frozenset({InstanceState.MAINTAINED, InstanceState.BY_AZURE})


def explained(run: Run, concerned: Sequence[Instance], waves: Sequence[Wave], scale_set: ScaleSet) -> str:
    """A sentence for the instances among `concerned` that `run` had finished; empty when there are none."""
    finished = {progress.id: progress for progress in run.instances if progress.state in DONE}
    found: dict[str, list[str]] = {}
    for progress in (finished[instance.id] for instance in concerned if instance.id in finished):
        if progress.finished_at is not None:
            why = _why(progress, progress.finished_at, waves, scale_set) or _unknown(scale_set)
            found.setdefault(why, []).append(progress.id)
    return " ".join(words.scheduled_again(ids, why) for why, ids in found.items())


def without_a_reason(
    run: Run, concerned: Sequence[Instance], waves: Sequence[Wave], scale_set: ScaleSet
) -> frozenset[str]:
    """The instances `run` maintained that are offered in another window, and nothing says why.

    Only a person may have them started again: their old status may just show the windows of today.
    """
    seen = {instance.id: instance for instance in concerned}
    return frozenset(
        progress.id
        for progress in run.instances
        if progress.id in seen
        and offered_anew(progress, seen[progress.id])
        and not _why(progress, progress.finished_at or run.planned_at, waves, scale_set)
    )


def unexplained(run: Run, concerned: Sequence[Instance], waves: Sequence[Wave]) -> bool:
    """Whether instances that `run` had finished are due again, and every look-up is older than their end."""
    looked_up = max((wave.evidence.at for wave in waves if wave.evidence is not None), default=None)
    if looked_up is None:
        return False
    due = {instance.id for instance in concerned if instance.status is not None}
    return any(
        instance.id in due
        and instance.state in DONE
        and instance.finished_at is not None
        and instance.finished_at > looked_up
        for instance in run.instances
    )


def _why(progress: InstanceProgress, finished: datetime, waves: Sequence[Wave], scale_set: ScaleSet) -> str:
    """The evidence, in words; empty where there is none."""
    habits = scale_set.habits or Habits()
    key = progress.id.lower()
    healed, stopped = habits.healed.get(key), habits.stopped.get(key)
    # What came after our start and before polls saw it serve again may have undone it as well.
    begun = progress.intent_at or finished
    if healed is not None and healed >= begun:
        return words.healed(healed)
    if stopped is not None and stopped >= begun:
        if habits.shutdown:
            return words.stopped_by_schedule(habits.shutdown, stopped)
        # The caller is known of the last stop only, which may have been another instance's.
        last = habits.last_stop is None or stopped == habits.last_stop
        return words.stopped(stopped, habits.stopped_by if last else "")
    restarted = _restarted(finished, waves)
    if restarted:
        return restarted
    if habits.shutdown:
        return words.stops_daily(habits.shutdown)
    return ""


def _unknown(scale_set: ScaleSet) -> str:
    unread = " ".join(dict.fromkeys(scale_set.unread.values()))
    if scale_set.habits is None or unread:
        return words.unknown(unread)
    return words.NOTHING_SHOWN


def _restarted(finished: datetime, waves: Sequence[Wave]) -> str:
    """A wave that was cancelled or over and is announced again, or another wave announced since."""
    for wave in waves:
        restart = _restart(wave)
        if restart is not None and restart[1].event_time >= finished:
            over, anew = restart
            return words.restarted(wave.tracking_id, over.stage, over.event_time, anew.event_time)
    called_off = [wave for wave in waves if not wave.open]
    for wave in waves:
        if wave.open and wave.announcements and wave.announcements[0].event_time >= finished:
            before = called_off[0].tracking_id if called_off else ""
            return words.other_wave(wave.tracking_id, wave.announcements[0].event_time, before)
    moved = [
        (wave, announcement)
        for wave in waves
        if wave.open
        for announcement in wave.announcements[1:]
        if announcement.event_time >= finished and announcement.stage not in OVER | {Stage.IN_PROGRESS}
    ]
    if not moved:
        return ""
    wave, last = moved[-1]
    return words.announced_anew(wave.tracking_id, last.event_time, last.stage)


def _restart(wave: Wave) -> tuple[Announcement, Announcement] | None:
    """The last announcement that ended an open wave, and the one that began it again."""
    if not wave.open:
        return None
    for over, anew in reversed(list(pairwise(wave.announcements))):
        if over.stage in OVER and anew.stage not in OVER:
            return over, anew
    return None
