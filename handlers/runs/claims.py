"""Who is in flight, for the limits: one small record per scale set, created before its first intent.

A claim is created first and the others listed afterwards, so that of two runs at once at least one sees the
other. Over the limit it is removed again, and the run is polled again after a random wait.
"""

from collections.abc import Iterable
from contextlib import suppress

from handlers.cloud.names import claim_path, claim_prefix
from handlers.cloud.records import Conflict, Listed, Records
from handlers.runs import limits as limits_now
from handlers.wire.documents import quoted
from handlers.wire.run_lines import names
from handlers.wiring import Wiring
from handlers.words.trouble import CLAIMED_BY_OTHER_POLL
from planner.policy.limits import Claim, over
from planner.policy.model import Limits
from planner.record.run import Run
from planner.start.prepare import FRESH

STALE = 2 * FRESH
"""A claim this old without a start on record is a crashed poll's: starts are sent within FRESH."""


def _claim(run: Run) -> Claim:
    target = run.target
    path = claim_path(target.subscription, target.resource_group, target.name)
    return Claim(path, target.location, run.terms.counts_in)


def _metadata(claim: Claim) -> dict[str, str]:
    fields = {"location": claim.location, "counts_in": quoted(claim.counts_in)}
    return {key: value for key, value in fields.items() if value}


async def forbidden(run: Run, wiring: Wiring) -> str:
    """Why a run that holds no claim could not get one now, empty when it could or holds one.

    A claim left by a poll that crashed before its first start is given back: it would hold up the others.
    """
    if run.claims:
        return ""
    mine, found = _claim(run), await _listed(run, wiring)
    for line in found:
        # A young claim may be that of another host's poll, whose starts are on their way.
        if line.path == mine.path and line.modified + STALE <= wiring.now():
            await give_back(run, line.etag, wiring)
    return _over(mine, found, await limits_now.of(run.target.subscription, wiring))


async def acquire(run: Run, wiring: Wiring) -> str:
    """Claim the scale set for this run; why not, if the limits forbid it, and then nothing is left behind.

    A run that has started something keeps its claim whatever the limits have become since, unless a person
    has let the others pass.
    """
    mine, records = _claim(run), wiring.records
    allowed = await limits_now.of(run.target.subscription, wiring)
    # Polls of one process take turns: of sixteen at once the first five get through, not none.
    async with wiring.turn(claim_prefix(run.target.subscription)):
        try:
            etag = await records.create(mine.path, b"{}", _metadata(mine))
        except Conflict:
            if run.claims:
                return ""
            etag = None
            if not await _shared(records, mine):
                return CLAIMED_BY_OTHER_POLL
        why = _over(mine, await _listed(run, wiring), allowed)
        if why and etag is not None:
            await give_back(run, etag, wiring)
        return why


async def _shared(records: Records, mine: Claim) -> bool:
    """Share the claim of another poll: under a new ETag that poll cannot give back what both need.

    Nor is it given back from here: the other poll's starts may be on their way.
    """
    stored = await records.read(mine.path)
    if stored is None:
        return False
    try:
        await records.write(mine.path, stored.body, etag=stored.etag, metadata=_metadata(mine))
    except Conflict:
        return False
    return True


async def release(run: Run, wiring: Wiring) -> None:
    """Give up the claim of a run that is over, whoever wrote it."""
    await wiring.records.delete(_claim(run).path)


async def etag_of(run: Run, wiring: Wiring) -> str | None:
    """The ETag of the run's claim as it stands, to give back just that one."""
    stored = await wiring.records.read(_claim(run).path)
    return stored.etag if stored is not None else None


async def give_back(run: Run, etag: str, wiring: Wiring) -> None:
    """Give the run's claim back, unless it was claimed anew or shared since `etag`."""
    with suppress(Conflict):
        await wiring.records.delete(_claim(run).path, etag=etag)


async def _listed(run: Run, wiring: Wiring) -> list[Listed]:
    return await wiring.records.list(claim_prefix(run.target.subscription))


def _over(mine: Claim, found: Iterable[Listed], allowed: Limits) -> str:
    claims = [
        Claim(line.path, line.metadata.get("location", ""), names(line.metadata.get("counts_in", "")))
        for line in found
    ]
    return over(claims, mine, allowed)
