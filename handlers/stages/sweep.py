"""sweep: what the queues lost is sent again. Reads storage only, and starts the search when it is time.

Everything it sends is harmless when nothing was lost: an extra poll is a poll like any other, and discover
and notify know what is done.
"""

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta

from handlers import deadline
from handlers.cloud.names import ALERTS_PREFIX, CLAIMS_PREFIX, RUNS_PREFIX
from handlers.cloud.records import Conflict, Listed, StorageDown
from handlers.log import logger
from handlers.repository.runs import place_of
from handlers.runs import limits, queue
from handlers.waves import drills, listing, notices_lost, rights_probe, search, sweep_state, unplanned
from handlers.waves.sweep_state import Sweep
from handlers.wire.alerts import ANNOUNCED
from handlers.wire.documents import ASLEEP, BadRecord, NewerRecord, waves_of
from handlers.wire.ids import ALERTS, NOTICES
from handlers.wire.messages import AlertMessage, NoticeMessage
from handlers.wiring import Wiring
from planner.record.states import ACTIVE, ENDED, HANDS_OFF, RunState

log = logger(__name__)

ALERTS_FOR = timedelta(days=60)
NOTICES_FOR = timedelta(days=30)
"""How far back alerts and untold notices are looked for; older ones help nobody."""

SWEPT_TRIES = 8
"""An alert sent again reports no trouble: its first message may still be waiting, and reports it."""

_UNCLAIMED = ENDED | HANDS_OFF
_NOT_YET = frozenset({RunState.SCHEDULED, RunState.AWAITING_APPROVAL})


async def handle(wiring: Wiring) -> None:
    """One sweep. Raises StorageDown; trouble with a single item or with the search is logged."""
    try:
        state, etag = await sweep_state.read(wiring)
    except NewerRecord as error:
        log.warning("sweep.newer", extra={"why": str(error)})
        return  # the newer version sweeps as well
    sweep = Sweep(state, wiring)
    await _swept(sweep)
    sweep.forget_sent()
    state.swept_at = sweep.now
    due = state.searched_at is None or state.searched_at + wiring.settings.search_every <= sweep.now
    unsearched = list(wiring.settings.subscriptions) if due else state.unsearched
    state.unsearched = []
    if due:
        state.searched_at = sweep.now
    etag = await sweep_state.write(state, etag, wiring)
    if etag is not None and (due or unsearched or rights_probe.due(state, wiring)):
        # After the writing: a search that kills the process must not be repeated by every sweep.
        await _searched(unsearched, state, wiring)
        await sweep_state.write(state, etag, wiring)


async def _swept(sweep: Sweep) -> None:
    """Step by step; the one at which the last sweep ran out of time comes last, so that each has its turn."""
    steps: dict[str, Callable[[list[Listed]], Awaitable[None]]] = {
        "overdue": lambda runs: _each("overdue", runs, _overdue, sweep),
        "undiscovered": lambda _: _alerts(sweep),
        "unplanned": lambda runs: unplanned.handle(runs, sweep),
        "drills": lambda _: drills.end_those_over(sweep.wiring),
        "untold": lambda runs: _untold(runs, sweep),
        "claims": lambda runs: _stale_claims(runs, sweep),
        "turns": lambda runs: _turns(runs, sweep.wiring),
    }
    names, state, at = list(steps), sweep.state, ""
    first = names.index(state.cut_at) + 1 if state.cut_at in steps else 0
    try:
        async with deadline.work():
            runs = await sweep.wiring.runs.listed()
            for at in (*names[first:], *names[:first]):
                await steps[at](runs)
            at = ""
    except deadline.OutOfTime as error:
        log.warning("sweep.out_of_time", extra={"step": at, "why": str(error)})
    state.cut_at = at


async def _searched(subscriptions: list[str], state: sweep_state.State, wiring: Wiring) -> None:
    """Ask for the rights that are due, then search these; what there was no time for is the next sweep's."""
    try:
        async with deadline.work():
            await rights_probe.probe(state, wiring)
            if subscriptions:
                alerts = await wiring.records.list(ALERTS_PREFIX)
                state.search_trouble = await search.handle(alerts, state, wiring, subscriptions)
    except deadline.OutOfTime as error:
        log.warning("search.out_of_time", extra={"left": len(subscriptions), "why": str(error)})
    state.unsearched = subscriptions


async def _alerts(sweep: Sweep) -> None:
    alerts = await sweep.wiring.records.list(ALERTS_PREFIX)
    await _each("undiscovered", alerts, _undiscovered, sweep)


async def _turns(runs: Iterable[Listed], wiring: Wiring) -> None:
    for subscription in sorted(await _with_room(runs, wiring)):
        await queue.wake(subscription, wiring)


async def _with_room(runs: Iterable[Listed], wiring: Wiring) -> set[str]:
    """The subscriptions in which a run sleeps until its turn and the limits leave room for one.

    Elsewhere nobody's turn can have come, and the places of a thousand runs need not be laid to know that.
    """
    sleeping: set[str] = set()
    flying: Counter[str] = Counter()
    for line in runs:
        subscription = place_of(line)[0]
        if line.metadata.get("queue") == ASLEEP:
            sleeping.add(subscription)
        begun = "begun" in line.metadata and "lets_pass" not in line.metadata
        flying[subscription] += begun and line.metadata.get("state") in ACTIVE
    return {each for each in sleeping if flying[each] < (await limits.of(each, wiring)).scale_sets}


