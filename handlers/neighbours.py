"""The other runs of a subscription as one listing shows them: how long their batches took, when they end."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

from handlers.cloud.names import RUNS_PREFIX
from handlers.cloud.records import Listed
from handlers.wire.documents import waves_of
from handlers.wiring import Wiring
from planner.run import Run, RunState

FRESH = timedelta(seconds=20)
"""How long a listing serves: hundreds of runs may wait for the same limit."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """`durations` are of the same wave's runs, `first_end` is when the first one under way should end."""

    durations: tuple[timedelta, ...] = ()
    first_end: datetime | None = None


_listings: WeakKeyDictionary[Wiring, dict[str, tuple[datetime, list[Listed]]]] = WeakKeyDictionary()


async def of(run: Run, wiring: Wiring) -> Neighbours:
    """What the runs beside `run` tell it; raises StorageDown."""
    subscription, waves = run.target.subscription.lower(), set(run.waves)
    others = [
        one
        for one in await _listed(subscription, wiring)
        if one.metadata.get("name", "").lower() != run.target.name.lower()
    ]
    took = [
        one.metadata["took"] for one in others if "took" in one.metadata and waves & {*waves_of(one.metadata)}
    ]
    ends = [forecast(one) for one in others if one.metadata.get("state") == RunState.RUNNING]
    return Neighbours(
        tuple(timedelta(seconds=int(one)) for one in took),
        min((one for one in ends if one is not None), default=None),
    )


def forecast(line: Listed) -> datetime | None:
    """When the run of a listed record is expected to end."""
    said = line.metadata.get("forecast")
    return datetime.fromisoformat(said) if said else None


async def _listed(subscription: str, wiring: Wiring) -> list[Listed]:
    kept = _listings.setdefault(wiring, {})
    known = kept.get(subscription)
    if known is None or known[0] + FRESH <= wiring.now():
        known = kept[subscription] = (
            wiring.now(),
            await wiring.records.list(f"{RUNS_PREFIX}{subscription}/"),
        )
    return known[1]
