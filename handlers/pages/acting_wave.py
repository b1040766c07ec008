"""A link that acts on a whole wave: on the scale sets that it was offered for, or on the limits, once.

It counts while the wave is as it was when the link was made: the same scale sets without a place, under the
same limits. What it does is written down before anything is done: should a host die in between, whoever sends
the form again goes on with what is left, for the same scale sets and as said by the first.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import unquote

from handlers.cloud.records import Listed
from handlers.log import logger
from handlers.pages.answer import html
from handlers.pages.opened import Opened
from handlers.render.page import confirm_wave_page
from handlers.render.report_model import Form
from handlers.render.wave_confirmation import to_go_on, wave_confirmation
from handlers.repository.used_links import UsedLink
from handlers.runs import queue, wave_commands
from handlers.wire.command_request import Refused
from handlers.wire.http import Request, Response
from handlers.wire.link_token import Link
from handlers.wire.wave_request import WaveRequest, read
from handlers.wiring import Wiring
from handlers.words import links as words
from planner.azure.wave import Wave
from planner.notices.known import NOBODY
from planner.places.outlook import Outlook
from planner.record.command import Command

log = logger(__name__)


A_MOMENT = timedelta(minutes=2)
"""For so long somebody else who sends the same form is told that it has been used, and does not go on."""


@dataclass(frozen=True, slots=True)
class _Wave:
    """The wave that a link acts on: its records, the lines of its runs, and how it stands for them."""

    waves: Sequence[Wave]
    lines: Sequence[Listed]
    seen: Outlook


async def answered(link: Link, request: Request, wiring: Wiring) -> Response:
    """The page of the link; a POST does what it says.

    Raises StorageDown, Conflict, BadRecord and NewerRecord: then it can be tried again.
    """
    opened = Opened(link, request, wiring)
    if expired := opened.expired():
        return expired
    try:
        asked = read(opened.as_typed("nobody", ""), signed_in=bool(opened.signed_in))
        used = await wiring.used_links.get(link.id)
        if used is not None and used.done:
            return _used(opened, used)
        if used is not None:
            return await _gone_on(opened, asked, used)
        found = await _found(opened, asked)
        if found is None:
            return opened.refuses(409, words.OTHER_WAVE_STATE, words.wave_changed(opened.tracking_id))
        if request.method == "POST":
            return await _done(opened, asked, found)
    except Refused as refused:
        return opened.refuses(
            409 if refused.status == 400 else refused.status, words.NO_EFFECT, refused.sentence
        )
    return await _asks(opened, 200, asked, found, opened.form())


async def _found(opened: Opened, asked: WaveRequest) -> _Wave | None:
    """The wave as the link was made for it; None where it is another by now. Raises Refused."""
    waves = await wave_commands.waves(opened.tracking_id, asked.subscription, opened.wiring)
    lines = await wave_commands.active(opened.tracking_id, waves, opened.wiring)
    mine = [line for line in lines if _receiver(line) == opened.link.receiver.lower()]
    # A message speaks of its receiver's scale sets, a page of all of them.
    for scope in (mine, lines) if opened.link.receiver else (lines,):
        for seen in await queue.outlooks(scope, opened.wiring):
            if seen.checksum == opened.link.checksum:
                late = [line for line in scope if line.path in seen.late_keys]
                return _Wave(waves, late, seen)
    return None


def _receiver(line: Listed) -> str:
    return (unquote(line.metadata.get("receiver", "")) or NOBODY).lower()


async def _asks(opened: Opened, status: int, asked: WaveRequest, found: _Wave, form: Form) -> Response:
    """The page that says what would happen."""
    now, wiring = opened.wiring.now(), opened.wiring
    runs = (await queue.in_place(await wiring.runs.read_listed(found.lines), wiring)).values()
    shown = wave_confirmation(asked, found.seen, tuple(runs))
    return html(status, confirm_wave_page(opened.link, shown, form, opened.addresses, now))


async def _done(opened: Opened, asked: WaveRequest, found: _Wave) -> Response:
    form = opened.form()
    if form.sign_in:
        return await _asks(opened, 403, asked, found, form)
    try:
        actor, comment = opened.typed()
        form = opened.form(actor=actor, comment=comment)
        said = read(opened.asked(actor, comment), signed_in=bool(opened.signed_in)).command
    except Refused as refused:
        return await _asks(opened, 400, asked, found, replace(form, problem=refused.sentence))
    if asked.limits:
        await wave_commands.raisable(asked.limits, found.waves, opened.wiring)
    paths = () if asked.limits else tuple(line.path for line in found.lines)
    mine = UsedLink(opened.link.id, said.actor, opened.why(said.comment), paths, opened.wiring.now())
    used = await opened.wiring.used_links.begin(mine)
    if (used.actor, used.comment) != (mine.actor, mine.comment):
        # Somebody else has sent the same form a moment before.
        return _used(opened, used)
    return await _carried_out(opened, asked, used)


async def _gone_on(opened: Opened, asked: WaveRequest, used: UsedLink) -> Response:
    """What was begun and is not known to be done: sent again, it goes on as the first one said it."""
    now = opened.wiring.now()
    if opened.request.method == "POST" and not opened.form().sign_in:
        other = opened.signed_in or opened.typed()[0]
        if now - used.at < A_MOMENT and other != used.actor:
            # The first one is at it.
            return _used(opened, used)
        return await _carried_out(opened, asked, used)
    shown = to_go_on(used.actor, used.at, len(used.paths))
    return html(200, confirm_wave_page(opened.link, shown, opened.form(), opened.addresses, now))


async def _carried_out(opened: Opened, asked: WaveRequest, used: UsedLink) -> Response:
    """Each run takes the link's id once, so that what was done before is not done again."""
    wiring = opened.wiring
    waves = await wave_commands.waves(opened.tracking_id, asked.subscription, wiring)
    if asked.limits:
        done = await wave_commands.raise_limits(asked.limits, waves, used.actor, used.comment, wiring)
    else:
        active = await wave_commands.active(opened.tracking_id, waves, wiring)
        lines = [line for line in active if line.path in used.paths]
        given = replace(asked.command, actor=used.actor, comment=used.comment)

        def command() -> Command:
            return replace(given.command(wiring.now()), id=opened.link.id)

        outcomes = await wave_commands.said(command, lines, opened.tracking_id, wiring, opened.traceparent)
        done = wave_commands.sentence(outcomes)
        if any(each.failed for each in outcomes):
            return opened.says(503, words.NOT_ALL_DONE, done, words.STILL_GOOD_TO_SEND)
        if over := len(used.paths) - len(lines):
            done += f" {words.over_by_now(over)}"
    await wiring.used_links.finish(used, done)
    log.info("link.taken", extra={"action": asked.command.kind, "event": opened.link.id})
    said_by = words.in_the_history(used.actor, opened.link.via)
    return opened.says(200, words.done_for_wave(asked.command.kind, opened.tracking_id), done, said_by)


def _used(opened: Opened, used: UsedLink) -> Response:
    when = words.used_by(used.actor, used.at)
    return opened.refuses(410, words.USED, when, used.done, words.AGAIN)
