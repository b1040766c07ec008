"""sweep: what the queues lost is sent again. Reads storage only, and starts the search when it is time.

Everything it sends is harmless when it was not lost: looks are looks, discovery and notices know what is
done.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from urllib.parse import unquote

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from handlers import search
from handlers.cloud.names import (
    ALERTS,
    ALERTS_PREFIX,
    CLAIMS_PREFIX,
    NOTICES,
    RUNS,
    RUNS_PREFIX,
    SWEEP_STATE,
    delivery_prefix,
)
from handlers.cloud.records import Conflict, Listed, StorageDown
from handlers.wire.documents import ANNOUNCED, BadRecord, NewerRecord, decode, waves_of
from handlers.wire.messages import AlertMessage, NoticeMessage, RunMessage
from handlers.wiring import Wiring
from planner.delivery import Delivery, behind
from planner.run import ANSWERS, ENDED, RunState

log = logging.getLogger(__name__)

PATIENCE = 3
"""Look-agains that may pass before something counts as lost."""

ALERTS_FOR = timedelta(days=60)
NOTICES_FOR = timedelta(days=30)
"""How far back alerts and untold notices are looked for; older ones are of no use to anybody."""

SELDOM = timedelta(hours=1)
"""An alert that cannot be discovered is sent again at growing distances, up to this one."""

SWEPT_TRIES = 8
"""An alert sent again joins where waits are longest: its first message may still be waiting as well."""

_OVER = {state.value for state in ENDED}
_NO_CLAIM = _OVER | {state.value for state in (*ANSWERS, RunState.SCHEDULED, RunState.AWAITING_APPROVAL)}


class Sent(BaseModel):
    """When something was sent again, and how often."""

    at: AwareDatetime
    count: int = 1


class State(BaseModel):
    """What the sweep remembers: what it sent again when, when it searched, what it told of the search."""

    model_config = ConfigDict(extra="ignore")

    v: int = 1
    swept_at: AwareDatetime | None = None
    searched_at: AwareDatetime | None = None
    sent: dict[str, Sent] = Field(default_factory=dict)
    told: dict[str, AwareDatetime] = Field(default_factory=dict)
    search_trouble: dict[str, str] = Field(default_factory=dict)


async def handle(wiring: Wiring) -> None:
    """One sweep. Raises StorageDown; trouble with a single item or with the search is logged."""
    state, etag = await _state(wiring)
    sweep = _Sweep(wiring, state)
    runs = await wiring.records.list(RUNS_PREFIX)
    alerts = await wiring.records.list(ALERTS_PREFIX)
    await sweep.each("overdue", runs, sweep.overdue)
    await sweep.each("undiscovered", alerts, sweep.undiscovered)
    await sweep.untold(runs)
    await sweep.claims(runs)
    state.sent = {key: one for key, one in state.sent.items() if one.at + 2 * SELDOM > sweep.now}
    state.swept_at = sweep.now
    wanted = state.searched_at is None or state.searched_at + wiring.settings.search_every <= sweep.now
    if wanted:
        state.searched_at = sweep.now
    etag = await _write(state, etag, wiring)
    if wanted and etag is not None:
        # After the writing: a search that kills the process must not come again with every sweep.
        state.search_trouble = await search.handle(alerts, state.told, wiring)
        await _write(state, etag, wiring)


class _Sweep:
    """One sweep at one time."""

    def __init__(self, wiring: Wiring, state: State) -> None:
        self.wiring = wiring
        self.now = wiring.now()
        self._state = state
        self._grace = PATIENCE * wiring.settings.look_again

    async def each(
        self, what: str, lines: Iterable[Listed], one: Callable[[Listed], Awaitable[None]]
    ) -> None:
        """What is wrong with one line must not hide the others."""
        for line in lines:
            try:
                await one(line)
            except StorageDown:
                raise
            except Exception:
                log.exception("sweep.item", extra={"what": what, "path": line.path})

    async def overdue(self, line: Listed) -> None:
        """A run whose look did not come."""
        metadata = line.metadata
        if "due" not in metadata or metadata.get("state") in _OVER:
            return
        due = datetime.fromisoformat(metadata["due"])
        if due + self._grace > self.now or not self._may(line.path):
            return
        subscription, group, name = _place(line)
        log.warning("sweep.overdue", extra={"path": line.path, "due": metadata["due"]})
        message = RunMessage(
            subscription=subscription,
            resource_group=group,
            name=name,
            generation=int(metadata.get("generation", "0")),
        )
        await self.wiring.queues.send(RUNS, message)
        self._note(line.path)

    async def undiscovered(self, line: Listed) -> None:
        """An alert that was stored and never worked through."""
        if line.metadata.get("kind") != ANNOUNCED:
            return
        age = self.now - line.created
        if not self._grace < age < ALERTS_FOR or not self._may(line.path, growing=True):
            return
        name = line.path.removeprefix(ALERTS_PREFIX).removesuffix(".json")
        wave = await self.wiring.wave(line.metadata["tracking_id"], line.metadata["subscription"])
        if wave is not None and name in wave.discovered:
            return
        log.warning("sweep.undiscovered", extra={"path": line.path})
        await self.wiring.queues.send(ALERTS, AlertMessage(alert=name, tries=SWEPT_TRIES))
        self._note(line.path)

    async def untold(self, runs: list[Listed]) -> None:
        """Waves with notices that somebody has not been told, and nobody is about to tell."""
        lasts: dict[str, dict[str, int]] = {}
        settled = self._grace + self.wiring.settings.group_wait
        for run in runs:
            waves = waves_of(run.metadata)
            # Notices of a run are told under its first wave.
            if waves and settled < self.now - run.modified < NOTICES_FOR:
                lasts.setdefault(waves[0], {})[run.path] = int(run.metadata.get("last_notice", "0"))
        for tracking_id, known in lasts.items():
            key = f"{NOTICES}/{tracking_id}"
            if not any(known.values()) or not self._may(key):
                continue
            try:
                deliveries = await self._deliveries(tracking_id)
            except (BadRecord, NewerRecord, ValueError) as error:
                log.warning("sweep.delivery", extra={"tracking_id": tracking_id, "reason": str(error)})
                continue
            coming = any(one.follow_up and one.follow_up + self._grace > self.now for one in deliveries)
            if coming or not behind(deliveries, known):
                continue
            log.warning("sweep.untold", extra={"tracking_id": tracking_id})
            await self.wiring.queues.send(NOTICES, NoticeMessage(tracking_id=tracking_id, kind="wave"))
            self._note(key)

    async def claims(self, runs: list[Listed]) -> None:
        """Claims of runs that are over, gone, or died before their first start would hold up the others."""
        states = {run.path: run.metadata.get("state", RunState.SCHEDULED.value) for run in runs}
        for claim in await self.wiring.records.list(CLAIMS_PREFIX):
            run = f"{RUNS_PREFIX}{claim.path.removeprefix(CLAIMS_PREFIX)}.json"
            if states.get(run, "") not in {"", *_NO_CLAIM} or claim.modified + self._grace > self.now:
                continue
            try:
                await self.wiring.records.delete(claim.path, etag=claim.etag)
                log.warning("sweep.claim", extra={"path": claim.path})
            except Conflict:
                log.info("sweep.claim_renewed", extra={"path": claim.path})

    async def _deliveries(self, tracking_id: str) -> list[Delivery]:
        found = []
        for line in await self.wiring.records.list(delivery_prefix(tracking_id)):
            stored = await self.wiring.records.read(line.path)
            if stored is not None:
                found.append(decode(Delivery, stored.body))
        return found

    def _may(self, key: str, *, growing: bool = False) -> bool:
        sent = self._state.sent.get(key)
        if sent is None:
            return True
        wait = (
            max(self._grace, min(self._grace * 2 ** min(sent.count, 20), SELDOM)) if growing else self._grace
        )
        return sent.at + wait <= self.now

    def _note(self, key: str) -> None:
        before = self._state.sent.get(key)
        self._state.sent[key] = Sent(at=self.now, count=before.count + 1 if before else 1)


def _place(line: Listed) -> tuple[str, str, str]:
    """Subscription, resource group and name of a run from its line in the listing."""
    subscription, group, name = line.path.removeprefix(RUNS_PREFIX).removesuffix(".json").split("/")
    return (
        subscription,
        unquote(line.metadata.get("resource_group", group)),
        unquote(line.metadata.get("name", name)),
    )


async def _state(wiring: Wiring) -> tuple[State, str | None]:
    stored = await wiring.records.read(SWEEP_STATE)
    if stored is None:
        return State(), None
    try:
        return State.model_validate_json(stored.body), stored.etag
    except ValidationError as error:
        log.warning("sweep.state_unreadable", extra={"reason": str(error)})
        return State(), stored.etag


async def _write(state: State, etag: str | None, wiring: Wiring) -> str | None:
    """The new etag, None when another sweep wrote in between: it has sent the same, and searches."""
    try:
        return await wiring.records.write(SWEEP_STATE, state.model_dump_json().encode(), etag=etag)
    except Conflict:
        log.info("sweep.overlapped")
        return None
