"""The limits of a subscription: the policy file's, and what people have raised while a wave is open."""

from handlers.wiring import Wiring
from planner.policy.limits import raised
from planner.policy.model import Limits


async def of(subscription: str, wiring: Wiring) -> Limits:
    """The limits as they are now. Raises StorageDown."""
    return raised(wiring.policy().limits, await wiring.raised_limits.of(subscription))
