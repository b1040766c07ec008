"""Who hears it while a receiver's channels do not get through: its other ones, else the default receiver.

Two things are told. The messages themselves go to the default receiver while none of the receiver's own
channels takes them. And once a day, as long as it lasts, somebody reads which channel it is and what to fix.
"""

import logging
from collections.abc import Iterable
from datetime import datetime

from handlers.channels import Sender
from handlers.wire.ids import NOTICES
from handlers.wire.messages import NoticeMessage
from handlers.wiring import Wiring
from planner.notices import delivery_steps as steps
from planner.notices.delivery import Delivery
from planner.policy.model import Policy, Receiver
from planner.text.phrases import say

log = logging.getLogger(__name__)


def default_receiver(policy: Policy) -> Receiver | None:
    """Who hears what is nobody's: the defaults' owner, else the one named `default`, else the first."""
    chosen = policy.receiver(policy.defaults.get("owner", "default")) or policy.receiver("default")
    return chosen or next(iter(policy.receivers), None)


def stand_ins(receiver: str, policy: Policy, wiring: Wiring) -> dict[str, Sender]:
    """The default receiver's channels, under names that say whose they are; none for that receiver itself."""
    default = default_receiver(policy)
    if default is None or default.name.lower() == receiver.lower():
        return {}
    return {f"{name} of {default.name}": sender for name, sender in wiring.channels.of(default).items()}


def remarks(delivery: Delivery, channel: str, now: datetime) -> tuple[str, ...]:
    """What a message through this channel adds about those that do not get through."""
    said = [
        f"The {name} channel of {delivery.receiver} has not got through since {say(state.down_since)}. "
        f"{state.trouble}"
        for name, state in delivery.channels.items()
        if name != channel and not state.stands_in and state.down_since is not None and state.stuck(now)
    ]
    if delivery.channels[channel].stands_in:
        said.insert(0, f"Told to you through another channel: it is for {delivery.receiver}.")
    return tuple(said)


async def report(before: Delivery, after: Delivery, now: datetime, wiring: Wiring) -> Delivery:
    """See to it that people read of the channels that do not get through; the record with that noted."""
    names = steps.to_be_told(before, after, now)
    if not names:
        return after
    said = " ".join(
        f"The {name} channel of {after.receiver}: {after.channels[name].trouble}" for name in names
    )
    about = f"{after.receiver[:150]} {now:%Y-%m-%d} {' '.join(names)}"[:300]
    stuck = tuple(name for name, state in after.channels.items() if state.stuck(now))
    # Sent before it is noted: told twice in a day is better than never.
    await wiring.queues.send(
        NOTICES,
        NoticeMessage(kind="channel", about=about, text=said[:4000], receiver=after.receiver, stuck=stuck),
    )
    return steps.with_told(after, names, now)


def whom(
    receiver: str, stuck: Iterable[str], policy: Policy, wiring: Wiring
) -> tuple[str, dict[str, Sender]]:
    """Who reads that channels of this receiver do not get through, and by which; by none where nobody can."""
    known = policy.receiver(receiver)
    without = frozenset(stuck)
    own = wiring.channels.of(known) if known else {}
    working = {name: sender for name, sender in own.items() if name not in without}
    if working:
        return receiver, working
    default = default_receiver(policy)
    if default is None or default.name.lower() == receiver.lower():
        log.error("notify.unreachable", extra={"receiver": receiver, "channels": sorted(without)})
        return receiver, {}
    return default.name, wiring.channels.of(default)
