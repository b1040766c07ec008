"""What a claimed message tells: the same, however often it is tried."""

from collections.abc import Iterator
from dataclasses import dataclass

from planner.notices import ears
from planner.notices.alarms import stood_down, why_again
from planner.notices.delivery import ChannelState, Delivery, Sending
from planner.notices.known import Known
from planner.record.notice import Notice


@dataclass(frozen=True, slots=True)
class Told:
    """A notice in a message, by the key of its run; `why` it comes once more, empty where it does not."""

    key: str
    notice: Notice
    why: str = ""


@dataclass(frozen=True, slots=True)
class Contents:
    """`own` are notices of the receiver's runs, `borrowed` those of others, which do not hear of them.

    `pages` are those that come again, or as another receiver's, and what no longer pages.
    """

    own: tuple[Told, ...] = ()
    borrowed: tuple[Told, ...] = ()
    pages: tuple[Told, ...] = ()

    @property
    def all(self) -> tuple[Told, ...]:
        return (*self.own, *self.borrowed, *self.pages)


def contents(delivery: Delivery, channel: str, known: Known) -> Contents:
    """What the message on its way to a channel tells; raises AssertionError where there is none."""
    state = delivery.channels[channel]
    sending = state.sending
    assert sending is not None
    elsewhere, lent = known.reached_by_others(delivery.receiver), known.lent()
    own: list[Told] = []
    for key, upto in sending.upto.items():
        if (run := known.runs.get(key)) is None:
            continue
        told = max(state.told.get(key, 0), elsewhere.get(key, 0))
        owner = known.owner(run)
        fresh = ears.in_letter(run, told, upto, lent.get(key, 0), owner, known.policy, known.now)
        own += [Told(key, notice) for notice in fresh]
    borrowed = tuple(
        Told(key, notice)
        for key, upto in sending.lent.items()
        if key in known.runs
        for notice in known.borrowed(key, state, delivery.receiver)
        if notice.number <= upto
    )
    return Contents(tuple(own), borrowed, tuple(_pages(state, sending, known)))


def _pages(state: ChannelState, sending: Sending, known: Known) -> Iterator[Told]:
    for key, number in sending.pages.items():
        run = known.runs.get(key)
        if run is None or key in sending.upto:
            continue
        if not number:
            yield Told(key, stood_down(run))
            continue
        alarm = run.ringing
        notice = next((each for each in run.story.notices if each.number == number), None)
        if alarm is not None and alarm.number == number and notice is not None:
            others = key not in state.told
            yield Told(key, notice, why_again(alarm, run.terms.receiver if others else ""))
