"""What a receiver has been told of a wave, channel by channel, and what is on its way (docs/notices.md).

`delivery_steps` has the steps of this record; `notify` writes it between them under its ETag, so
that two notifications at the same time send one message.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

STALE = timedelta(minutes=5)
"""A claim older than this was left by a crash: its message is sent again under the same id."""

OUTAGE = timedelta(minutes=30)
"""After this long a channel that is only down counts as not getting through."""

FINISHED = "finished"
"""The wave's closing overview, told once; again when a run was reopened in between."""

EMERGENCY = "emergency"
"""The wave's page about emergency maintenance, sent once whatever comes later."""


@dataclass(frozen=True, slots=True)
class Sending:
    """A message on its way: `upto` is the last notice per run it tells, `kinds` what else it tells.

    `lent` is the same for runs of other receivers, which do not hear of it. `pages` names the notice per run
    that pages by it, for the first time or again (zero: it no longer does). `loudness` is the urgency of the
    loudest. `since` is when this try was claimed, `first` when the first try was. `again_at` is set while the
    channel is down: nobody holds the message until then.
    """

    message_id: str
    since: datetime
    first: datetime
    upto: Mapping[str, int] = field(default_factory=dict)
    kinds: tuple[str, ...] = ()
    tries: int = 1
    again_at: datetime | None = None
    lent: Mapping[str, int] = field(default_factory=dict)
    pages: Mapping[str, int] = field(default_factory=dict)
    loudness: str = ""

    @property
    def runs(self) -> frozenset[str]:
        """Every run that it is about."""
        return frozenset({*self.upto, *self.lent, *self.pages})


@dataclass(frozen=True, slots=True)
class Paged:
    """How a channel was paged about a run: by which notice, when last, how often.

    `escalated`: the run is another receiver's, which has not acknowledged it.
    """

    number: int
    at: datetime
    times: int = 1
    escalated: bool = False


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
    through for the first time, `broken` says that somebody has to fix its address or its setting, and
    `down_told` when people were last told so. `stands_in`: it is another receiver's, used while none of the
    receiver's own gets through.

    `lent` is the last notice per run of another receiver that this one was told in its place, `paged` how it
    was paged. `informed` are the times of its last few messages that only informed, `asked_at` that of the
    last one that asked for something.
    """

    told: Mapping[str, int] = field(default_factory=dict)
    wave_told: tuple[str, ...] = ()
    sending: Sending | None = None
    trouble: str = ""
    down_since: datetime | None = None
    broken: bool = False
    down_told: datetime | None = None
    stands_in: bool = False
    lent: Mapping[str, int] = field(default_factory=dict)
    paged: Mapping[str, Paged] = field(default_factory=dict)
    informed: tuple[datetime, ...] = ()
    asked_at: datetime | None = None

    def in_flight(self, now: datetime) -> bool:
        """Somebody is sending right now, or crashed less than five minutes ago."""
        sending = self.sending
        return sending is not None and sending.again_at is None and now - sending.since < STALE

    def waits_until(self, now: datetime) -> datetime | None:
        """When the message that could not be sent is due again, if that is still to come."""
        again_at = self.sending.again_at if self.sending else None
        return again_at if again_at is not None and again_at > now else None

    def stuck(self, now: datetime) -> bool:
        """It does not get through, and waiting a little will not help."""
        since = self.down_since
        return since is not None and (self.broken or now - since >= OUTAGE)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one receiver knows of one wave; one document, replaced whole. Times are aware UTC.

    `not_before` is the earliest time of the next message that need not go at once, `follow_up` when a
    message on the queue will have notify read this record again.
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
        states = tuple(channel for channel in self.channels.values() if not channel.stands_in)
        keys = {key for state in states for key in state.told}
        return {key: min(state.told.get(key, 0) for state in states) for key in sorted(keys)}

    def reached(self) -> Mapping[str, int]:
        """The last notice per run that has reached at least one channel."""
        return furthest(state.told for state in self.channels.values())

    def lent(self) -> Mapping[str, int]:
        """The last notice per run of another receiver that has reached at least one channel."""
        return furthest(state.lent for state in self.channels.values())


def furthest(told: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """The highest notice number per run of several records of what was told."""
    best: dict[str, int] = {}
    for numbers in told:
        for key, number in numbers.items():
            best[key] = max(number, best.get(key, 0))
    return best


def with_channels(delivery: Delivery, names: Iterable[str], stand_ins: Iterable[str] = ()) -> Delivery:
    """The record for these channels: a new one starts where the others are, one that is gone is dropped.

    `stand_ins` are those of another receiver. They start where the furthest channel of the receiver is, and
    stay on record when no longer needed, so that they do not repeat themselves the next time.
    """
    reached = delivery.reached()
    known = delivery.channels
    wave_told = tuple(sorted({kind for state in known.values() for kind in state.wave_told}))
    paged = {key: how for state in known.values() for key, how in state.paged.items()}
    fresh = ChannelState(told=reached, wave_told=wave_told, lent=delivery.lent(), paged=paged)
    spare = {name: state for name, state in known.items() if state.stands_in}
    for name in stand_ins:
        spare[name] = replace(known.get(name, fresh), told=reached, wave_told=wave_told, stands_in=True)
    return replace(delivery, channels={**{name: known.get(name, fresh) for name in names}, **spare})


def stuck(delivery: Delivery, now: datetime) -> bool:
    """Whether none of the receiver's own channels gets through."""
    own = [state for state in delivery.channels.values() if not state.stands_in]
    return bool(own) and all(state.stuck(now) for state in own)


def behind(deliveries: Iterable[Delivery], last_notices: Mapping[str, int]) -> tuple[str, ...]:
    """The runs with notices that some channel has not been told; `last_notices` come from the listing."""
    told = furthest(delivery.told for delivery in deliveries)
    return tuple(sorted(key for key, last in last_notices.items() if last > told.get(key, 0)))
