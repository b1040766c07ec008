"""Azure as a command opens it: with the caller's sign-in, and for reading only."""

import pytest

from handlers.cli.azure_access import AzureAccess, opened
from handlers.cloud.errors import Refused
from handlers.wire.settings import Settings
from simulator.fleet.build import SUBSCRIPTION
from tests.handlers.cli.azure_over_http import running
from tests.handlers.cli.snapshots import NOW, demo_fleet


async def test_nothing_that_a_command_opens_can_start_anything(monkeypatch):
    with running(demo_fleet(lambda: NOW)) as azure:
        for name, value in azure.environment.items():
            monkeypatch.setenv(name, value)
        async with opened(Settings()) as access:
            (seen,) = await access.subscriptions([])
            (scale_set, *_) = await seen.listed()
            with pytest.raises(Refused, match="only reads"):
                await seen._live.start(scale_set, "0")
            for arm in access.arms:
                client = await arm._client()
                with pytest.raises(Refused, match="only reads"):
                    await client.virtual_machine_scale_sets.begin_delete("rg", "web")


class Lists:
    """An Azure that shows these subscriptions."""

    def __init__(self, *rows: dict) -> None:
        self.rows = rows

    async def pages(self, path: str):
        assert path.startswith("/subscriptions?")
        yield list(self.rows)


async def test_subscriptions_that_cannot_be_read_any_more_are_left_out():
    rows = [
        {"subscriptionId": SUBSCRIPTION.upper(), "displayName": "Shop", "state": "Enabled"},
        {"subscriptionId": "2", "displayName": "Late", "state": "PastDue"},
        {"subscriptionId": "3", "displayName": "Gone", "state": "Disabled"},
        {"displayName": "odd"},
    ]
    found = await AzureAccess(Settings(), lambda: None)._visible(Lists(*rows))
    assert found == {SUBSCRIPTION: "Shop", "2": "Late"}
