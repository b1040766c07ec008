"""What a receiver has been told of a wave, channel by channel, and what is on its way; design: Notices.

Every function here is a step of the record: claim, accepted, refused, failed. `notify` writes the record
between the steps under its ETag, so that two notifications at once send one message.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from planner.doubling import doubled

STALE = timedelta(minutes=5)
"""A claim older than this belongs to a notification that died: its message goes again under the same id."""

GIVE_UP = timedelta(hours=24)
"""How long one message is tried on a channel that is down before the next one gets its turn."""

LOST = timedelta(days=7)
"""How long nothing is given up on a channel that somebody has to mend: what it missed is told together."""

OUTAGE = timedelta(minutes=30)
"""After so long a channel that is only down counts as not getting through."""

REMINDER = timedelta(hours=24)
"""How often people are told of a channel that does not get through."""

FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=10)

LOG = 50
"""How many messages the record remembers; the report shows them."""

FINISHED = "finished"
"""The wave's closing overview, told once; told again when a run was opened again in between."""

EMERGENCY = "emergency"
"""The wave's page about emergency maintenance, sent once whatever comes later."""


@dataclass(frozen=True, slots=True)
class Sending:
    """A message on its way: `upto` is the last notice per run it tells, `kinds` what else it tells.

    `since` is when this try was claimed, `first` when the first one was. `again_at` says that the channel
    was down and nobody holds the message until then.
    """

    message_id: str
    since: datetime
    first: datetime
    upto: Mapping[str, int] = field(default_factory=dict)
    kinds: tuple[str, ...] = ()
    tries: int = 1
    again_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """One line of the log: what became of a message; `trouble` is empty when the channel accepted it."""

    at: datetime
    message_id: str
    channel: str
    subject: str
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class ChannelState:
    """One channel of a receiver: the last notice told per run, what was told of the wave, what is on its way.

    `trouble` is why the last message did not get through, for the report. `down_since` is when it got nothing
    through for the first time, `broken` says that somebody has to mend its address or its setting, and
    `down_told` when people were last told so. `stands_in`: it is another receiver's, used while none of the
    receiver's own gets through.
    """

    told: Mapping[str, int] = field(default_factory=dict)
    wave_told: tuple[str, ...] = ()
    sending: Sending | None = None
    trouble: str = ""
    down_since: datetime | None = None
    broken: bool = False
    down_told: datetime | None = None
    stands_in: bool = False

    def in_flight(self, now: datetime) -> bool:
        """Somebody is sending at this moment, or died less than five minutes ago."""
        sending = self.sending
        return sending is not None and sending.again_at is None and now - sending.since < STALE

    def waits_until(self, now: datetime) -> datetime | None:
        """When the message that could not be sent is due again, if that is still to come."""
        again_at = self.sending.again_at if self.sending else None
        return again_at if again_at is not None and again_at > now else None

    def stuck(self, now: datetime) -> bool:
        """It does not get through, and waiting a little is no answer."""
        since = self.down_since
        return since is not None and (self.broken or now - since >= OUTAGE)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one receiver knows of one wave; one document, replaced whole. Times are aware UTC.

    `not_before` is the earliest time of the next message that need not go at once, `follow_up` when a
    message on the queue will have this looked at again.
    """

    tracking_id: str
    receiver: str
    channels: Mapping[str, ChannelState] = field(default_factory=dict)
    not_before: datetime | None = None
    follow_up: datetime | None = None
    messages: tuple[Sent, ...] = ()
    v: int = 1

    @property
    def told(self) -> Mapping[str, int]:
        """The last notice per run that has reached every channel of the receiver's own."""
        states = tuple(one for one in self.channels.values() if not one.stands_in)
        keys = {key for state in states for key in state.told}
        return {key: min(state.told.get(key, 0) for state in states) for key in sorted(keys)}

    @property
    def trouble(self) -> str:
        """Why channels do not get through, empty when they do."""
        return " ".join(f"{name}: {state.trouble}" for name, state in self.channels.items() if state.trouble)

    def reached(self) -> Mapping[str, int]:
        """The last notice per run that has reached at least one channel."""
        best: dict[str, int] = {}
        for state in self.channels.values():
            for key, number in state.told.items():
                best[key] = max(number, best.get(key, 0))
        return best


def with_channels(delivery: Delivery, names: Iterable[str], stand_ins: Iterable[str] = ()) -> Delivery:
    """The record for these channels: one that is new starts where the others are, one that is gone goes.

    `stand_ins` are those of another receiver. They stay on record when they are not needed any more, lest they
    repeat themselves the next time, and begin where any channel of the receiver is.
    """
    reached = delivery.reached()
    known = delivery.channels
    wave_told = tuple(sorted({kind for state in known.values() for kind in state.wave_told}))
    fresh = ChannelState(told=reached, wave_told=wave_told)
    spare = {name: state for name, state in known.items() if state.stands_in}
    for name in stand_ins:
        spare[name] = replace(known.get(name, fresh), told=reached, wave_told=wave_told, stands_in=True)
    return replace(delivery, channels={**{name: known.get(name, fresh) for name in names}, **spare})


def stuck(delivery: Delivery, now: datetime) -> bool:
    """Whether none of the receiver's own channels gets through."""
    own = [state for state in delivery.channels.values() if not state.stands_in]
    return bool(own) and all(state.stuck(now) for state in own)


