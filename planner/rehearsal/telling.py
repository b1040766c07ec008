"""The messages of a rehearsal: notices gathered, pages that come again, as the deployed app sends them.

Every channel takes every message at once; what is told, when and to whom is chosen by `planner.notices`.
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby

from planner.notices import delivery_steps as steps
from planner.notices.contents import contents
from planner.notices.delivery import FINISHED, Delivery, with_channels
from planner.notices.digest import Overview, over
from planner.notices.due import claims
from planner.notices.known import Known, Page, receiver_of
from planner.policy.model import Policy
from planner.record.notice import Notice, Urgency
from planner.record.run import Run
from planner.record.states import RunState
from planner.rehearsal.log import Moment, Turned

GROUP_WAIT = timedelta(seconds=60)
"""How long what need not go at once waits for more, as the app does where nothing else is set."""

CHANNEL = "message"

POLLS = 8
"""How often one look looks again after something was sent."""


@dataclass(frozen=True, slots=True)
class Item:
    """A notice in a message; `again`: it is a page that comes once more, or as another receiver's."""

    scale_set: str
    notice: Notice
    again: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """What a receiver gets at `at` (aware UTC), once by each of its channels.

    `closes`: it tells that the wave is over. `loudness` is the urgency of the loudest of what it tells.
    """

    at: datetime
    tracking_id: str
    receiver: str
    items: tuple[Item, ...]
    loudness: Urgency
    closes: bool = False


@dataclass(slots=True)
class _Wave:
    """What is known of one wave; `states` has where its runs stand, `fresh` those with something to tell.

    `pages` are those that page.
    """

    deliveries: dict[str, Delivery] = field(default_factory=dict)
    states: dict[str, RunState] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    fresh: set[str] = field(default_factory=set)
    pages: dict[str, Page] = field(default_factory=dict)
    open: dict[str, bool] = field(default_factory=dict)
    wakes: list[datetime] = field(default_factory=list)

    def takes_in(self, key: str, run: Run) -> None:
        """A run that is told under this wave has changed."""
        self.runs[key] = run
        self.fresh.add(key)
        self.pages.pop(key, None)
        if run.ringing is not None:
            self.pages[key] = Page(receiver_of(run), run.ringing.number, run.ringing.since)

    def overview(self) -> Overview:
        counts = Counter(state.value for state in self.states.values())
        wave_open = any(self.open.values())
        finished = bool(counts) and all(over(RunState(state), wave_open=wave_open) for state in counts)
        return Overview(counts, finished=finished)


def messages(log: Sequence[Moment | Turned], policy: Policy, until: datetime) -> tuple[Message, ...]:
    """Every message up to `until` (aware UTC), in the order of their times; a turn is told at once."""
    told = _Telling(policy)
    for at, entries in groupby(sorted(log, key=_turn), key=_turn):
        told.until(at[0])
        told.happens(at[0], entries)
    told.until(until)
    return tuple(told.messages)


def _turn(entry: Moment | Turned) -> tuple[datetime, int]:
    return entry.at, entry.turn


class _Telling:
    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._waves: defaultdict[str, _Wave] = defaultdict(_Wave)
        self.messages: list[Message] = []

    def until(self, end: datetime) -> None:
        """Whatever a wave looks again for before `end`."""
        while ahead := [(wave.wakes[0], name) for name, wave in self._waves.items() if wave.wakes]:
            at, name = min(ahead)
            if at >= end:
                return
            wave = self._waves[name]
            while wave.wakes and wave.wakes[0] == at:
                heapq.heappop(wave.wakes)
            self._look(name, wave, at)

    def happens(self, at: datetime, entries: Iterable[Moment | Turned]) -> None:
        """What has happened, and who hears of it at once."""
        touched = {self._happened(entry) for entry in entries}
        for name in sorted(touched):
            self._look(name, self._waves[name], at)

    def _happened(self, entry: Moment | Turned) -> str:
        """Take it in; the wave that it is told under."""
        if isinstance(entry, Turned):
            self._waves[entry.tracking_id].open[entry.subscription] = entry.open
            return entry.tracking_id
        for each in entry.run.waves:
            self._waves[each].states[entry.key] = entry.run.state
        # A run of two waves is told under the first.
        told_under = entry.run.waves[0]
        self._waves[told_under].takes_in(entry.key, entry.run)
        return told_under

    def _look(self, name: str, wave: _Wave, at: datetime) -> None:
        for _ in range(POLLS):
            known = self._known(wave, at)
            sent = [self._serve(receiver, name, wave, known) for receiver in known.receivers]
            if not any(sent):
                break
        told = [delivery.channels[CHANNEL].told for delivery in wave.deliveries.values()]
        wave.fresh = {
            key for key in wave.fresh if not any(each.get(key, 0) >= _last(wave.runs[key]) for each in told)
        }

    def _known(self, wave: _Wave, at: datetime) -> Known:
        paged = {
            key
            for delivery in wave.deliveries.values()
            for key, each in delivery.channels[CHANNEL].paged.items()
            if each.escalated
        }
        return Known(
            at,
            self._policy,
            wave.overview(),
            {key: wave.runs[key] for key in sorted({*wave.fresh, *wave.pages, *paged})},
            dict(wave.deliveries),
            dict(wave.pages),
        )

    def _serve(self, receiver: str, name: str, wave: _Wave, known: Known) -> bool:
        key = receiver.lower()
        delivery = with_channels(wave.deliveries.get(key) or Delivery(name, receiver), [CHANNEL])
        if not known.overview.finished:
            delivery = steps.reopened(delivery)
        due = claims(delivery, [CHANNEL], known, GROUP_WAIT)
        delivery = due.delivery
        if due.names:
            self._sent(delivery, known)
            accepted = steps.accepted(delivery, CHANNEL, "", known.now)
            wave.deliveries[key] = steps.spaced(accepted, known.now, GROUP_WAIT)
            return True
        coming = (
            steps.coming_back(delivery, due.wake, known.now, GROUP_WAIT) if due.wake is not None else None
        )
        if coming is not None and due.wake is not None:
            heapq.heappush(wave.wakes, due.wake)
        wave.deliveries[key] = coming or delivery
        return False

    def _sent(self, delivery: Delivery, known: Known) -> None:
        sending = delivery.channels[CHANNEL].sending
        assert sending is not None
        found = contents(delivery, CHANNEL, known)
        items = tuple(Item(told.key, told.notice, again=told in found.pages) for told in found.all)
        closes = FINISHED in sending.kinds
        if items or closes:
            loudness = Urgency(sending.loudness)
            self.messages.append(
                Message(known.now, delivery.tracking_id, delivery.receiver, items, loudness, closes)
            )


def _last(run: Run) -> int:
    return run.story.last_notice
