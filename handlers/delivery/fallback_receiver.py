"""Who is told while a receiver's channels do not get through: its other ones, else the default receiver.

Two things are told. The messages themselves go to the default receiver while none of the receiver's own
channels takes them. And once a day, as long as it lasts, somebody is told which channel it is and how to
fix it.
"""

from collections.abc import Collection
from datetime import datetime

from handlers.channels import Sender
from handlers.log import logger
from handlers.wire.ids import NOTICES
from handlers.wire.messages import NoticeMessage
from handlers.wiring import Wiring
from handlers.words import trouble as words
from planner.notices import delivery_steps as steps
from planner.notices.delivery import Delivery
from planner.policy.hearing import default_receiver
from planner.policy.model import Policy, Receiver
from planner.text.phrases import shortened

log = logger(__name__)


def _other_receiver(receiver: str, policy: Policy) -> Receiver | None:
    """The default receiver; for itself the one that it escalates to, else any other that is declared."""
    known, default = policy.receiver(receiver), default_receiver(policy)
    escalates = policy.receiver(known.escalate_to) if known is not None else None
    return next(
        (
            other
            for other in (default, escalates, *policy.receivers)
            if other is not None and other.name.lower() != receiver.lower()
        ),
        None,
    )


def stand_ins(receiver: str, policy: Policy, wiring: Wiring) -> dict[str, Sender]:
    """The default receiver's channels, under names that say whose they are; none for that receiver itself."""
    other = _other_receiver(receiver, policy)
    if other is None:
        return {}
    return {f"{name} of {other.name}": sender for name, sender in wiring.channels.of(other).items()}


def remarks(delivery: Delivery, channel: str, now: datetime) -> tuple[str, ...]:
    """What a message through this channel adds about those that do not get through."""
    said = [
        words.channel_down(name, delivery.receiver, state.down_since, state.trouble)
        for name, state in delivery.channels.items()
        if name != channel and not state.stands_in and state.down_since is not None and state.stuck(now)
    ]
    if delivery.channels[channel].stands_in:
        said.insert(0, words.for_other_receiver(delivery.receiver))
    return tuple(said)


async def report(before: Delivery, after: Delivery, now: datetime, wiring: Wiring) -> Delivery:
    """Have people told of the channels that do not get through; returns the record with that noted."""
    names = steps.to_be_told(before, after, now)
    if not names:
        return after
    text = " ".join(
        words.channel_trouble(name, after.receiver, after.channels[name].trouble) for name in names
    )
    about = f"{after.receiver[:150]} {now:%Y-%m-%d} {' '.join(names)}"[:300]
    stuck = tuple(name for name, state in after.channels.items() if state.stuck(now))
    # Sent before it is noted: told twice in a day is better than never.
    await wiring.queues.send(
        NOTICES,
        NoticeMessage(
            kind="channel", about=about, text=shortened(text, 4000), receiver=after.receiver, stuck=stuck
        ),
    )
    return steps.with_told(after, names, now)


def whom(
    receiver: str, stuck: Collection[str], policy: Policy, wiring: Wiring
) -> tuple[str, dict[str, Sender]]:
    """Who is told that these channels do not get through, and by which; by none where nobody can be."""
    known = policy.receiver(receiver)
    own = wiring.channels.of(known) if known else {}
    working = {name: sender for name, sender in own.items() if name not in stuck}
    if working:
        return receiver, working
    other = _other_receiver(receiver, policy)
    if other is None:
        log.error("notify.unreachable", extra={"receiver": receiver, "channels": sorted(stuck)})
        return receiver, {}
    return other.name, wiring.channels.of(other)
