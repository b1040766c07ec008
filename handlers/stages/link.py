"""link: what a signed link shows, or does when its form is sent; the only way to a page without a key.

A link proves that it was sent to its receiver, not who opens it. Whatever is wrong with one is said on a
page, and then nothing is done.
"""

from handlers.cloud.records import Conflict, StorageDown
from handlers.delivery import calendars
from handlers.log import logger
from handlers.pages import acting, acting_wave
from handlers.pages.answer import SECURITY, as_file, html
from handlers.pages.inside import inside_addresses, place_inside
from handlers.pages.report import shown
from handlers.render.addresses import OWN_CALENDAR
from handlers.render.page import said_page
from handlers.wire import link_token
from handlers.wire.documents import BadRecord, NewerRecord
from handlers.wire.http import Request, Response
from handlers.wire.link_token import FEED, Forged, Link
from handlers.wiring import Wiring
from handlers.words import links as words

log = logger(__name__)


async def handle(request: Request, wiring: Wiring) -> Response:
    """What the link shows or does; 403 forged or outside of it, 410 expired or used, 409 for another plan.

    Route parameters: `token`, and `rest`, the path behind it. 503 while storage is down: nothing was lost.
    """
    token, rest = (request.path_parameters.get(name, "") for name in ("token", "rest"))
    try:
        link = link_token.read(token, wiring.settings.link_keys)
    except Forged as error:
        return _refused(403, words.NOT_VALID, str(error), wiring)
    try:
        return await _answer(link, token, rest, request, wiring)
    except BadRecord as error:
        return _refused(409, words.RECORD_UNREADABLE, str(error), wiring)
    except (StorageDown, Conflict, NewerRecord) as error:
        log.warning("link.later", extra={"why": str(error)})
        said = (words.not_right_now(error), words.STILL_GOOD_TO_OPEN)
        page = said_page(words.TRY_AGAIN, said, wiring.now())
        return Response(503, page, "text/html", {**SECURITY, "Retry-After": "30"})


async def _answer(link: Link, token: str, rest: str, request: Request, wiring: Wiring) -> Response:
    place = place_inside(link, rest)
    if place is None or (link.acts and rest.strip("/")):
        about = words.place(tuple(reversed(link.place[3:])), link.place[0] if link.place else "")
        if link.action == FEED:
            about = words.calendar_of(link.receiver)
        return _refused(403, words.NOT_THERE, words.for_alone(about), wiring)
    if link.acts:
        if len(link.place) == 1:
            return await acting_wave.answered(link, request, wiring)
        return await acting.answered(link, request, wiring)
    if request.method == "POST":
        return _refused(405, words.ONLY_SHOWS, words.CANNOT_ACT, wiring)
    if link.action == FEED:
        return await _own_calendar(link, wiring)
    if link.expired(wiring.now()) and not await _open(link, wiring):
        ended = words.ended(link.place[0] if link.place else "", link.expires)
        return _refused(410, words.EXPIRED, ended, wiring)
    addresses = inside_addresses(link, token, request, wiring)
    return await shown(place, request.query, wiring, addresses)


async def _own_calendar(link: Link, wiring: Wiring) -> Response:
    """What the receiver subscribes to: its scale sets in all waves."""
    if link.expired(wiring.now()):
        return _refused(410, words.EXPIRED, words.calendar_ended(link.expires), wiring)
    feed = await calendars.of_receiver(link.receiver, wiring, wiring.addresses(link.receiver))
    return Response(200, feed, "text/calendar", as_file(OWN_CALENDAR))


async def _open(link: Link, wiring: Wiring) -> bool:
    """Whether the link's wave is open; a link to all waves has none that would keep it good."""
    return bool(link.place) and any(wave.open for wave in await wiring.waves.of(link.place[0]))


def _refused(status: int, title: str, sentence: str, wiring: Wiring) -> Response:
    log.info("link.refused", extra={"why": title})
    return html(status, said_page(title, (sentence, words.NOTHING_DONE), wiring.now()))
