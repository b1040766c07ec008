"""What Azure does not show: an instance or scale set is gone when two polls agree, each with a direct read.

Listings leave out what exists, and ARM answers 404 while it replicates between regions
(hashicorp/terraform-provider-azurerm#18268, #32535). Until the second poll what is not shown is unreadable.
"""

from collections.abc import Iterator
from datetime import datetime

from planner.azure.fleet import Health, Instance, natural
from planner.observe.confirmation import matured
from planner.policy.health import ill
from planner.record.copying import replace
from planner.record.instance import InstanceProgress, Sight
from planner.record.notice import Kind
from planner.record.observation import Observation
from planner.record.run import Run, again
from planner.record.shown import shown_by
from planner.record.states import ACTIVE, InstanceState, RunState
from planner.state.notices import with_question
from planner.text.backoff import after_trouble
from planner.words import checks
from planner.words import pausing as words

MOST_READS = 32
"""Instances that one poll reads one by one: a listing without any view would otherwise cost one call each."""


def to_read(run: Run, observation: Observation) -> tuple[str, ...]:
    """The instances this poll has to read one by one, the most urgent first, `MOST_READS` at the most."""
    seen = {instance.id: instance for instance in observation.instances or ()}
    return tuple(dict.fromkeys(_unclear(run, observation, seen)))[:MOST_READS]


def _unclear(run: Run, observation: Observation, seen: dict[str, Instance]) -> Iterator[str]:
    doubtful: list[InstanceProgress] = []
    relapsed: list[str] = []
    for progress in run.instances:
        instance = seen.get(progress.id)
        if progress.state is InstanceState.MAINTAINED:
            if instance is not None and ill(instance, run.terms.health):
                relapsed.append(progress.id)
        elif not progress.settled and _doubtful(progress, instance, observation):
            doubtful.append(progress)
    yield from (each.id for each in doubtful if not each.waiting)
    yield from relapsed
    yield from (each.id for each in doubtful)
    yield from (key for key in run.fleet.served if key not in seen or seen[key].unreadable)
    if not seen.keys() >= set(run.fleet.members):
        yield from (member for member in run.fleet.members if member not in seen)


def _doubtful(progress: InstanceProgress, instance: Instance | None, observation: Observation) -> bool:
    """Whether the listing alone does not tell; a status that is gone is read directly at the second poll."""
    if instance is None or instance.unreadable:
        return True
    unproven = instance.maintenance is None and progress.proof_at is None
    return unproven and matured(progress, Sight.STATUS, observation)


def _poll_ago(at: datetime, observation: Observation) -> bool:
    return observation.at - at >= observation.poll_interval


def noticed(run: Run, observation: Observation) -> tuple[Run, frozenset[str]]:
    """The run with what this poll did not show, and the instances that are certainly gone."""
    if observation.deleted:
        everything = frozenset(instance.id for instance in run.instances)
        return replace(
            run,
            gaps=replace(run.gaps, missing={}, not_found={}),
            fleet=replace(
                run.fleet,
                served=(),
                left_down=(),
                members=(),
                reporting=(),
                shown=(),
                shown_at=observation.at,
            ),
        ), everything
    seen = {instance.id for instance in observation.instances or ()}
    open_ones = [instance.id for instance in run.instances if not instance.settled]
    missing: dict[str, datetime] = {}
    if not all(map(seen.issuperset, (open_ones, run.fleet.served, run.fleet.members))):
        known = dict.fromkeys((*open_ones, *run.fleet.served, *run.fleet.members))
        missing = {key: run.gaps.missing.get(key, observation.at) for key in known if key not in seen}
    # A listing that leaves it out and a 404 are one poll's answer; the next poll has to give both again.
    not_found = {
        key: run.gaps.not_found.get(key, observation.at) for key in missing if key in observation.absent
    }
    gone = frozenset(key for key, since in not_found.items() if _poll_ago(since, observation))
    return (
        replace(
            run,
            gaps=replace(
                run.gaps,
                missing={key: since for key, since in missing.items() if key not in gone},
                not_found={key: since for key, since in not_found.items() if key not in gone},
            ),
            fleet=replace(
                run.fleet,
                served=tuple(key for key in run.fleet.served if key not in gone),
                left_down=tuple(key for key in run.fleet.left_down if key not in gone),
                members=_with(run.fleet.members, seen, gone),
                reporting=_all_reporting(run.fleet.reporting, seen, observation, gone),
                shown=shown_by(observation.instances or ()),
                shown_at=observation.at,
            ),
        ),
        gone,
    )


