"""The steps of a delivery record: claim, accepted, refused, failed; and which channels people are told of."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from planner.notices.delivery import FINISHED, ChannelState, Delivery, Paged, Sending, Sent, furthest
from planner.policy.pace import QUICK
from planner.record.notice import Urgency
from planner.text.backoff import after_trouble
from planner.words.receivers import given_up, told_by_the_next

GIVE_UP = timedelta(hours=24)
"""How long one message is tried on a channel that is down before the next one gets its turn."""

LOST = timedelta(days=7)
"""How long a channel that somebody has to fix loses nothing: what it missed is told together."""

REMINDER = timedelta(hours=24)
"""How often people are told of a channel that does not get through."""

LOG = 50
"""How many messages the record remembers; the report shows them."""


def message_id(
    delivery: Delivery, channel: str, upto: Mapping[str, int], kinds: Iterable[str], more: Iterable[str] = ()
) -> str:
    """A name for a message made of what it tells: the same message has the same name, whoever sends it."""
    told = (f"{key}={number}" for key, number in sorted(upto.items()))
    parts = (delivery.tracking_id, delivery.receiver, channel, *kinds, *told, *more)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def claim(
    delivery: Delivery,
    channel: str,
    upto: Mapping[str, int],
    kinds: tuple[str, ...],
    now: datetime,
    *,
    lent: Mapping[str, int] | None = None,
    pages: Mapping[str, int] | None = None,
    loudness: str = "",
) -> Delivery:
    """The record with a message on its way; one that is there already goes again under its own id."""
    state = delivery.channels[channel]
    sending, lent, pages = state.sending, lent or {}, pages or {}
    if sending is not None:
        sending = replace(sending, since=now, again_at=None, tries=sending.tries + 1)
    else:
        again = (f"page {key}={pages[key]}/{_times(state, key)}" for key in sorted(pages) if key not in upto)
        more = (*(f"lent {key}={number}" for key, number in sorted(lent.items())), *again)
        name = message_id(delivery, channel, upto, kinds, more)
        sending = Sending(
            name, now, now, dict(upto), kinds, lent=dict(lent), pages=dict(pages), loudness=loudness
        )
    return _with_state(delivery, channel, replace(state, sending=sending))


def _times(state: ChannelState, key: str) -> str:
    """How often, and by which notice, it was paged about this run: the next page is another message."""
    paged = state.paged.get(key)
    return f"{paged.number}.{paged.times}" if paged is not None else "0"


def passed_over(delivery: Delivery, channel: str, upto: Mapping[str, int]) -> Delivery:
    """The record with notices that the receiver has chosen not to hear counted as told."""
    state = delivery.channels[channel]
    told = furthest((state.told, upto))
    return delivery if told == state.told else _with_state(delivery, channel, replace(state, told=told))


def accepted(delivery: Delivery, channel: str, subject: str, now: datetime, remark: str = "") -> Delivery:
    """The channel took the message, maybe with a remark: what it tells is told."""
    return _over(delivery, channel, subject, now, remark)


def refused(delivery: Delivery, channel: str, subject: str, trouble: str, now: datetime) -> Delivery:
    """Trying again cannot help: recorded with the reason, and the next message gets its turn."""
    return _over(delivery, channel, subject, now, trouble)


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

    `broken`: somebody has to fix its address or its setting. After a day the next message gets its turn; on
    a broken channel it tells what this one would have told.
    """
    sending = _sending(delivery, channel)
    state = delivery.channels[channel]
    since = state.down_since or now
    state = replace(state, trouble=trouble, down_since=since, broken=broken)
    if now - sending.first >= GIVE_UP:
        if not broken or now - since >= LOST:
            return refused(delivery, channel, subject, given_up(trouble, broken=broken), now)
        kept = told_by_the_next(trouble)
        dropped = _with_state(delivery, channel, replace(state, sending=None))
        return _logged(dropped, Sent(now, sending.message_id, channel, subject, kept))
    patience = after_trouble(sending.tries - 1)
    again_at = now + max(patience, wait or timedelta(0))
    return _with_state(delivery, channel, replace(state, sending=replace(sending, again_at=again_at)))


def spaced(delivery: Delivery, now: datetime, wait: timedelta) -> Delivery:
    """The record after a message: what need not go at once waits that long for the next one."""
    return replace(delivery, not_before=now + wait)


def coming_back(delivery: Delivery, wake: datetime, now: datetime, wait: timedelta) -> Delivery | None:
    """The record with its next look at `wake`; None where one comes by then. `wait` is for grouping."""
    coming = delivery.follow_up
    if coming is not None and now < coming <= wake:
        return None
    quiet = delivery.not_before is not None and delivery.not_before > now
    # What is gathered for hours must not keep back what asks meanwhile.
    first = min(wake, now + wait)
    return replace(delivery, follow_up=wake, not_before=delivery.not_before if quiet else first)


def to_be_told(before: Delivery, after: Delivery, now: datetime) -> tuple[str, ...]:
    """The channels that do not get through, and that people have not been told of for a day.

    `before` is the record before the tries in `after`: a channel that was not tried has nothing new to tell.
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


def reopened(delivery: Delivery) -> Delivery:
    """The record when a run of a finished wave was reopened: its next end is told again."""
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


def _over(delivery: Delivery, channel: str, subject: str, now: datetime, trouble: str) -> Delivery:
    state = delivery.channels[channel]
    sending = _sending(delivery, channel)
    kinds = tuple(sorted({*state.wave_told, *sending.kinds}))
    informs = sending.loudness == Urgency.KNOW
    over = ChannelState(
        furthest((state.told, sending.upto)),
        kinds,
        None,
        trouble,
        stands_in=state.stands_in,
        lent=furthest((state.lent, sending.lent)),
        paged=_paged(state, sending, now),
        informed=(*state.informed, now)[-QUICK:] if informs else state.informed,
        asked_at=now if sending.loudness == Urgency.ACT else state.asked_at,
    )
    return _logged(
        _with_state(delivery, channel, over), Sent(now, sending.message_id, channel, subject, trouble)
    )


def _paged(state: ChannelState, sending: Sending, now: datetime) -> Mapping[str, Paged]:
    """How the channel was paged, with this message; what no longer pages is forgotten."""
    found = dict(state.paged)
    for key, number in sending.pages.items():
        old = found.pop(key, None)
        if number:
            times = old.times + 1 if old is not None and old.number == number else 1
            found[key] = Paged(number, now, times, escalated=key not in {**state.told, **sending.upto})
    return found


def _logged(delivery: Delivery, line: Sent) -> Delivery:
    return replace(delivery, messages=(*delivery.messages, line)[-LOG:])


def _with_state(delivery: Delivery, channel: str, state: ChannelState) -> Delivery:
    return replace(delivery, channels={**delivery.channels, channel: state})
