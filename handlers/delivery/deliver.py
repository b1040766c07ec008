"""Claim, send, record: how a message reaches every channel of a receiver once, crashes or not."""

import asyncio
import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta

from handlers.channels import ChannelTrouble, Message, Sender
from handlers.cloud.records import Conflict
from handlers.delivery import fallback_receiver
from handlers.log import logger
from handlers.render.forms import render
from handlers.render.letter import Letter
from handlers.wire.ids import NOTICES
from handlers.wire.messages import NoticeMessage
from handlers.wiring import Wiring
from handlers.words import trouble as words
from planner.notices import delivery_steps as steps
from planner.notices.delivery import Delivery
from planner.notices.known import NOBODY
from planner.policy.model import Policy

log = logger(__name__)

SEND_WITHIN = timedelta(seconds=90)
"""How long one message may be on its way to a channel; a mail server has 30 seconds for each step alone."""


class Nobody:
    """Takes every message and remarks that nobody reads it, so that the report can say so."""

    def __init__(self, receiver: str) -> None:
        self._receiver = receiver

    async def send(self, message: Message) -> str:  # noqa: ARG002 - every sender takes one
        return words.told_to_nobody(self._receiver)


def senders_of(receiver: str, policy: Policy, wiring: Wiring) -> dict[str, Sender] | None:
    """The receiver's channels; None while a broken policy file or setting keeps us from knowing them."""
    known = policy.receiver(receiver)
    senders = wiring.channels.of(known) if known else {}
    if senders:
        return senders
    problem = policy.problem or wiring.settings.problem
    if problem:
        log.error("notify.policy", extra={"receiver": receiver, "why": problem})
        return None
    log.error("notify.nobody", extra={"receiver": receiver})
    return {NOBODY: Nobody(receiver)}


async def deliver(
    before: Delivery,
    claimed: Delivery,
    etag: str | None,
    letters: Mapping[str, Letter | None],
    senders: Mapping[str, Sender],
    wiring: Wiring,
    *,
    reports: bool = True,
) -> Delivery | None:
    """Write the claims, send their letters, record the outcomes; None when another notify has this record.

    A letter of None has nothing left to tell. `reports`: people are told of channels that do not get through.
    Raises only what storage raises.
    """
    about = {"wave": before.tracking_id, "receiver": before.receiver}
    try:
        etag = await wiring.deliveries.write(claimed, etag)
    except Conflict:
        log.info("notify.busy", extra=about)
        return None
    names = tuple(letters)
    outcomes = await asyncio.gather(*(_send(claimed, name, senders[name], letters[name]) for name in names))
    recorded, now = claimed, wiring.now()
    for name, (subject, outcome) in zip(names, outcomes, strict=True):
        if isinstance(outcome, str):
            recorded = steps.accepted(recorded, name, subject, now, outcome)
        elif outcome.recoverable:
            recorded = steps.failed(
                recorded, name, subject, outcome.sentence, outcome.retry_after, now, broken=outcome.broken
            )
        else:
            recorded = steps.refused(recorded, name, subject, outcome.sentence, now)
    recorded = steps.spaced(recorded, now, wiring.settings.group_wait)
    if reports:
        recorded = await fallback_receiver.report(before, recorded, now, wiring)
    try:
        await wiring.deliveries.write(recorded, etag)
    except Conflict:
        # After five minutes another notify took the claim over: the message is sent twice, under one id.
        log.warning("notify.overtaken", extra=about)
        return None
    return recorded


async def noted(delivery: Delivery, etag: str | None, wiring: Wiring) -> str | None:
    """Write what a receiver has chosen not to hear; the new ETag, None when another notify has the record."""
    try:
        return await wiring.deliveries.write(delivery, etag)
    except Conflict:
        log.info("notify.busy", extra={"wave": delivery.tracking_id, "receiver": delivery.receiver})
        return None


async def come_back(
    wake: datetime, delivery: Delivery, etag: str | None, message: NoticeMessage, wiring: Wiring
) -> None:
    """Have notify run again at `wake`: one message on the queue, however many ask for it."""
    now = wiring.now()
    coming = steps.coming_back(delivery, wake, now, wiring.settings.group_wait)
    if coming is None:
        return
    # Sent before it is noted: a message too many is cheaper than one that never comes.
    await wiring.queues.send(NOTICES, message, delay=wake - now)
    await noted(coming, etag, wiring)


async def _send(
    delivery: Delivery, channel: str, sender: Sender, letter: Letter | None
) -> tuple[str, str | ChannelTrouble]:
    sending = delivery.channels[channel].sending
    assert sending is not None
    if letter is None:
        return "", words.NOTHING_LEFT_TO_TELL
    names = f"{delivery.tracking_id}\n{delivery.receiver}".encode()
    thread = f"wave-{hashlib.sha256(names).hexdigest()[:32]}"
    # A thousand scale sets take a second of CPU: the worker's loop must go on answering meanwhile.
    message = await asyncio.to_thread(render, letter, sending.message_id, thread, sending.first)
    about = {
        "wave": delivery.tracking_id,
        "receiver": delivery.receiver,
        "channel": channel,
        "message_id": sending.message_id,
        "tries": sending.tries,
        "subject": letter.subject,
    }
    try:
        async with asyncio.timeout(SEND_WITHIN.total_seconds()) as timer:
            remark = await sender.send(message)
    except (ChannelTrouble, TimeoutError) as error:
        if isinstance(error, TimeoutError) and not timer.expired():
            raise
        slow = ChannelTrouble(words.channel_slow(SEND_WITHIN))
        trouble = error if isinstance(error, ChannelTrouble) else slow
        why = {
            "why": trouble.sentence,
            "recoverable": trouble.recoverable,
            "broken": trouble.broken,
        }
        log.warning("notify.failed", extra=about | why)
        return letter.subject, trouble
    log.info("notify.sent", extra=about)
    return letter.subject, remark
