"""Which page of a link is asked for: the link shows its wave, or its run, and nothing outside of it."""

from collections.abc import Mapping

from handlers.render.addresses import OWN_CALENDAR
from handlers.wire.link_token import Link

WAVE_SUFFIXES, RUN_SUFFIXES = ("json", "csv", "ics"), ("json",)


def place_inside(link: Link, rest: str) -> Mapping[str, str] | None:
    """What the path behind the token asks for, as `shown` takes it; None for what is outside of the link.

    Behind a wave's token: nothing, `<wave>.csv`, or `<subscription>/<resource group>/<scale set>`; behind a
    run's nothing, or `<scale set>.json`; behind that of a receiver's own calendar nothing, or its name.
    """
    if not link.place:
        return {} if rest.strip("/") in {"", OWN_CALENDAR} else None
    parts = tuple(part for part in rest.split("/") if part)
    last = link.place[-1]
    wave = len(link.place) == 1
    suffixes = WAVE_SUFFIXES if wave else RUN_SUFFIXES
    if parts and parts in {(f"{last}.{suffix}",) for suffix in suffixes}:
        named = (*link.place[:-1], *parts)
    elif not parts or (wave and len(parts) == 3):
        named = (*link.place, *parts)
    else:
        return None
    return dict(zip(("wave", "subscription", "group", "name"), named, strict=False))
