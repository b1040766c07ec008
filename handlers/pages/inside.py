"""Which page of a link is asked for: all waves, one or a run, and nothing outside of what it is for."""

from collections.abc import Mapping

from handlers.pages.opened import signed_in
from handlers.render.addresses import OWN_CALENDAR, InLink
from handlers.wire import link_token
from handlers.wire.http import Request
from handlers.wire.link_token import FEED, Link
from handlers.wiring import Wiring
from planner.policy.hearing import default_receiver

NAMES = ("wave", "subscription", "group", "name")
WAVE_SUFFIXES, RUN_SUFFIXES = ("json", "csv", "ics"), ("json",)


def place_inside(link: Link, rest: str) -> Mapping[str, str] | None:
    """What the path behind the token asks for, as `shown` takes it; None for what is outside of the link.

    Behind a wave's token: nothing, `<wave>.csv`, or `<subscription>/<resource group>/<scale set>`; behind a
    run's nothing, or `<scale set>.json`. Behind that of all waves nothing, `<wave>`, or
    `<wave>/<subscription>/<resource group>/<scale set>`, the last with a suffix or without; behind that of
    a receiver's own calendar nothing, or its name.
    """
    if link.action == FEED:
        return {} if rest.strip("/") in {"", OWN_CALENDAR} else None
    parts = tuple(part for part in rest.split("/") if part)
    if not link.place:
        return dict(zip(NAMES, parts, strict=False)) if len(parts) in {0, 1, len(NAMES)} else None
    last = link.place[-1]
    wave = len(link.place) == 1
    suffixes = WAVE_SUFFIXES if wave else RUN_SUFFIXES
    if parts and parts in {(f"{last}.{suffix}",) for suffix in suffixes}:
        named = (*link.place[:-1], *parts)
    elif not parts or (wave and len(parts) == 3):
        named = (*link.place, *parts)
    else:
        return None
    return dict(zip(NAMES, named, strict=False))


def inside_addresses(link: Link, token: str, request: Request, wiring: Wiring) -> InLink:
    """The addresses on a page that this link shows.

    The default receiver hears of every wave anyway, and has a link to all of them. Buttons that act are there
    only where the platform guards the app and the reader has signed in: whoever may read may not act.
    """
    default = default_receiver(wiring.policy())
    hears_all = default is not None and default.name.lower() == link.receiver.lower()
    keys, now = wiring.settings.link_keys, wiring.now()
    all_waves = Link((), link.receiver, link_token.expiry(link_token.VIEW, now))
    return InLink(
        wiring.settings.public_url,
        link_token.signer(keys, link.receiver, now) if signed_in(request, wiring) else None,
        wiring.settings.hosts.portal,
        token=token,
        place=link.place,
        every_wave=link_token.signed(all_waves, keys) if link.place and hears_all else "",
    )
