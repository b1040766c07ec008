"""A link that somebody has opened: who that is, how far that is proven, and the pages that answer."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from handlers.log import logger
from handlers.pages.answer import html
from handlers.render.addresses import OnPage
from handlers.render.page import said_page
from handlers.render.report_model import Form
from handlers.wire.command_request import LONGEST_ACTOR, PRINCIPAL, Refused, given_in, only
from handlers.wire.http import Request, Response
from handlers.wire.link_token import Link
from handlers.wiring import Wiring
from handlers.words import links as words

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Opened:
    """A link that acts, as somebody opens it or sends its form. `name` is what it is about."""

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
        return signed_in(self.request, self.wiring)

    @property
    def addresses(self) -> OnPage:
        """Those of the link's receiver."""
        return self.wiring.page_addresses(self.link.receiver)

    @property
    def traceparent(self) -> str:
        return self.request.headers.get("traceparent", "")

    def as_typed(self, actor: str, comment: str) -> Request:
        """What the link says, as if it had been typed."""
        why = {"comment": comment} if comment else {}
        headers = {PRINCIPAL: self.signed_in} if self.signed_in else {}
        return Request(
            "POST",
            {"action": self.link.action},
            {},
            headers,
            json.dumps({"actor": actor, **self.link.to, **why}).encode(),
        )

    def why(self, comment: str) -> str:
        """The reason for the history, with how it came: a link proves its receiver, not who opens it."""
        return words.reason(comment, self.link.via, signed_in=bool(self.signed_in))

    def form(self, *, actor: str = "", comment: str = "", problem: str = "") -> Form:
        locked = self.wiring.settings.platform_auth and not self.signed_in
        return Form(self.signed_in, actor, comment, problem, words.SIGN_IN if locked else "")

    def typed(self) -> tuple[str, str]:
        """Name and reason of the form; raises Refused for what is no such form."""
        given = given_in(self.request)
        only(given, ("actor", "comment"), "this form")
        return _text(given, "actor"), _text(given, "comment")

    def asked(self, actor: str, comment: str) -> Request:
        """What the link says, as if this person had typed it; raises Refused where nobody is named."""
        if not (actor or self.signed_in):
            raise Refused(400, words.WHO_ARE_YOU)
        return self.as_typed(actor, comment)

    def says(self, status: int, title: str, *sentences: str) -> Response:
        """What came of it, and the way to what it is about."""
        place = self.addresses.at(self.link.place)
        told = filter(None, sentences)
        return html(
            status, said_page(title, told, self.wiring.now(), address=place, words=words.back_to(self.name))
        )

    def refuses(self, status: int, title: str, *sentences: str) -> Response:
        log.info("link.refused", extra={"action": self.link.action, "event": self.link.id, "why": title})
        return self.says(status, title, *sentences, words.NOTHING_DONE)

    def expired(self) -> Response | None:
        """That it is too late, where it is."""
        if not self.link.expired(self.wiring.now()):
            return None
        until = words.could_be_used_until(self.link.expires)
        return self.refuses(410, words.EXPIRED, until, words.NEWER_LINK)


def signed_in(request: Request, wiring: Wiring) -> str:
    """Who the platform says sends the request; empty where it guards nothing."""
    guarded = wiring.settings.platform_auth
    return " ".join(request.headers.get(PRINCIPAL, "").split())[:LONGEST_ACTOR] if guarded else ""


def _text(given: Mapping[str, object], name: str) -> str:
    value = given.get(name)
    return value.strip() if isinstance(value, str) else ""
