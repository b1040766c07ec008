"""Tells something that is about no run: what is quarantined or unknown, an empty wave, a broken channel."""

import hashlib

from handlers.channels import Sender
from handlers.delivery.deliver import come_back, deliver, senders_of
from handlers.delivery.fallback_receiver import whom
from handlers.render.compose import standalone
from handlers.wire.ids import NOTICES
from handlers.wire.messages import NoticeMessage
from handlers.wiring import Wiring
from planner.notices import delivery_steps as steps
from planner.notices.delivery import STALE, with_channels
from planner.notices.known import NOBODY
from planner.policy.hearing import default_receiver
from planner.policy.model import Policy


async def tell_alone(message: NoticeMessage, wiring: Wiring) -> None:
    """Tell the default receiver, or whoever can still be reached, once. Raises only what storage raises."""
    policy, now = wiring.policy(), wiring.now()
    receiver, senders = _to_whom(message, policy, wiring)
    if senders is None:
        await wiring.queues.send(NOTICES, message, delay=STALE)
        return
    text = "" if message.kind == "wired" else message.about or message.text
    about = f"{message.tracking_id}\n{message.alert}\n{text}".encode()
    delivery, etag = await wiring.deliveries.read(
        f"{message.kind}-{hashlib.sha256(about).hexdigest()[:40]}", receiver
    )
    delivery = with_channels(delivery, senders)
    states = delivery.channels.values()
    sent_at = [state.sending.since for state in states if state.sending and state.in_flight(now)]
    if sent_at:
        await wiring.queues.send(NOTICES, message, delay=max(sent_at) + STALE - now)
        return
    claimed, names = delivery, []
    for name, state in delivery.channels.items():
        if message.kind not in state.wave_told and state.waits_until(now) is None:
            claimed = steps.claim(claimed, name, {}, (message.kind,), now)
            names.append(name)
    if names:
        kind = "unread" if message.unread else message.kind
        letter = standalone(kind, message.tracking_id, message.text, wiring.addresses(receiver))
        letters, reports = dict.fromkeys(names, letter), message.kind != "channel"
        recorded = await deliver(delivery, claimed, etag, letters, senders, wiring, reports=reports)
        if recorded is None:
            return
        delivery, etag = await wiring.deliveries.read(recorded.tracking_id, receiver)
    wakes = [wake for state in delivery.channels.values() if (wake := state.waits_until(now)) is not None]
    if wakes:
        await come_back(min(wakes), delivery, etag, message, wiring)


def _to_whom(message: NoticeMessage, policy: Policy, wiring: Wiring) -> tuple[str, dict[str, Sender] | None]:
    """The receiver and its channels; None while a broken policy file or setting hides them."""
    if message.kind == "channel" and not policy.problem:
        return whom(message.receiver, message.stuck, policy, wiring)
    default = default_receiver(policy)
    receiver = default.name if default else NOBODY
    return receiver, senders_of(receiver, policy, wiring)
