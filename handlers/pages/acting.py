"""A link that acts on a run: it shows what would happen, and does it once, when somebody sends the form.

Opening it changes nothing, however often a mail scanner does. What it does is written on the run's record
with the link's own id in the same write: whoever comes second is told so, also where the first never heard
that it had worked.
"""

from dataclasses import replace

from handlers.cloud.names import run_path
from handlers.log import logger
from handlers.pages.answer import html
from handlers.pages.opened import Opened
from handlers.render.confirmation import confirmation
from handlers.render.page import confirm_page
from handlers.render.report_model import Form
from handlers.runs import commands
from handlers.wire.command_request import Refused, read
from handlers.wire.http import Request, Response
from handlers.wire.link_token import Link
from handlers.wiring import Wiring
from handlers.words import links as words
from planner.people.commands import effect
from planner.record.command import Command, CommandKind
from planner.record.run import Entry, Run

log = logger(__name__)


async def answered(link: Link, request: Request, wiring: Wiring) -> Response:
    """The page of the link; a POST does what it says.

    Raises StorageDown, Conflict, BadRecord and NewerRecord: then it can be tried again.
    """
    opened = Opened(link, request, wiring)
    if expired := opened.expired():
        return expired
    path = run_path(*link.place[1:])
    stored = await wiring.runs.read(path)
    if stored is None or opened.tracking_id not in stored.run.waves:
        return opened.refuses(404, words.NOWHERE, words.no_run(opened.name, opened.tracking_id))
    run = stored.run
    if link.id in run.people.events or _line(run, link):
        return _used(opened, run)
    # What is acknowledged is down whatever the plan has become since.
    if link.checksum != run.people.checksum and link.action != CommandKind.ACKNOWLEDGE:
        return opened.refuses(409, words.OTHER_PLAN, words.plan_changed(opened.name))
    try:
        if refused := commands.why_not(_command(opened, "nobody", ""), run, opened.tracking_id):
            raise refused
        if request.method == "POST":
            return await _done(opened, run, path)
    except Refused as refused:
        return opened.refuses(409, words.NO_EFFECT, refused.sentence)
    return _asks(opened, 200, run, opened.form())


def _command(opened: Opened, actor: str, comment: str) -> Command:
    """What the link says, read as any command is, with the link's id and plan. Raises Refused."""
    asked = read(opened.asked(actor, comment), signed_in=bool(opened.signed_in))
    command = replace(asked, checksum=opened.link.checksum).command(opened.wiring.now())
    return replace(command, id=opened.link.id, comment=opened.why(command.comment))


def _asks(opened: Opened, status: int, run: Run, form: Form) -> Response:
    """The page that says what would happen."""
    now = opened.wiring.now()
    asked = confirmation(run, _command(opened, "nobody", ""), now)
    return html(status, confirm_page(opened.link, run, asked, form, opened.addresses, now))


async def _done(opened: Opened, run: Run, path: str) -> Response:
    form = opened.form()
    if form.sign_in:
        return _asks(opened, 403, run, form)
    try:
        actor, comment = opened.typed()
        form = opened.form(actor=actor, comment=comment)
        command = _command(opened, actor, comment)
    except Refused as refused:
        return _asks(opened, 400, run, replace(form, problem=refused.sentence))
    before, after = await commands.taken(command, path, opened.tracking_id, opened.wiring, opened.traceparent)
    line = _line(after, opened.link)
    if line and (line.actor != command.actor or command.comment not in line.reason):
        # Somebody else has sent the same form a moment before.
        return _used(opened, after)
    taken = {"wave": opened.tracking_id, "run": path, "action": command.kind, "event": command.id}
    log.info("link.taken", extra=taken)
    return opened.says(
        200,
        words.done(command.kind, opened.name),
        effect(before, after, command),
        words.in_the_history(command.actor, opened.link.via),
    )


def _line(run: Run, link: Link) -> Entry | None:
    """The line of history that says that the link was used."""
    return next((entry for entry in run.story.history if entry.id == link.id), None)


def _used(opened: Opened, run: Run) -> Response:
    line = _line(run, opened.link)
    when = words.used_for(line.actor, line.what, line.at) if line else ""
    return opened.refuses(410, words.USED, when, words.AGAIN)
