"""Which instances a person leaves to Azure, and what is said where a word to skip would touch none."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from planner.observe.batches import counted
from planner.record.observation import Event
from planner.record.run import Passage, Run
from planner.record.states import TO_START, InstanceState, transition
from planner.text.phrases import some


def chosen(run: Run, event: Event) -> frozenset[str]:
    """The instances it leaves to Azure: what waits of those it names, or all that waits.

    An instance that failed is skipped only where it or its domain is named: somebody has to see to it.
    """
    waiting = frozenset(one.id for one in run.passages if one.state in TO_START)
    if not event.instances and not event.domains:
        return waiting
    failed = frozenset(one.id for one in run.passages if one.state is InstanceState.FAILED)
    return (waiting | failed) & _named(run, event)


def unknown(run: Run, event: Event) -> str:
    """Which of its names the plan does not have, in a sentence with those it has; empty when it has all."""
    ids = {one.id for one in run.passages}
    strange = [one for one in event.instances if one not in ids]
    if strange:
        return f"The plan has no instance {some(strange)}. {_open(run)}"
    domains = dict.fromkeys(batch.domain for batch in run.batches)
    strange = [one for one in event.domains if one not in domains]
    if strange:
        return f"The plan has no domain {some(strange, '; ')}. It has {some(domains, '; ')}."
    return ""


def pointless(run: Run, event: Event) -> str:
    """Why it would skip nothing, empty when it skips something."""
    if chosen(run, event):
        return ""
    if event.instances or event.domains:
        return unknown(run, event) or f"Nothing of that can be skipped: {_stand(run, event)}. {_open(run)}"
    return (
        f"Nothing is left to skip without a name: {counted(run.passages) or 'it has no plan'}. {_open(run)}"
    )


def skipped(run: Run, event: Event, now: datetime) -> Run:
    """The run with what it names excused."""
    mine = chosen(run, event)
    reason = f"Excused: skipped by {event.actor}. {event.comment}".strip()

    def excused(passage: Passage) -> Passage:
        if passage.id not in mine:
            return passage
        return replace(
            passage, state=transition(passage.state, InstanceState.EXCUSED), reason=reason, finished_at=now
        )

    return replace(
        run,
        batches=tuple(replace(one, instances=tuple(map(excused, one.instances))) for one in run.batches),
    )


def words(run: Run, event: Event) -> str:
    """What it skips and what of its names it does not, for history and answer."""
    mine = chosen(run, event)
    said = f"Skipped: {some(one.id for one in run.passages if one.id in mine)}."
    rest = _stand(run, event, without=mine)
    return f"{said} Not skipped: {rest}." if rest else said


def _named(run: Run, event: Event) -> frozenset[str]:
    of_domains = {one.id for batch in run.batches if batch.domain in event.domains for one in batch.instances}
    return frozenset(event.instances) | of_domains


def _stand(run: Run, event: Event, without: frozenset[str] = frozenset()) -> str:
    """Where the named instances stand that cannot be skipped: `0, 3 maintained, 4 rebooting`."""
    named = _named(run, event) - without
    standing: dict[str, list[str]] = {}
    for one in run.passages:
        if one.id in named:
            standing.setdefault(counted([one]).removeprefix("1 "), []).append(one.id)
    return ", ".join(f"{some(ids)} {state}" for state, ids in standing.items())


def _open(run: Run) -> str:
    """What can be skipped, by domain; of a failed one that it has to be named."""
    parts = []
    for batch in run.batches:
        ids = [one.id for one in batch.instances if one.state in TO_START or _failed(one)]
        if ids:
            parts.append(f"{some(ids)} ({batch.domain})")
    if not parts:
        return "Nothing can be skipped any more."
    failed = _which([one.id for one in run.passages if _failed(one)])
    return f"What can be skipped: {some(parts, '; ')}.{failed}"


def _which(failed: Sequence[str]) -> str:
    return f" Failed, and skipped only by name or domain: {some(failed)}." if failed else ""


def _failed(passage: Passage) -> bool:
    return passage.state is InstanceState.FAILED
