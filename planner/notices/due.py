"""What each channel of a receiver has to be told now, as a claim on its record; or when to look again."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from planner.notices import alarms, ears
from planner.notices import delivery_steps as steps
from planner.notices.delivery import FINISHED, ChannelState, Delivery
from planner.notices.known import Known
from planner.notices.next_message import Choice, choose
from planner.policy.hearing import wants
from planner.record.notice import LOUD_FIRST, Notice, Urgency


@dataclass(frozen=True, slots=True)
class Claims:
    """`delivery` has a claim for each channel in `names`; `wake` is when the first of the others has one.

    None where none of them waits for anything.
    """

    delivery: Delivery
    names: tuple[str, ...]
    wake: datetime | None


def claims(delivery: Delivery, channels: Collection[str], known: Known, wait: timedelta) -> Claims:
    """The record with a claim for each of these channels that has something to tell; `wait` groups."""
    claimed = delivery
    names: list[str] = []
    wakes: list[datetime] = []
    for name, state in delivery.channels.items():
        if name not in channels:
            continue  # a stand-in that is no longer needed
        if state.sending is not None:
            wake = state.waits_until(known.now)
            if wake is None:
                claimed = steps.claim(claimed, name, {}, (), known.now)
                names.append(name)
            else:
                wakes.append(wake)
            continue
        due = _due(delivery, name, state, known, wait)
        claimed = steps.passed_over(claimed, name, due.passed)
        if due.says_something:
            claimed = steps.claim(
                claimed,
                name,
                due.upto,
                due.kinds,
                known.now,
                lent=due.lent,
                pages=due.pages,
                loudness=due.loudness,
            )
            names.append(name)
        elif due.wake is not None:
            wakes.append(due.wake)
    return Claims(claimed, tuple(names), min(wakes, default=None))


@dataclass(frozen=True, slots=True)
class _Due:
    """What a channel has to be told now, or when to look again; `passed` it has chosen not to hear."""

    upto: Mapping[str, int]
    lent: Mapping[str, int]
    pages: Mapping[str, int]
    kinds: tuple[str, ...]
    loudness: Urgency
    wake: datetime | None
    passed: Mapping[str, int]

    @property
    def says_something(self) -> bool:
        return bool(self.upto or self.lent or self.pages or self.kinds)


def _due(delivery: Delivery, name: str, state: ChannelState, known: Known, wait: timedelta) -> _Due:
    """What is ripe for a channel that has nothing on its way."""
    receiver = known.policy.receiver(delivery.receiver)
    elsewhere, lent = known.reached_by_others(delivery.receiver), known.lent()
    runs = known.runs_of(delivery.receiver)
    told = {key: max(state.told.get(key, 0), elsewhere.get(key, 0)) for key in runs}
    waiting: dict[str, tuple[Notice, ...]] = {}
    passed: dict[str, int] = {}
    for key, run in runs.items():
        heard = ears.by_owner(run, told[key], lent.get(key, 0), known.owner(run), known.policy, known.now)
        if heard.waiting:
            waiting[key] = heard.waiting
        elif heard.passed:
            passed[key] = heard.passed
    borrowed = {
        key: notices
        for key in known.runs.keys() - runs.keys()
        if (notices := known.borrowed(key, state, delivery.receiver))
    }
    choice = Choice()
    if receiver is not None:
        choice = Choice(receiver.know, receiver.act, wants(receiver, FINISHED, Urgency.KNOW))
    next_ = choose(delivery, name, waiting | borrowed, known.overview, wait, known.now, choice)
    rings = known.rings(delivery.receiver)
    again = alarms.pages(state, rings, told, known.now)
    upto = {key: number for key, number in next_.upto.items() if key in runs}
    wakes = [wake for wake in (next_.wake, again.wake) if wake is not None]
    loudness = Urgency.PAGE if any(again.now.values()) else next_.loudness
    return _Due(
        upto=upto,
        lent={key: number for key, number in next_.upto.items() if key not in runs},
        pages={**again.now, **alarms.first(upto, rings)},
        kinds=next_.kinds,
        loudness=min(loudness, next_.loudness, key=LOUD_FIRST.index),
        wake=min(wakes, default=None),
        passed=passed,
    )
