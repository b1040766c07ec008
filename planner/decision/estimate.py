"""How long a batch takes, learned from those that are finished: this run's own, else the wave's."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from statistics import median_high

from planner.policy.model import CheckName
from planner.record.batch import Batch
from planner.record.check import Check, Outcome
from planner.record.copying import replace
from planner.record.run import Run
from planner.record.states import InstanceState

REBOOT_POLLS = 10
"""Ten minutes with a poll every minute: the guidance says that a self-service reboot takes several."""

HELD_BACK_POLLS = 15
"""Fifteen minutes with a poll every minute.

Learn, virtual-machines/linux/scheduled-events: a guest that listens has at least 15 minutes' notice of a
reboot and 10 of a redeployment, also when somebody started it, unless it approves earlier.
"""


def took(batch: Batch) -> timedelta | None:
    """From its start to its verification; None where it is not verified or we maintained nothing of it."""
    ours = any(instance.state is InstanceState.MAINTAINED for instance in batch.instances)
    if not ours or batch.started_at is None or batch.verified_at is None:
        return None
    return batch.verified_at - batch.started_at


def longest(run: Run) -> timedelta | None:
    """The longest of the run's own finished batches: what the rest must be expected to take."""
    return max((time for batch in run.batches if (time := took(batch)) is not None), default=None)


def reboot(poll_interval: timedelta, polls: int, checks: Iterable[Check]) -> timedelta:
    """What a batch of `polls` polls is expected to take, with the notice that guests are given on top.

    Guests may hold a start back where scheduled events are in use and somebody has accepted that.
    """
    held_back = any(
        check.name == CheckName.SCHEDULED_EVENTS and check.outcome is Outcome.ACCEPTED for check in checks
    )
    return poll_interval * (polls + HELD_BACK_POLLS * held_back)


def learned(run: Run, poll_interval: timedelta, others: Sequence[timedelta] = ()) -> Run:
    """The run with what a batch is expected to take; `others` are the longest of the wave's other runs.

    Its own batches count most; the wave's count by their median, since one that got stuck says nothing about
    the rest. Before any has finished it is what the guidance says, counted in polls, so that it scales with
    the poll interval.
    """
    expected = longest(run)
    if expected is None and others:
        expected = median_high(others) + reboot(poll_interval, 0, run.checks)
    if expected is None:
        expected = reboot(poll_interval, REBOOT_POLLS, run.checks)
    return replace(run, times=replace(run.times, expected=min(expected, run.terms.recover_within)))
