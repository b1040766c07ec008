"""Which instances a person leaves to Azure, and what is said where a command to skip would touch none."""

from datetime import datetime

from planner.observe.settle import settle
from planner.record.command import Command
from planner.record.instance import InstanceProgress, counted
from planner.record.run import Run
from planner.record.states import InstanceState
from planner.state.change import with_batches
from planner.words import commands as words
from planner.words.instances import standing


def chosen(run: Run, command: Command) -> frozenset[str]:
    """The instances it leaves to Azure: what waits of those it names, or all that waits.

    An instance that failed is skipped only where it or its domain is named: somebody has to see to it.
    """
    waiting = frozenset(instance.id for instance in run.instances if instance.waiting)
    if not command.instances and not command.domains:
        return waiting
    failed = frozenset(instance.id for instance in run.instances if instance.state is InstanceState.FAILED)
    return (waiting | failed) & _named(run, command)


def unknown(run: Run, command: Command) -> str:
    """Which of its names the plan does not have, in a sentence with those it has; empty when it has all."""
    ids = {instance.id for instance in run.instances}
    strange = [instance for instance in command.instances if instance not in ids]
    if strange:
        return words.no_such_instance(strange, _open(run))
    domains = dict.fromkeys(batch.domain for batch in run.batches)
    strange = [domain for domain in command.domains if domain not in domains]
    if strange:
        return words.no_such_domain(strange, domains)
    return ""


def pointless(run: Run, command: Command) -> str:
    """Why it would skip nothing, empty when it skips something."""
    if chosen(run, command):
        return ""
    if command.instances or command.domains:
        return unknown(run, command) or words.cannot_be_skipped(_stand(run, command), _open(run))
    return words.nothing_left_to_skip(counted(run.instances), _open(run))


def skipped(run: Run, command: Command, now: datetime) -> Run:
    """The run with what it names skipped."""
    mine = chosen(run, command)
    reason = words.skipped_by(command.actor, command.comment)

    def skipped(progress: InstanceProgress) -> InstanceProgress:
        if progress.id not in mine:
            return progress
        return settle(progress, InstanceState.SKIPPED, reason, now, gone=progress.gone)

    return with_batches(run, [batch.each(skipped) for batch in run.batches], now, command.actor)


def said(run: Run, command: Command) -> str:
    """What it skips and what of its names it does not, for history and answer."""
    mine = chosen(run, command)
    ids = [instance.id for instance in run.instances if instance.id in mine]
    return words.skips(ids, _stand(run, command, without=mine))


def _named(run: Run, command: Command) -> frozenset[str]:
    of_domains = {
        instance.id
        for batch in run.batches
        if batch.domain in command.domains
        for instance in batch.instances
    }
    return frozenset(command.instances) | of_domains


def _stand(run: Run, command: Command, without: frozenset[str] = frozenset()) -> str:
    """Where the named instances stand that cannot be skipped: `0, 3 maintained, 4 rebooting`."""
    named = _named(run, command) - without
    by_state: dict[str, list[str]] = {}
    for instance in run.instances:
        if instance.id in named:
            by_state.setdefault(standing(instance.state), []).append(instance.id)
    return words.standing(by_state)


def _open(run: Run) -> str:
    """What can be skipped, by domain; of a failed one that it has to be named."""
    by_domain = [
        (batch.domain, [instance.id for instance in batch.instances if instance.waiting or _failed(instance)])
        for batch in run.batches
    ]
    parts = [(domain, ids) for domain, ids in by_domain if ids]
    if not parts:
        return words.NOTHING_CAN_BE_SKIPPED
    return words.can_be_skipped(parts, [instance.id for instance in run.instances if _failed(instance)])


def _failed(progress: InstanceProgress) -> bool:
    return progress.state is InstanceState.FAILED
