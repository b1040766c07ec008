"""Drills: waves of subscriptions that Azure cannot have, so that nothing of them can reach one that it has.

Everything that speaks with Azure does so for a subscription. A drill has one of its own, whose id is no GUID
that Azure hands out (RFC 9562: its version would be 13), and which stands in the path of each of its records.
"""

import re

from planner.words import drills as words

PREFIX = "DRILL-"
"""How the tracking id of a drill begins, and of no other wave."""

_SUBSCRIPTION = "d0d0d0d0-d0d0-d0d0-d0d0-"
_NUMBER = re.compile(r"[0-9a-f]{12}")


def subscription_of(number: str) -> str:
    """The subscription of the drill of this number, 12 hexadecimal digits. Raises ValueError."""
    if not _NUMBER.fullmatch(number.lower()):
        raise ValueError(f"{number[:40]!r} is not the number of a drill: 12 hexadecimal digits are.")
    return f"{_SUBSCRIPTION}{number.lower()}"


def tracking_id_of(subscription: str) -> str:
    """The tracking id of the drill that has this subscription."""
    return f"{PREFIX}{subscription.lower().removeprefix(_SUBSCRIPTION)}"


def is_drill(subscription: str) -> bool:
    """Whether a subscription is a drill's."""
    return subscription.lower().startswith(_SUBSCRIPTION)


def is_drill_wave(tracking_id: str) -> bool:
    """Whether a wave is a drill."""
    return tracking_id.upper().startswith(PREFIX)


def mixed_up(tracking_id: str, subscription: str) -> str:
    """Why this pair is neither a drill nor a wave of Azure's; empty when it is one of them."""
    if not (is_drill(subscription) or is_drill_wave(tracking_id)):
        return ""
    if is_drill(subscription) and tracking_id == tracking_id_of(subscription):
        return ""
    return words.do_not_belong_together(tracking_id, subscription, PREFIX)
