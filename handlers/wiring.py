"""The one place that builds clients from settings, on first use, shared by every invocation.

What the webhook does not need is imported with its first use, too: see `benchmarks/importing.py`.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from handlers import deadline
from handlers.cloud.queues import Queues
from handlers.cloud.records import Records
from handlers.wire.clouds import Cloud
from handlers.wire.settings import Settings
from handlers.words import trouble
from planner.azure.drill import is_drill

if TYPE_CHECKING:
    from handlers.channels import Channels
    from handlers.cloud.compute import Compute
    from handlers.cloud.graph import Found
    from handlers.cloud.lookups import Looked
    from handlers.cloud.played import PlayedAzure
    from handlers.cloud.retry_after import RetryAfter
    from handlers.render.addresses import Addresses, OnPage, Sign
    from handlers.repository.calendars import Calendars
    from handlers.repository.deliveries import Deliveries
    from handlers.repository.listings import Listings
    from handlers.repository.raised_limits import RaisedLimitsOnRecord
    from handlers.repository.runs import Runs
    from handlers.repository.used_links import UsedLinks
    from handlers.repository.waves import Waves
    from planner.azure.fleet import ScaleSet
    from planner.places.line import Line
    from planner.places.outlook import Outlook
    from planner.places.turn import Laid
    from planner.policy.model import Policy


TAKING = 16
"""Alerts that one worker stores at once: with more connections all of them together take longer."""


BUNDLED_AT_ONCE = 24
"""Messages of bundles worked on at the same time: as many as the host hands out one by one (host.json)."""


def utc_now() -> datetime:
    """The clock of the product; tests hand over another."""
    return datetime.now(UTC)


class Wiring:
    """Clients and settings for the stages, and what invocations of this process share as long as it lives."""

    def __init__(self, settings: Settings, now: Callable[[], datetime] = utc_now) -> None:
        self.settings = settings
        self.now = now
        self._computes: dict[str, Compute] = {}
        self._retry_afters: dict[str, RetryAfter] = {}
        self._policy: tuple[float, Policy] | None = None
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.bundled = asyncio.Semaphore(BUNDLED_AT_ONCE)
        self._ticks = count()
        self._begun: dict[str, int] = {}
        self.lines: dict[str, tuple[str, Line]] = {}
        self.laid: dict[str, Laid] = {}
        self.outlooks: dict[str, tuple[Laid, dict[frozenset[str], Outlook]]] = {}
        self.taking = asyncio.Semaphore(TAKING)

    def turn(self, key: str) -> asyncio.Lock:
        """The lock by which work of this process on the same thing takes turns."""
        return self._turns.setdefault(key, asyncio.Lock())

    @asynccontextmanager
    async def shared_turn(self, key: str) -> AsyncIterator[bool]:
        """A turn; False when one that began after this was asked for has already done the same work."""
        asked = next(self._ticks)
        async with self.turn(key):
            if self._begun.get(key, 0) > asked:
                yield False
                return
            begun = next(self._ticks)
            yield True
            self._begun[key] = begun

    @cached_property
    def records(self) -> Records:
        return Records.from_settings(self.settings)

    @cached_property
    def queues(self) -> Queues:
        return Queues.from_settings(self.settings)

    @cached_property
    def runs(self) -> "Runs":
        from handlers.repository.runs import Runs  # noqa: PLC0415

        return Runs(lambda: self.records, lambda: self.queues, self.now)

    @cached_property
    def waves(self) -> "Waves":
        from handlers.repository.waves import Waves  # noqa: PLC0415

        return Waves(lambda: self.records)

    @cached_property
    def raised_limits(self) -> "RaisedLimitsOnRecord":
        from handlers.repository.raised_limits import RaisedLimitsOnRecord  # noqa: PLC0415

        return RaisedLimitsOnRecord(lambda: self.records, lambda: self.waves, self.now)

    @cached_property
    def used_links(self) -> "UsedLinks":
        from handlers.repository.used_links import UsedLinks  # noqa: PLC0415

        return UsedLinks(lambda: self.records)

    @cached_property
    def deliveries(self) -> "Deliveries":
        from handlers.repository.deliveries import Deliveries  # noqa: PLC0415

        return Deliveries(lambda: self.records)

    @cached_property
    def listings(self) -> "Listings":
        from handlers.repository.listings import Listings  # noqa: PLC0415

        return Listings(lambda: self.records)

    @cached_property
    def calendars(self) -> "Calendars":
        from handlers.repository.calendars import Calendars  # noqa: PLC0415

        return Calendars(lambda: self.records)

    @cached_property
    def credential(self) -> Any:
        """The identity of the app: managed identity in Azure, whatever azure-identity finds elsewhere."""
        from azure.identity.aio import DefaultAzureCredential, ManagedIdentityCredential  # noqa: PLC0415

        if os.environ.get("IDENTITY_ENDPOINT"):
            return ManagedIdentityCredential(client_id=os.environ.get("AZURE_CLIENT_ID") or None)
        if self.settings.cloud is Cloud.PUBLIC:
            return DefaultAzureCredential()  # AZURE_AUTHORITY_HOST may name another one
        return DefaultAzureCredential(authority=self.settings.hosts.authority)

    @cached_property
    def channels(self) -> "Channels":
        from handlers.channels import Channels  # noqa: PLC0415

        return Channels(self.settings, lambda: self.credential)

    def compute(self, subscription: str) -> "Compute | PlayedAzure":
        """The one compute client of a subscription; that of a drill is played and has no connection.

        Whatever the app asks of Azure or does there begins here: nothing of a drill gets past this line.
        """
        key = subscription.lower()
        if is_drill(key):
            from handlers.cloud.played import PlayedAzure  # noqa: PLC0415

            return PlayedAzure(key, lambda: self.records, self.now)
        if key not in self._computes:
            from handlers.cloud.compute import Compute  # noqa: PLC0415

            retry_after = self.retry_after(subscription)
            self._computes[key] = Compute(
                subscription, lambda: self.credential, self.settings.management, self.now, retry_after
            )
        return self._computes[key]

    async def planned_maintenance(self, subscription: str) -> "list[Found]":
        """The planned maintenance Azure knows of. Raises handlers.cloud.errors."""
        from handlers.cloud.graph import planned_maintenance  # noqa: PLC0415

        return await planned_maintenance(self.compute(subscription), subscription)

    async def look_up(
        self,
        subscription: str,
        scale_sets: "Collection[ScaleSet]",
        listed: "Collection[ScaleSet]",
        lacking: "Collection[str]" = (),
    ) -> "Looked":
        """The extra look-ups of these scale sets as of now; `listed` existed a moment ago. Raises nothing."""
        from handlers.cloud.lookups import LISTS_WITHIN, MACHINES_WITHIN, look_up  # noqa: PLC0415

        within = max(min(LISTS_WITHIN, deadline.left() - MACHINES_WITHIN), timedelta(0))
        return await look_up(
            self.compute(subscription), scale_sets, self.now(), listed, within=within, lacking=lacking
        )

    def retry_after(self, subscription: str) -> "RetryAfter":
        """What all hosts know of a subscription's Retry-After."""
        key = subscription.lower()
        if key not in self._retry_afters:
            from handlers.cloud.retry_after import RetryAfter  # noqa: PLC0415

            self._retry_afters[key] = RetryAfter(subscription, lambda: self.records, self.now)
        return self._retry_afters[key]

    def addresses(self, receiver: str) -> "Addresses":
        """The addresses in what a receiver is sent: signed links, where there is a key to sign with."""
        from handlers.render.addresses import Addresses  # noqa: PLC0415

        return Addresses(self.settings.public_url, self._signer(receiver), self.settings.hosts.portal)

    def page_addresses(self, receiver: str = "") -> "OnPage":
        """The addresses on a page that was opened with the app's key, or by a receiver's link."""
        from handlers.render.addresses import OnPage  # noqa: PLC0415

        return OnPage(self.settings.public_url, self._signer(receiver), self.settings.hosts.portal)

    def _signer(self, receiver: str) -> "Sign | None":
        from handlers.wire import link_token  # noqa: PLC0415

        keys = self.settings.link_keys
        return link_token.signer(keys, receiver, self.now()) if keys else None

    def policy(self) -> "Policy":
        """The policy file as it is now. An unreadable file stops everything; its `problem` says why."""
        from planner.policy.model import Policy  # noqa: PLC0415

        if not self.settings.policy:
            return Policy()
        path = Path(self.settings.policy)
        try:
            changed = path.stat().st_mtime
            if self._policy is None or self._policy[0] != changed:
                from handlers.wire import policy_file  # noqa: PLC0415

                try:
                    policy = policy_file.load(path.read_text(encoding="utf-8"), environment=os.environ)
                except policy_file.PolicyError as error:
                    policy = Policy(problem=trouble.policy_invalid(path.name, error))
                self._policy = (changed, policy)
        except (OSError, UnicodeDecodeError) as error:
            return Policy(problem=trouble.policy_unreadable(path, error))
        return self._policy[1]

    def stopped(self) -> str:
        """Why nothing new may start anywhere, empty when it may."""
        if self.settings.problem:
            return trouble.stopped_by_problem(self.settings.problem)
        if self.settings.stop:
            return trouble.STOPPED_BY_SETTING
        return self.policy().why_stopped

    async def close(self) -> None:
        """Close every client that was built; for tests and tools (a function app just ends)."""
        for compute in self._computes.values():
            await compute.close()
        for name in ("channels", "queues", "records", "credential"):
            if name in self.__dict__:
                await self.__dict__[name].close()
