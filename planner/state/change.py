"""Where a run changes its state, or those of its batches and instances: each change is a line of history.

An instance that goes the ordinary way, from its start to maintained, is told by its batch's lines.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain

from planner.record.batch import Batch
from planner.record.copying import replace
from planner.record.instance import InstanceProgress, counted, state_words
from planner.record.run import Run
from planner.record.states import BatchState, InstanceState, RunState, transition
from planner.state.journal import BREAKWATER, with_entry

TOLD = frozenset({BatchState.SOAKING, BatchState.DONE})

ORDINARY = frozenset(
    {
        InstanceState.PENDING,
        InstanceState.STARTING,
        InstanceState.REBOOTING,
        InstanceState.VERIFYING,
        InstanceState.MAINTAINED,
    }
)


def in_state(run: Run, state: RunState, reason: str, now: datetime, actor: str = BREAKWATER) -> Run:
    """The run in `state` with its sentence; only a change of state is a line of history."""
    if run.state is not state:
        run = with_entry(run, f"{run.state} -> {state}", reason, now, actor)
    return replace(run, state=transition(run.state, state), reason=reason)


def with_batches(run: Run, batches: Sequence[Batch], now: datetime, actor: str = BREAKWATER) -> Run:
    """The run with these batches; what changed its state with them is in the history.

    Instances that came to the same end for the same reason share a line.
    """
    old = {batch.number: batch for batch in run.batches}
    states = {instance.id: instance.state for instance in run.instances}
    new = [batch for batch in batches if batch is not old.get(batch.number)]
    run = replace(run, batches=tuple(batches))
    ends: dict[tuple[InstanceState, str], list[str]] = {}
    for instance in chain.from_iterable(batch.instances for batch in new):
        if instance.state not in ORDINARY and states.get(instance.id, instance.state) is not instance.state:
            ends.setdefault((instance.state, instance.reason), []).append(instance.id)
    for (state, reason), ids in ends.items():
        run = with_entry(run, state_words(state), reason, now, actor, instances=ids)
    for batch in new:
        for event, reason in _lines(batch, old.get(batch.number), states):
            run = with_entry(run, f"batch {batch.number} {event}", f"{batch.domain}: {reason}", now, actor)
    return run


def _lines(batch: Batch, old: Batch | None, states: Mapping[str, InstanceState]) -> Iterator[tuple[str, str]]:
    started = [instance.id for instance in batch.instances if _starts(instance, states)]
    if started:
        yield "started", f"instances {', '.join(started)}"
    if old is not None and batch.state is not old.state and batch.state in TOLD:
        yield batch.state, counted(batch.instances)


def _starts(instance: InstanceProgress, states: Mapping[str, InstanceState]) -> bool:
    return instance.state is InstanceState.STARTING and states.get(instance.id) is not instance.state