def _all_reporting(
    known: tuple[str, ...], seen: set[str], observation: Observation, gone: frozenset[str]
) -> tuple[str, ...]:
    """Those that have ever reported health, with what this poll shows; mostly nobody new has."""
    if not gone and seen.issubset(known):
        return known
    return _with(known, set(_reporting(observation)), gone)


def _reporting(observation: Observation) -> Iterator[str]:
    """Those whose application reports health in this poll."""
    unsaid = {Health.NOT_REPORTED, Health.UNKNOWN}
    return (
        instance.id
        for instance in observation.instances or ()
        if not instance.unreadable and instance.health not in unsaid
    )


def _with(known: tuple[str, ...], seen: set[str], gone: frozenset[str]) -> tuple[str, ...]:
    """The ids known so far with those seen now and without those that are gone, in a stable order."""
    if not gone and seen.issubset(known):
        return known
    before = set(known)
    after = (before | seen) - gone
    return known if after == before else tuple(sorted(after, key=natural))


def deleted_for_certain(run: Run, observation: Observation) -> bool:
    """Whether an earlier poll, a poll interval ago or more, did not find the scale set either."""
    return (
        observation.deleted
        and run.gaps.absent_since is not None
        and _poll_ago(run.gaps.absent_since, observation)
    )


def unclear(run: Run) -> bool:
    """Whether the next poll has to read Azure, and soon: something is to be confirmed or was not readable."""
    waits = run.gaps.unread is not None or run.gaps.absent_since is not None or bool(run.gaps.missing)
    return waits or any(_to_confirm(instance) for instance in run.instances)


def _to_confirm(progress: InstanceProgress) -> bool:
    """Whether a second poll, whatever may start by then, changes what becomes of it.

    What has failed waits for a person, and what would skip a waiting instance waits for its batch's turn.
    """
    if progress.sighting is None:
        return False
    what = progress.sighting.what
    if progress.waiting:
        return what in {Sight.STATUS, Sight.COMPLETED}
    if progress.in_flight:
        return what == Sight.STOPPED or progress.proof_at is None
    return progress.state is InstanceState.MAINTAINED and what == Sight.ILL


def unreadable(run: Run, observation: Observation) -> str:
    """What of the run this poll could not read, in a sentence; empty when it read everything."""
    if observation.deleted and not deleted_for_certain(run, observation):
        return words.SCALE_SET_NOT_SHOWN
    found = [instance for instance in observation.instances or () if instance.unreadable]
    if found:
        open_ones = {instance.id for instance in run.instances if not instance.settled} | set(
            run.fleet.served
        )
        found = [instance for instance in found if instance.id in open_ones]
    if found:
        return checks.instance_unreadable(found[0].unreadable, found[0].id, len(found) - 1)
    if run.gaps.missing:
        first, *others = run.gaps.missing
        return checks.not_listed(first, len(others))
    return ""


def tracked(run: Run, observation: Observation, now: datetime) -> Run:
    """The run with how long something of it has been unreadable; told once after half an hour."""
    why = unreadable(run, observation)
    if not why:
        return replace(run, gaps=replace(run.gaps, unread=None))
    trouble = again(run.gaps.unread, why, observation.at)
    if trouble.to_tell(now):
        sentence = words.unreadable(trouble.since, why)
        run = with_question(run, Kind.TROUBLE, sentence, now, instances=observation.instances)
        trouble = replace(trouble, told=True)
    return replace(run, gaps=replace(run.gaps, unread=trouble))


def next_poll(run: Run, observation: Observation, now: datetime) -> datetime:
    """When to poll what is unclear: a poll interval from now, later the longer it stays unreadable."""
    count = run.gaps.unread.count if run.gaps.unread is not None else 0
    return now + max(observation.poll_interval, after_trouble(max(0, count - 2)))


def without_scale_set(run: Run, observation: Observation, now: datetime) -> Run:
    """The run after a poll that did not find its scale set for the first time: nothing has ended yet."""
    if run.state in ACTIVE and run.state is not RunState.PAUSED:
        run = replace(run, reason=unreadable(run, observation))
    return replace(
        run,
        due=now + observation.poll_interval,
        gaps=replace(run.gaps, absent_since=run.gaps.absent_since or observation.at),
    )
