"""Calendars as they are given out: a wave's, a receiver's own, and the one that a mail brings along."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from email.utils import parseaddr
from urllib.parse import unquote

from handlers.cloud.records import Conflict, Listed
from handlers.log import logger
from handlers.render.addresses import Addresses
from handlers.render.appointments import appointments
from handlers.render.calendar import calendar
from handlers.render.letter import Story
from handlers.runs import queue
from handlers.waves import members
from handlers.wire.documents import NewerRecord
from handlers.wiring import Wiring
from planner.azure.drill import is_drill_wave
from planner.azure.wave import Wave
from planner.notices.feed import CHANGES, Feed, revised
from planner.record.run import Run
from planner.record.states import RunState

log = logger(__name__)

MAIL = "email"
"""The channel that takes a calendar along; a stand-in's name begins with it."""

REMEMBERED = timedelta(days=90)
"""How long a wave stays in its receivers' own calendars after Azure has said something about it."""


async def of_wave(
    tracking_id: str,
    waves: Sequence[Wave],
    lines: Mapping[str, Listed],
    wiring: Wiring,
    addresses: Addresses,
    *,
    within: RunState | None = None,
) -> bytes:
    """The calendar of a wave, all of whose runs `lines` has by path; cut down to those `within` a state.

    Raises StorageDown, Conflict and NewerRecord.
    """
    runs = await _read(lines, wiring)
    feed = await _said(tracking_id, "", waves, runs, wiring, every=len(runs) == len(lines))
    only = {run.target.id for run in runs.values() if run.state is within} if within else None
    source = "" if within else addresses.wave_as(tracking_id, "ics")
    return await _written(f"Planned maintenance {tracking_id}", (feed,), wiring, addresses, source, only)


async def of_receiver(receiver: str, wiring: Wiring, addresses: Addresses) -> bytes:
    """A receiver's own scale sets in every wave that is open, or was 90 days ago.

    Raises StorageDown, Conflict and NewerRecord.
    """
    heads = await wiring.waves.heads()
    heard = wiring.now() - REMEMBERED
    wanted = sorted(
        {
            head.tracking_id
            for head in heads
            if (head.open or head.announced[0] >= heard) and not is_drill_wave(head.tracking_id)
        }
    )
    feeds = [await _of_one(tracking_id, receiver, wiring) for tracking_id in wanted]
    name = f"Planned maintenance of {receiver}"
    return await _written(name, feeds, wiring, addresses, addresses.own_calendar())


async def attached(channel: str, story: Story, receiver: str, wiring: Wiring) -> bytes:
    """The receiver's calendar of the wave, for a mail that announces or changes something; else empty.

    That of a drill is, too: nobody's calendar is to show what does not happen.

    Raises StorageDown. What else goes wrong with it does not hold up the mail.
    """
    if is_drill_wave(story.tracking_id):
        return b""
    if channel.split(maxsplit=1)[0] != MAIL or not any(notice.kind in CHANGES for _, notice in story.items):
        return b""
    try:
        feed = await _of_one(story.tracking_id, receiver, wiring)
    except (Conflict, NewerRecord) as error:
        log.warning("calendar.not_attached", extra={"receiver": receiver, "why": str(error)})
        return b""
    addresses = wiring.addresses(receiver)
    name = f"Planned maintenance {story.tracking_id}"
    return await _written(name, (feed,), wiring, addresses, addresses.own_calendar())


async def _of_one(tracking_id: str, receiver: str, wiring: Wiring) -> Feed:
    """What a receiver's calendar says of one wave: the same in a mail and to whoever subscribes."""
    waves = await wiring.waves.of(tracking_id)
    lines = await members.of_wave(tracking_id, waves, wiring)
    theirs = {
        path: line
        for path, line in lines.items()
        if unquote(line.metadata.get("receiver", "")).lower() == receiver.lower()
    }
    runs = await _read(theirs, wiring)
    return await _said(tracking_id, receiver, waves, runs, wiring, every=len(runs) == len(theirs))


async def _said(
    tracking_id: str,
    receiver: str,
    waves: Sequence[Wave],
    runs: Mapping[str, Run],
    wiring: Wiring,
    *,
    every: bool,
) -> Feed:
    """The feed on record, made of these runs; `every` one of them could be read."""
    now = wiring.now()
    stages = {wave.subscription.lower(): wave.stage for wave in waves}
    due = await asyncio.to_thread(appointments, tracking_id, receiver, runs.values(), stages)

    def change(feed: Feed) -> Feed:
        return revised(feed, due, now, every=every)

    return await wiring.calendars.revise(tracking_id, receiver, change)


async def _read(lines: Mapping[str, Listed], wiring: Wiring) -> dict[str, Run]:
    """The runs with the times of their places."""
    found = await wiring.runs.read_listed(lines.values())
    return await queue.in_place(found, wiring)


async def _written(
    name: str,
    feeds: Sequence[Feed],
    wiring: Wiring,
    addresses: Addresses,
    source: str,
    only: Collection[str] | None = None,
) -> bytes:
    """Made beside the loop: a thousand scale sets take seconds."""
    organizer = parseaddr(wiring.settings.mail_from)[1]

    def write() -> bytes:
        return calendar(name, feeds, addresses.wave, organizer=organizer, source=source, only=only)

    return await asyncio.to_thread(write)