async def _each(
    what: str, lines: Iterable[Listed], check: Callable[[Listed, Sweep], Awaitable[None]], sweep: Sweep
) -> None:
    """What is wrong with one line must not hide the others; those sent longest ago come first."""
    for line in sorted(lines, key=lambda line: sweep.sent_at(line.path)):
        try:
            await check(line, sweep)
        except StorageDown:
            raise
        except Exception:
            log.exception("sweep.item", extra={"what": what, "path": line.path})


async def _overdue(line: Listed, sweep: Sweep) -> None:
    """Poll a run whose poll did not come; one that takes minutes to read is given them."""
    metadata = line.metadata
    if "due" not in metadata:
        return
    due = datetime.fromisoformat(metadata["due"])
    reading = timedelta(seconds=int(metadata.get("reading", "0")))
    if due + reading + sweep.grace > sweep.now or not sweep.may_send(line.path):
        return
    log.warning("sweep.overdue", extra={"path": line.path, "due": metadata["due"]})
    await sweep.wiring.runs.send_poll_of(place_of(line), int(metadata.get("generation", "0")))
    sweep.note_sent(line.path)


async def _undiscovered(line: Listed, sweep: Sweep) -> None:
    """Send an alert again that was stored and never worked through."""
    if line.metadata.get("kind") != ANNOUNCED:
        return
    age = sweep.now - line.created
    if not sweep.grace < age < ALERTS_FOR or not sweep.may_send(line.path, growing=True):
        return
    name = line.path.removeprefix(ALERTS_PREFIX).removesuffix(".json")
    subscription = line.metadata["subscription"]
    wave = await sweep.wiring.waves.get(line.metadata["tracking_id"], subscription)
    if (wave is not None and name in wave.discovered) or await sweep.waits_for_azure(subscription):
        return
    if await listing.under_way(subscription, sweep.wiring):
        return  # its message is on its way, or waits for what is being read
    log.warning("sweep.undiscovered", extra={"path": line.path})
    await sweep.wiring.queues.send(ALERTS, AlertMessage(alert=name, tries=SWEPT_TRIES, swept=True))
    sweep.note_sent(line.path)


async def _untold(runs: Iterable[Listed], sweep: Sweep) -> None:
    """Have waves told of notices that somebody has not been told, and nobody is about to tell."""
    told_under: defaultdict[str, list[notices_lost.Line]] = defaultdict(list)

    async def remember(run: Listed, sweep: Sweep) -> None:
        # Under its first wave: there the notices of a run are told.
        settled = sweep.grace + sweep.wiring.settings.group_wait
        untouched = sweep.now - run.modified
        line = notices_lost.line(run.path, run.metadata)
        if settled < untouched < NOTICES_FOR or (line.pages and untouched < NOTICES_FOR):
            told_under[waves_of(run.metadata)[0]].append(line)

    await _each("untold", runs, remember, sweep)
    for tracking_id, lines in told_under.items():
        key = f"{NOTICES}/{tracking_id}"
        if not any(line.last for line in lines) or not sweep.may_send(key):
            continue
        try:
            deliveries = [delivery async for delivery, _ in sweep.wiring.deliveries.of_wave(tracking_id)]
        except (BadRecord, NewerRecord, ValueError) as error:
            log.warning("sweep.delivery", extra={"wave": tracking_id, "why": str(error)})
            continue
        if not notices_lost.some_lost(lines, deliveries, sweep.now, sweep.grace):
            continue
        log.warning("sweep.untold", extra={"wave": tracking_id})
        await sweep.wiring.queues.send(NOTICES, NoticeMessage(tracking_id=tracking_id, kind="wave"))
        sweep.note_sent(key)


async def _stale_claims(runs: Iterable[Listed], sweep: Sweep) -> None:
    """Delete claims of runs that are over, gone, or crashed before their first start: they block others."""
    kept = {run.path for run in runs if _holds_a_claim(run)}
    for claim in await sweep.wiring.records.list(CLAIMS_PREFIX):
        run = f"{RUNS_PREFIX}{claim.path.removeprefix(CLAIMS_PREFIX)}.json"
        if run in kept or claim.modified + sweep.grace > sweep.now:
            continue
        try:
            await sweep.wiring.records.delete(claim.path, etag=claim.etag)
            log.warning("sweep.claim", extra={"path": claim.path})
        except Conflict:
            log.info("sweep.claim_renewed", extra={"path": claim.path})


def _holds_a_claim(line: Listed) -> bool:
    """A run keeps its claim from its first start to its end, also while added instances wait for approval.

    A run that lets the others pass has given it away, and claims anew what it starts after that.
    """
    state = line.metadata.get("state", RunState.SCHEDULED)
    if state in _UNCLAIMED or "lets_pass" in line.metadata:
        return False
    return state not in _NOT_YET or "begun" in line.metadata
