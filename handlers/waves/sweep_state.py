"""What the sweep remembers from one time to the next: what it sent again, when it searched, what it told."""

from datetime import UTC, datetime, timedelta

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from handlers.cloud.names import SWEEP_STATE
from handlers.cloud.records import Conflict
from handlers.log import logger
from handlers.wire.documents import BadRecord, decode
from handlers.wiring import Wiring
from planner.text.backoff import doubled

log = logger(__name__)

PATIENCE = 3
"""Poll intervals that may pass before something counts as lost."""

SELDOM = timedelta(hours=1)
"""What is sent again at growing intervals is sent at least this often."""


class Sent(BaseModel):
    """When something was sent again, and how often."""

    at: AwareDatetime
    count: int = 1


class Rights(BaseModel):
    """The rights of its role that the app's identity lacked in a subscription; `unread`: why nobody knows."""

    at: AwareDatetime
    missing: list[str] = Field(default_factory=list)
    unread: str = ""


class State(BaseModel):
    """What was sent again when, when it searched, what it told of the search, the rights it found.

    `cut_at` is the step at which the last sweep ran out of time, `unsearched` the subscriptions for which its
    search had none.
    """

    model_config = ConfigDict(extra="ignore")

    v: int = 1
    swept_at: AwareDatetime | None = None
    searched_at: AwareDatetime | None = None
    sent: dict[str, Sent] = Field(default_factory=dict)
    told: dict[str, AwareDatetime] = Field(default_factory=dict)
    search_trouble: dict[str, str] = Field(default_factory=dict)
    rights: dict[str, Rights] = Field(default_factory=dict)
    cut_at: str = ""
    unsearched: list[str] = Field(default_factory=list)


class Sweep:
    """One sweep at one moment: what it may send again, with a note of what it has sent."""

    def __init__(self, state: State, wiring: Wiring) -> None:
        self.state, self.wiring, self.now = state, wiring, wiring.now()
        self.grace = PATIENCE * wiring.settings.poll_interval

    def may_send(self, key: str, wait: timedelta | None = None, *, growing: bool = False) -> bool:
        """Whether it was sent long enough ago: `wait` (else the grace), or doubling from there to SELDOM."""
        sent, wait = self.state.sent.get(key), wait or self.grace
        if sent is not None and growing:
            wait = max(wait, doubled(wait, sent.count, SELDOM))
        return sent is None or sent.at + wait <= self.now

    def sent_at(self, key: str) -> datetime:
        """When it was last sent, long ago for what never was."""
        sent = self.state.sent.get(key)
        return sent.at if sent is not None else datetime.min.replace(tzinfo=UTC)

    def note_sent(self, key: str) -> None:
        before = self.state.sent.get(key)
        self.state.sent[key] = Sent(at=self.now, count=before.count + 1 if before else 1)

    def forget_sent(self) -> None:
        """Drop what was sent so long ago that it holds nothing back any more."""
        sent = self.state.sent
        self.state.sent = {key: note for key, note in sent.items() if note.at + 2 * SELDOM > self.now}

    async def waits_for_azure(self, subscription: str) -> bool:
        """Whether Azure asks, or asked a moment ago, to wait: messages are put off then, none is lost."""
        until = await self.wiring.retry_after(subscription).last()
        return until is not None and self.now < until + self.grace


async def read(wiring: Wiring) -> tuple[State, str | None]:
    """The state with its etag, a fresh one where none can be read. Raises StorageDown, NewerRecord."""
    stored = await wiring.records.read(SWEEP_STATE)
    if stored is None:
        return State(), None
    try:
        return decode(State, stored.body), stored.etag
    except BadRecord as error:
        log.warning("sweep.state_unreadable", extra={"why": str(error)})
        return State(), stored.etag


async def write(state: State, etag: str | None, wiring: Wiring) -> str | None:
    """The new etag; None when another sweep wrote in between, which has sent the same and searches."""
    try:
        return await wiring.records.write(SWEEP_STATE, state.model_dump_json().encode(), etag=etag)
    except Conflict:
        log.info("sweep.overlapped")
        return None
