"""What the sweep remembers from one time to the next: what it sent again, when it searched, what it told."""

import logging
from datetime import datetime, timedelta

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from handlers.cloud.names import SWEEP_STATE
from handlers.cloud.records import Conflict
from handlers.wire.documents import BadRecord, decode
from handlers.wiring import Wiring
from planner.text.backoff import doubled

log = logging.getLogger(__name__)

SELDOM = timedelta(hours=1)
"""What is sent again at growing distances is sent at least this often."""


class Sent(BaseModel):
    """When something was sent again, and how often."""

    at: AwareDatetime
    count: int = 1


class State(BaseModel):
    """What was sent again when, when it searched, what it told of the search."""

    model_config = ConfigDict(extra="ignore")

    v: int = 1
    swept_at: AwareDatetime | None = None
    searched_at: AwareDatetime | None = None
    sent: dict[str, Sent] = Field(default_factory=dict)
    told: dict[str, AwareDatetime] = Field(default_factory=dict)
    search_trouble: dict[str, str] = Field(default_factory=dict)

    def may_send(self, key: str, now: datetime, patience: timedelta, *, growing: bool) -> bool:
        """Whether it was sent long enough ago: `patience`, or doubling from there up to SELDOM."""
        sent = self.sent.get(key)
        if sent is None:
            return True
        wait = max(patience, doubled(patience, sent.count, SELDOM)) if growing else patience
        return sent.at + wait <= now

    def note_sent(self, key: str, now: datetime) -> None:
        before = self.sent.get(key)
        self.sent[key] = Sent(at=now, count=before.count + 1 if before else 1)

    def forget_sent(self, now: datetime) -> None:
        """Drop what was sent so long ago that it holds nothing back any more."""
        self.sent = {key: one for key, one in self.sent.items() if one.at + 2 * SELDOM > now}


async def read(wiring: Wiring) -> tuple[State, str | None]:
    """The state with its etag, a fresh one where none can be read. Raises StorageDown, NewerRecord."""
    stored = await wiring.records.read(SWEEP_STATE)
    if stored is None:
        return State(), None
    try:
        return decode(State, stored.body), stored.etag
    except BadRecord as error:
        log.warning("sweep.state_unreadable", extra={"reason": str(error)})
        return State(), stored.etag


async def write(state: State, etag: str | None, wiring: Wiring) -> str | None:
    """The new etag, None when another sweep wrote in between: it has sent the same, and searches."""
    try:
        return await wiring.records.write(SWEEP_STATE, state.model_dump_json().encode(), etag=etag)
    except Conflict:
        log.info("sweep.overlapped")
        return None
