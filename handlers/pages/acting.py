"""A link that acts: it shows what would happen, and does it once, when somebody sends the form.

Opening it changes nothing, however often a mail scanner does. What it does is written on the run's record
with the link's own id in the same write: whoever comes second is told so, also where the first never heard
that it had worked.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from handlers.cloud.names import run_path
from handlers.pages.answer import html
from handlers.render.confirmation import confirmation
from handlers.render.page import Form, confirm_page, said_page
from handlers.runs import commands
from handlers.wire.command_request import LONGEST_ACTOR, PRINCIPAL, Refused, given_in, only, read
from handlers.wire.http import Request, Response
from handlers.wire.link_token import Link
from handlers.wiring import Wiring
from planner.people.commands import effect
from planner.record.command import Command, CommandKind
from planner.record.run import Entry, Run
from planner.text.phrases import to_the_minute

log = logging.getLogger(__name__)

SIGN_IN = (
    "Sign in first: this app lets nobody act who has not. Open the link again once you are signed in, and "
    "the button is here."
)

NO_EFFECT = "This link has no effect now"


@dataclass(frozen=True, slots=True)
class _Opened:
    """A link that somebody has opened."""

    link: Link
    request: Request
    wiring: Wiring

    @property
    def tracking_id(self) -> str:
        return self.link.place[0]

    @property
    def name(self) -> str:
        return self.link.place[-1]

    @property
    def signed_in(self) -> str:
        """Who the platform says it is; empty where it guards nothing: then anybody can send its header."""
        guarded = self.wiring.settings.platform_auth
        return " ".join(self.request.headers.get(PRINCIPAL, "").split())[:LONGEST_ACTOR] if guarded else ""

    def command(self, actor: str, comment: str) -> Command:
        """What the link says, read as any command is, with the link's id; its reason says how it came.

        Raises Refused.
        """
        said = {"actor": actor, "checksum": self.link.checksum, **self.link.to}
        if comment:
            said["comment"] = comment
        headers = {PRINCIPAL: self.signed_in} if self.signed_in else {}
        asked = Request("POST", {"action": self.link.action}, {}, headers, json.dumps(said).encode())
        command = read(asked, signed_in=bool(self.signed_in)).command(self.wiring.now())
        who = "signed in" if self.signed_in else "the name is as typed there"
        how = f"by {self.link.via}; {who}"
        why = f"{command.comment} ({how})" if comment else f"No reason given ({how})."
        return replace(command, id=self.link.id, comment=why)

    def form(self, *, actor: str = "", comment: str = "", problem: str = "") -> Form:
        locked = self.wiring.settings.platform_auth and not self.signed_in
        return Form(self.signed_in, actor, comment, problem, SIGN_IN if locked else "")

    def asks(self, status: int, run: Run, form: Form) -> Response:
        """The page that says what would happen."""
        now, addresses = self.wiring.now(), self.wiring.page_addresses(self.link.receiver)
        asked = confirmation(run, self.command("nobody", ""), now)
        return html(status, confirm_page(self.link, run, asked, form, addresses, now))

    def says(self, status: int, title: str, *sentences: str) -> Response:
        """What came of it, and the way to the run."""
        place = self.wiring.page_addresses(self.link.receiver).at(self.link.place)
        page = said_page(title, sentences, self.wiring.now(), address=place, words=f"Back to {self.name}")
        return html(status, page)

    def refuses(self, status: int, title: str, *sentences: str) -> Response:
        log.info("link.refused", extra={"action": self.link.action, "event": self.link.id, "why": title})
        return self.says(status, title, *sentences, "Nothing was done.")


async def answered(link: Link, request: Request, wiring: Wiring) -> Response:
    """The page of the link; a POST does what it says.

    Raises StorageDown, Conflict, BadRecord and NewerRecord: then it can be tried again.
    """
    opened = _Opened(link, request, wiring)
    if link.expired(wiring.now()):
        until = f"It could be used until {to_the_minute(link.expires)}."
        return opened.refuses(410, "This link has expired", until, "A newer message has a newer link.")
    path = run_path(*link.place[1:])
    stored = await wiring.runs.read(path)
    if stored is None or opened.tracking_id not in stored.run.waves:
        gone = f"No run of {opened.name} in the wave {opened.tracking_id} is on record any more."
        return opened.refuses(404, "This link leads nowhere", gone)
    run = stored.run
    if link.id in run.people.events or _line(run, link):
        return _used(opened, run)
    # What is acknowledged is down whatever the plan has become since.
    if link.checksum != run.people.checksum and link.action != CommandKind.ACKNOWLEDGE:
        changed = f"The plan of {opened.name} has changed since the link was made: look at it as it is now."
        return opened.refuses(409, "This link is for another plan", changed)
    try:
        if refused := commands.why_not(opened.command("nobody", ""), run, opened.tracking_id):
            raise refused
        if request.method == "POST":
            return await _done(opened, run, path)
    except Refused as refused:
        return opened.refuses(409, NO_EFFECT, refused.sentence)
    return opened.asks(200, run, opened.form())


async def _done(opened: _Opened, run: Run, path: str) -> Response:
    form = opened.form()
    if form.sign_in:
        return opened.asks(403, run, form)
    try:
        actor, comment = _filled_in(opened.request, signed_in=bool(opened.signed_in))
        form = opened.form(actor=actor, comment=comment)
        command = opened.command(actor, comment)
    except Refused as refused:
        return opened.asks(400, run, replace(form, problem=refused.sentence))
    traceparent = opened.request.headers.get("traceparent", "")
    before, after = await commands.taken(command, path, opened.tracking_id, opened.wiring, traceparent)
    line = _line(after, opened.link)
    if line and (line.actor != command.actor or command.comment not in line.reason):
        # Somebody else has sent the same form a moment before.
        return _used(opened, after)
    log.info("link.taken", extra={"action": command.kind, "event": command.id, "scale_set": after.target.id})
    return opened.says(
        200,
        f"Done: {command.kind} {opened.name}",
        effect(before, after, command),
        f"The history has it: said by {command.actor}, by {opened.link.via}.",
    )


def _filled_in(request: Request, *, signed_in: bool) -> tuple[str, str]:
    """Name and reason of the form; raises Refused."""
    given = given_in(request)
    only(given, ("actor", "comment"), "this form")
    if not (_text(given, "actor") or signed_in):
        raise Refused(400, "Say who you are: the history keeps it.")
    return _text(given, "actor"), _text(given, "comment")


def _text(given: Mapping[str, object], name: str) -> str:
    value = given.get(name)
    return value.strip() if isinstance(value, str) else ""


def _line(run: Run, link: Link) -> Entry | None:
    """The line of history that says that the link was used."""
    return next((entry for entry in run.story.history if entry.id == link.id), None)


def _used(opened: _Opened, run: Run) -> Response:
    line = _line(run, opened.link)
    when = f"{line.actor} said {line.what} with it at {to_the_minute(line.at)}." if line else ""
    again = "A link acts once. To say something more, take another one, or type the command."
    return opened.refuses(410, "This link has been used", *_said(when), again)


def _said(*sentences: str) -> Sequence[str]:
    return tuple(filter(None, sentences))
