"""The limits of a subscription: the policy file's, and what people have raised while a wave is open."""

from handlers.wiring import Wiring
from planner.policy.limits import RaisedLimits, raised
from planner.policy.model import Limits


async def of(subscription: str, wiring: Wiring) -> Limits:
    """The limits as they are now. Raises StorageDown."""
    return raised(wiring.policy().limits, await raised_in(subscription, wiring))


async def raised_in(subscription: str, wiring: Wiring) -> tuple[RaisedLimits, ...]:
    """What people have raised for waves that are open; the rest is removed. Raises StorageDown."""
    found = []
    for each in await wiring.raised_limits.of(subscription):
        wave = await wiring.waves.get(each.tracking_id, each.subscription)
        if wave is not None and wave.open:
            found.append(each)
        else:
            await wiring.raised_limits.forget(each)
    return tuple(found)
