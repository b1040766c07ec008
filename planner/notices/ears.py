"""Which notices of a run a receiver hears, by its choice and by what others have chosen not to hear."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from planner.notices.next_message import untold
from planner.policy.hearing import hearer
from planner.policy.model import Policy, Receiver
from planner.record.notice import Kind, Notice
from planner.record.run import Run

TOO_LATE = timedelta(hours=3)
"""After this long nobody wants to read that something starts soon."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What waits for a run's receiver; with nothing waiting, up to which notice it may be passed over."""

    waiting: tuple[Notice, ...] = ()
    passed: int = 0


def by_owner(run: Run, told: int, lent: int, owner: Receiver | None, policy: Policy, now: datetime) -> Heard:
    """What the run's own receiver hears after the notice `told`.

    What asks and it does not want to hear is another's: it may be passed over once that one has it, which is
    so up to the notice `lent`.
    """
    fresh = untold(run, told)
    mine = tuple(notice for notice in fresh if _mine(run, notice, owner, policy, now))
    if mine:
        return Heard(mine)
    passed = 0
    for notice in fresh:
        if _others(notice, owner, policy) and notice.number > lent:
            break
        passed = notice.number
    return Heard((), passed)


def in_letter(
    run: Run, told: int, upto: int, lent: int, owner: Receiver | None, policy: Policy, now: datetime
) -> tuple[Notice, ...]:
    """The notices that a message to the run's receiver tells: its own, and what nobody else has heard yet."""
    return tuple(
        notice
        for notice in untold(run, told)
        if notice.number <= upto
        and (
            _mine(run, notice, owner, policy, now)
            or (_others(notice, owner, policy) and notice.number > lent)
        )
    )


def by_another(
    run: Run, told: int, owner: Receiver | None, receiver: Receiver, policy: Policy
) -> tuple[Notice, ...]:
    """What `receiver` hears of another's run after the notice `told`: what asks and `owner` does not want."""
    if owner is None or owner.name == receiver.name:
        return ()
    return tuple(
        notice
        for notice in untold(run, told)
        if hearer(policy, owner, notice.kind, notice.urgency) is receiver
    )


def stale(run: Run, notice: Notice, now: datetime) -> bool:
    """Whether it is no news any more: what starts soon has begun, or should have."""
    return notice.kind is Kind.STARTING and (run.begun or now - notice.at >= TOO_LATE)


def _mine(run: Run, notice: Notice, owner: Receiver | None, policy: Policy, now: datetime) -> bool:
    if stale(run, notice, now):
        return False
    return owner is None or hearer(policy, owner, notice.kind, notice.urgency) is owner


def _others(notice: Notice, owner: Receiver | None, policy: Policy) -> bool:
    if owner is None:
        return False
    return hearer(policy, owner, notice.kind, notice.urgency) not in {None, owner}
