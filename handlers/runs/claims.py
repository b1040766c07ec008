"""Who is in flight, for the limits: one small record per scale set, created before its first intent.

A claim is created first and the others listed afterwards, so that of two who come at once at least one sees
the other. Over the limit it is removed again, and the run looks again after a random wait.
"""

from handlers.cloud.names import claim_path, claim_prefix
from handlers.cloud.records import Conflict, Listed, Records
from handlers.wiring import Wiring
from planner.policy import limits
from planner.policy.limits import Claim
from planner.record.run import Run
from planner.start.prepare import FRESH

STALE = 2 * FRESH
"""A claim this old without a start on record belongs to a poll that died: starts are sent within FRESH."""


def path_of(run: Run) -> str:
    return claim_path(run.target.subscription, run.target.resource_group, run.target.name)


async def forbidden(run: Run, wiring: Wiring) -> str:
    """Why a run that holds no claim could not get one now, empty when it could or holds one.

    A claim left by a poll that died before its first start is given back: it would hold up the others.
    """
    found = await _claims(wiring.records, run)
    mine = Claim(path_of(run), run.target.location)
    if run.claims:
        return ""
    for one in found:
        # A young claim may be that of another host's poll, whose starts are on their way.
        if one.path == mine.path and one.modified + STALE <= wiring.now():
            await _give_back(wiring.records, one.path, one.etag)
    return limits.over(map(_claim, found), mine, wiring.policy().limits)


async def acquire(run: Run, wiring: Wiring) -> str:
    """Claim the scale set for this run; why not, if the limits forbid it, and then nothing is left behind.

    A run that has started something keeps its claim whatever the limits have become since, unless a person
    has let the others pass.
    """
    mine = Claim(path_of(run), run.target.location)
    records = wiring.records
    # Looks of one process take turns: of sixteen at once the first five get through, not none.
    async with wiring.turn(claim_prefix(run.target.subscription)):
        try:
            etag = await records.create(mine.path, b"{}", {"location": run.target.location})
        except Conflict:
            if run.claims:
                return ""
            etag = None
            if not await _shared(records, mine):
                return "another poll of it claims it just now"
        found = await _claims(records, run)
        why = limits.over(map(_claim, found), mine, wiring.policy().limits)
        if why and etag is not None:
            await _give_back(records, mine.path, etag)
        return why


async def _shared(records: Records, mine: Claim) -> bool:
    """Stand beside the poll whose claim it is: with another etag it cannot give back what both need.

    Whoever shares it never gives it back: the starts of the other one may be on their way.
    """
    stored = await records.read(mine.path)
    if stored is None:
        return False
    try:
        await records.write(mine.path, stored.body, etag=stored.etag, metadata={"location": mine.location})
    except Conflict:
        return False
    return True


async def release(records: Records, run: Run) -> None:
    await records.delete(path_of(run))


async def etag_of(records: Records, run: Run) -> str | None:
    """The claim as it stands, to give back just that one."""
    stored = await records.read(path_of(run))
    return stored.etag if stored is not None else None


async def give_back(records: Records, run: Run, etag: str) -> None:
    """Give the run's claim back, unless it was claimed anew since `etag`."""
    await _give_back(records, path_of(run), etag)


async def _give_back(records: Records, path: str, etag: str) -> None:
    try:
        await records.delete(path, etag=etag)
    except Conflict:
        return  # taken anew, or shared, meanwhile


async def _claims(records: Records, run: Run) -> list[Listed]:
    return await records.list(claim_prefix(run.target.subscription))


def _claim(listed: Listed) -> Claim:
    return Claim(listed.path, listed.metadata.get("location", ""))
