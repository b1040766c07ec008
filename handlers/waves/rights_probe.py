"""Which rights of its role Breakwater's identity lacks, asked at the first sweep and daily.

A missing right is asked for again every hour, so that what was mended is known soon.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from handlers.cloud import rights
from handlers.cloud.errors import AzureTrouble
from handlers.log import logger
from handlers.waves import sweep_state
from handlers.waves.sweep_state import Rights, State
from handlers.wire.versions import NewerRecord
from handlers.wiring import Wiring

log = logger(__name__)

DAILY, HOURLY = timedelta(days=1), timedelta(hours=1)


def due(state: State, wiring: Wiring) -> list[str]:
    """The watched subscriptions whose rights are to be asked for."""
    now = wiring.now()
    return [each for each in wiring.settings.subscriptions if _is_due(state.rights.get(each), now)]


def _is_due(known: Rights | None, now: datetime) -> bool:
    return known is None or now >= known.at + (HOURLY if known.missing or known.unread else DAILY)


async def probe(state: State, wiring: Wiring) -> None:
    """Ask Azure, and keep the answer in the state; where it cannot be read, what was known stays."""
    for subscription in due(state, wiring):
        before = state.rights.get(subscription)
        try:
            permissions = await rights.held(wiring.compute(subscription), subscription)
        except AzureTrouble as error:
            log.warning("rights.unread", extra={"subscription": subscription, "why": error.sentence})
            lacks = before.missing if before is not None else []
            state.rights[subscription] = Rights(at=wiring.now(), missing=lacks, unread=error.sentence)
            continue
        lacks = list(rights.missing(permissions))
        state.rights[subscription] = Rights(at=wiring.now(), missing=lacks)
        for action in lacks:
            why = f"{action}: {rights.RIGHTS[action]}."
            log.warning("rights.missing", extra={"subscription": subscription, "why": why})


async def every(wiring: Wiring) -> Mapping[str, Rights]:
    """What was found last, by subscription; empty before the first sweep, or where a newer version keeps it.

    Raises StorageDown.
    """
    try:
        state, _ = await sweep_state.read(wiring)
    except NewerRecord:
        return {}
    return state.rights


async def known(subscription: str, wiring: Wiring) -> Rights | None:
    """The same of one subscription; None where nothing is known. Raises StorageDown."""
    return (await every(wiring)).get(subscription)
