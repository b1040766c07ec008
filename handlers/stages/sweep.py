"""sweep: what the queues lost is sent again. Reads storage only, and starts the search when it is time.

Everything it sends is harmless when it was not lost: looks are polls, discovery and notices know what is
done.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from urllib.parse import unquote

from handlers.cloud.names import ALERTS_PREFIX, CLAIMS_PREFIX, RUNS_PREFIX
from handlers.cloud.records import Conflict, Listed, StorageDown
from handlers.waves import search, sweep_state, unplanned
from handlers.waves.sweep_state import State
from handlers.wire.documents import ANNOUNCED, BadRecord, NewerRecord, waves_of
from handlers.wire.ids import ALERTS, NOTICES
from handlers.wire.messages import AlertMessage, NoticeMessage
from handlers.wiring import Wiring
from planner.notices.delivery import behind
from planner.record.states import ENDED, HANDS_OFF, RunState

log = logging.getLogger(__name__)

PATIENCE = 3
"""Poll intervals that may pass before something counts as lost."""

ALERTS_FOR = timedelta(days=60)
NOTICES_FOR = timedelta(days=30)
"""How far back alerts and untold notices are looked for; older ones are of no use to anybody."""

SWEPT_TRIES = 8
"""An alert sent again tells nobody of trouble: its first message may still be waiting, and tells."""

_OVER = {state.value for state in ENDED}
_UNCLAIMED = _OVER | {state.value for state in HANDS_OFF}
_NOT_YET = {RunState.SCHEDULED.value, RunState.AWAITING_APPROVAL.value}


async def handle(wiring: Wiring) -> None:
    """One sweep. Raises StorageDown; trouble with a single item or with the search is logged."""
    try:
        state, etag = await sweep_state.read(wiring)
    except NewerRecord as error:
        log.warning("sweep.newer", extra={"reason": str(error)})
        return  # who wrote it sweeps as well
    sweep = _Sweep(wiring, state)
    runs = await wiring.records.list(RUNS_PREFIX)
    alerts = await wiring.records.list(ALERTS_PREFIX)
    await sweep.each("overdue", runs, sweep.overdue)
    await sweep.each("undiscovered", alerts, sweep.undiscovered)
    await unplanned.handle(runs, state, sweep.now, sweep.grace, wiring)
    await sweep.each("untold", runs, sweep.last_notices)
    await sweep.untold()
    await sweep.claims(runs)
    state.forget_sent(sweep.now)
    state.swept_at = sweep.now
    wanted = state.searched_at is None or state.searched_at + wiring.settings.search_every <= sweep.now
    if wanted:
        state.searched_at = sweep.now
    etag = await sweep_state.write(state, etag, wiring)
    if wanted and etag is not None:
        # After the writing: a search that kills the process must not come again with every sweep.
        state.search_trouble = await search.handle(alerts, state.told, wiring)
        await sweep_state.write(state, etag, wiring)


class _Sweep:
    """One sweep at one time."""

    def __init__(self, wiring: Wiring, state: State) -> None:
        self.wiring = wiring
        self.now = wiring.now()
        self._state = state
        self.grace = PATIENCE * wiring.settings.poll_interval
        self._lasts: dict[str, dict[str, int]] = {}

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
        """A run whose poll did not come; one that takes minutes to read is given them."""
        metadata = line.metadata
        if "due" not in metadata:
            return
        due = datetime.fromisoformat(metadata["due"])
        reading = timedelta(seconds=int(metadata.get("reading", "0")))
        if due + reading + self.grace > self.now or not self._may(line.path):
            return
        log.warning("sweep.overdue", extra={"path": line.path, "due": metadata["due"]})
        await self.wiring.runs.send_poll_of(_place(line), int(metadata.get("generation", "0")))
        self._note(line.path)

    async def undiscovered(self, line: Listed) -> None:
        """An alert that was stored and never worked through."""
        if line.metadata.get("kind") != ANNOUNCED:
            return
        age = self.now - line.created
        if not self.grace < age < ALERTS_FOR or not self._may(line.path, growing=True):
            return
        name = line.path.removeprefix(ALERTS_PREFIX).removesuffix(".json")
        subscription = line.metadata["subscription"]
        wave = await self.wiring.waves.get(line.metadata["tracking_id"], subscription)
        if wave is not None and name in wave.discovered:
            return
        if await unplanned.waits_for_azure(subscription, self.now, self.grace, self.wiring):
            return
        log.warning("sweep.undiscovered", extra={"path": line.path})
        await self.wiring.queues.send(ALERTS, AlertMessage(alert=name, tries=SWEPT_TRIES, swept=True))
        self._note(line.path)

    async def last_notices(self, run: Listed) -> None:
        """Remember a run's last notice, under its first wave: there the notices of a run are told."""
        waves, settled = waves_of(run.metadata), self.grace + self.wiring.settings.group_wait
        if waves and settled < self.now - run.modified < NOTICES_FOR:
            self._lasts.setdefault(waves[0], {})[run.path] = int(run.metadata.get("last_notice", "0"))

    async def untold(self) -> None:
        """Waves with notices that somebody has not been told, and nobody is about to tell."""
        for tracking_id, known in self._lasts.items():
            key = f"{NOTICES}/{tracking_id}"
            if not any(known.values()) or not self._may(key):
                continue
            try:
                deliveries = [delivery async for delivery, _ in self.wiring.deliveries.of_wave(tracking_id)]
            except (BadRecord, NewerRecord, ValueError) as error:
                log.warning("sweep.delivery", extra={"tracking_id": tracking_id, "reason": str(error)})
                continue
            coming = any(one.follow_up and one.follow_up + self.grace > self.now for one in deliveries)
            if coming or not behind(deliveries, known):
                continue
            log.warning("sweep.untold", extra={"tracking_id": tracking_id})
            await self.wiring.queues.send(NOTICES, NoticeMessage(tracking_id=tracking_id, kind="wave"))
            self._note(key)

    async def claims(self, runs: list[Listed]) -> None:
        """Claims of runs that are over, gone, or died before their first start would hold up the others."""
        kept = {run.path for run in runs if _holds_a_claim(run)}
        for claim in await self.wiring.records.list(CLAIMS_PREFIX):
            run = f"{RUNS_PREFIX}{claim.path.removeprefix(CLAIMS_PREFIX)}.json"
            if run in kept or claim.modified + self.grace > self.now:
                continue
            try:
                await self.wiring.records.delete(claim.path, etag=claim.etag)
                log.warning("sweep.claim", extra={"path": claim.path})
            except Conflict:
                log.info("sweep.claim_renewed", extra={"path": claim.path})

    def _may(self, key: str, *, growing: bool = False) -> bool:
        return self._state.may_send(key, self.now, self.grace, growing=growing)

    def _note(self, key: str) -> None:
        self._state.note_sent(key, self.now)


def _holds_a_claim(line: Listed) -> bool:
    """A run keeps it from its first start to its end, also while those who joined wait for approval.

    Whoever lets the others pass gave it away, and claims anew what it starts after that.
    """
    state = line.metadata.get("state", RunState.SCHEDULED.value)
    if "lets_pass" in line.metadata:
        return False
    return state not in _UNCLAIMED and (state not in _NOT_YET or "begun" in line.metadata)


def _place(line: Listed) -> tuple[str, str, str]:
    """Subscription, resource group and name of a run from its line in the listing."""
    subscription, group, name = line.path.removeprefix(RUNS_PREFIX).removesuffix(".json").split("/")
    return (
        subscription,
        unquote(line.metadata.get("resource_group", group)),
        unquote(line.metadata.get("name", name)),
    )