def to_be_told(before: Delivery, after: Delivery, now: datetime) -> tuple[str, ...]:
    """The channels that do not get through and of which people have not been told for a day.

    `before` is the record before the tries that `after` has: one that was not tried has nothing new to tell.
    """
    return tuple(
        name
        for name, state in after.channels.items()
        if state.stuck(now)
        and state != before.channels.get(name)
        and (state.down_told is None or now - state.down_told >= REMINDER)
    )


def with_told(delivery: Delivery, names: Iterable[str], now: datetime) -> Delivery:
    """The record once people have been told of these channels."""
    for name in names:
        delivery = _with_state(delivery, name, replace(delivery.channels[name], down_told=now))
    return delivery


def behind(deliveries: Iterable[Delivery], last_notices: Mapping[str, int]) -> tuple[str, ...]:
    """The runs with notices that some channel has not been told; `last_notices` come from the listing."""
    told = [delivery.told for delivery in deliveries]
    return tuple(
        sorted(
            key
            for key, last in last_notices.items()
            if last > 0 and not any(one.get(key, 0) >= last for one in told)
        )
    )


def message_id(delivery: Delivery, channel: str, upto: Mapping[str, int], kinds: Iterable[str]) -> str:
    """A name for a message made of what it tells: the same message has the same name, whoever sends it."""
    words = [delivery.tracking_id, delivery.receiver, channel, *kinds]
    words += [f"{key}={number}" for key, number in sorted(upto.items())]
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:32]


def claim(
    delivery: Delivery, channel: str, upto: Mapping[str, int], kinds: tuple[str, ...], now: datetime
) -> Delivery:
    """The record with a message on its way; one that is there already goes again under its own id."""
    state = delivery.channels[channel]
    if state.sending is not None:
        again = state.sending
        sending = replace(again, since=now, again_at=None, tries=again.tries + 1)
    else:
        sending = Sending(message_id(delivery, channel, upto, kinds), now, now, dict(upto), kinds)
    return _with_state(delivery, channel, replace(state, sending=sending))


def accepted(delivery: Delivery, channel: str, subject: str, now: datetime, remark: str = "") -> Delivery:
    """The channel took the message: what it tells is told."""
    return _over(
        delivery, channel, Sent(now, _sending(delivery, channel).message_id, channel, subject, remark)
    )


def refused(delivery: Delivery, channel: str, subject: str, trouble: str, now: datetime) -> Delivery:
    """Trying again cannot help: recorded with the reason, and the next message gets its turn."""
    line = Sent(now, _sending(delivery, channel).message_id, channel, subject, trouble)
    return _over(delivery, channel, line)


def failed(
    delivery: Delivery,
    channel: str,
    subject: str,
    trouble: str,
    wait: timedelta | None,
    now: datetime,
    *,
    broken: bool = False,
) -> Delivery:
    """The channel is down: the message waits, twice as long each time, or as long as the channel asked.

    `broken`: somebody has to mend its address or its setting. After a day the next message gets its turn; on
    a broken channel it tells what this one would have told.
    """
    sending = _sending(delivery, channel)
    state = delivery.channels[channel]
    since = state.down_since or now
    state = replace(state, trouble=trouble, down_since=since, broken=broken)
    if now - sending.first >= GIVE_UP:
        if not broken or now - since >= LOST:
            days = "7 days" if broken else "24 hours"
            return refused(delivery, channel, subject, f"Given up after {days}. {trouble}", now)
        kept = f"Not delivered for 24 hours; the next message tells it. {trouble}"
        line = Sent(now, sending.message_id, channel, subject, kept)
        again = _with_state(delivery, channel, replace(state, sending=None))
        return replace(again, messages=(*delivery.messages, line)[-LOG:])
    patience = doubled(FIRST_WAIT, sending.tries - 1, LONGEST_WAIT)
    again_at = now + max(patience, wait or timedelta(0))
    return _with_state(delivery, channel, replace(state, sending=replace(sending, again_at=again_at)))


def reopened(delivery: Delivery) -> Delivery:
    """A run of a finished wave lives again: its next end is told again."""
    channels = {
        name: replace(state, wave_told=tuple(kind for kind in state.wave_told if kind != FINISHED))
        for name, state in delivery.channels.items()
    }
    return replace(delivery, channels=channels)


def _sending(delivery: Delivery, channel: str) -> Sending:
    sending = delivery.channels[channel].sending
    if sending is None:
        raise ValueError(f"Nothing is on its way to {channel} of {delivery.receiver}.")
    return sending


def _over(delivery: Delivery, channel: str, line: Sent) -> Delivery:
    state = delivery.channels[channel]
    sending = _sending(delivery, channel)
    told = dict(state.told)
    for key, number in sending.upto.items():
        told[key] = max(number, told.get(key, 0))
    kinds = tuple(sorted({*state.wave_told, *sending.kinds}))
    done = ChannelState(told, kinds, None, line.trouble, stands_in=state.stands_in)
    messages = (*delivery.messages, line)[-LOG:]
    return replace(_with_state(delivery, channel, done), messages=messages)


def _with_state(delivery: Delivery, channel: str, state: ChannelState) -> Delivery:
    return replace(delivery, channels={**delivery.channels, channel: state})
