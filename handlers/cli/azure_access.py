"""Azure as the caller's own sign-in sees it, for reading only.

Every client built here has `ReadOnly` at the front of its pipeline: what would change something does not
leave the process.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from handlers.cli.exits import Failed
from handlers.cli.seen_azure import SeenAzure
from handlers.cli.snapshot import Subscription
from handlers.cloud.arm import Arm
from handlers.cloud.compute import Compute
from handlers.cloud.errors import AzureTrouble
from handlers.cloud.read_only import ReadOnly
from handlers.wire.ids import checked_subscription
from handlers.wire.settings import Settings
from handlers.wiring import Wiring

SUBSCRIPTIONS = "/subscriptions?api-version=2022-12-01"
READABLE = frozenset({"enabled", "warned", "pastdue"})
"""States of a subscription in which its resources can be read (Learn, cost-management-billing, subscription
states)."""

CALLS_AT_ONCE = 16
"""Calls to Azure made side by side, of all subscriptions together."""

SIGN_IN = (
    "Sign in with: az login. On a machine without a browser, set AZURE_CLIENT_ID, AZURE_TENANT_ID and "
    "AZURE_CLIENT_SECRET (docs/command-line.md)."
)


@dataclass(slots=True)
class AzureAccess:
    """Opens subscriptions for reading. Close it with `opened`."""

    settings: Settings
    credential: Callable[[], Any]
    gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(CALLS_AT_ONCE))
    arms: list[Arm] = field(default_factory=list)

    async def subscriptions(self, named: Sequence[str]) -> list[SeenAzure]:
        """The named subscriptions, else all that the sign-in sees. Raises Failed when nobody is signed in."""
        arm = self._kept(Arm("", self.credential, self.settings.management, _clock, policies=[ReadOnly()]))
        try:
            await arm.ready()
        except AzureTrouble as error:
            raise Failed(
                f"Azure cannot be read: nobody is signed in. {SIGN_IN} ({error.sentence})"
            ) from error
        known = {**({} if named else await self._visible(arm)), **dict.fromkeys(_checked(named), "")}
        if not known:
            raise Failed(f"Your sign-in sees no subscription. Name one with --subscription. {SIGN_IN}")
        return [self._opened(subscription, name) for subscription, name in sorted(known.items())]

    async def _visible(self, arm: Arm) -> dict[str, str]:
        try:
            rows = [row async for page in arm.pages(SUBSCRIPTIONS) for row in page]
        except AzureTrouble as error:
            raise Failed(
                f"Your subscriptions cannot be listed: {error.sentence} Name them with --subscription."
            ) from error
        return {
            str(row["subscriptionId"]).lower(): str(row.get("displayName") or "")
            for row in rows
            if row.get("subscriptionId") and str(row.get("state", "Enabled")).lower() in READABLE
        }

    def _opened(self, subscription: str, name: str) -> SeenAzure:
        compute = Compute(
            subscription, self.credential, self.settings.management, _clock, policies=[ReadOnly()]
        )
        self.arms.append(compute)
        return SeenAzure(Subscription(subscription, name), compute, self.gate)

    def _kept(self, arm: Arm) -> Arm:
        self.arms.append(arm)
        return arm


def _clock() -> datetime:
    """What Azure asks to wait is waited in real time, whatever the moment of the plan is."""
    return datetime.now(UTC)


def _checked(named: Sequence[str]) -> list[str]:
    try:
        return [checked_subscription(each) for each in named]
    except ValueError as error:
        raise Failed(f"{error} az account list shows the ids of yours.") from error


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[AzureAccess]:
    """Access to Azure with the sign-in of this machine (azure-identity), closed at the end."""
    wiring = Wiring(settings)
    access = AzureAccess(settings, lambda: wiring.credential)
    try:
        yield access
    finally:
        for arm in access.arms:
            await arm.close()
        await wiring.close()
