"""How long a batch takes, learned from those that are finished: this run's own, else the wave's."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from statistics import median_high

from planner.decision.scheduled_events import reboot
from planner.record.batch import Batch
from planner.record.run import Run
from planner.record.states import InstanceState

REBOOT_POLLS = 10
"""Ten minutes with a poll every minute: the guidance says that a self-service reboot takes several."""


def took(batch: Batch) -> timedelta | None:
    """From its start to its verification; None where it is not verified or we maintained nothing of it."""
    ours = any(instance.state is InstanceState.MAINTAINED for instance in batch.instances)
    if not ours or batch.started_at is None or batch.verified_at is None:
        return None
    return batch.verified_at - batch.started_at


def longest(run: Run) -> timedelta | None:
    """The longest of the run's own finished batches: what the rest must be expected to take."""
    return max((time for batch in run.batches if (time := took(batch)) is not None), default=None)


def learned(run: Run, poll_interval: timedelta, others: Sequence[timedelta] = ()) -> Run:
    """The run with what a batch is expected to take; `others` are the longest of the wave's other runs.

    Its own batches count most; the wave's count by their median, since one that got stuck says nothing about
    the rest. Before any has finished it is what the guidance says, counted in polls, so that it scales with
    the poll interval. Guests that handle scheduled events may hold a start back, however quick the wave's
    other sets were.
    """
    expected = longest(run)
    if expected is None and others:
        expected = median_high(others) + reboot(poll_interval, 0, run.checks)
    if expected is None:
        expected = reboot(poll_interval, REBOOT_POLLS, run.checks)
    return replace(run, times=replace(run.times, expected=min(expected, run.terms.recover_within)))
