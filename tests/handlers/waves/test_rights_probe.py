"""The rights of the app's identity: asked at the first sweep and daily, told by name; an empty table proves nothing."""

import json
from typing import Any

import pytest

from handlers.cloud import rights
from handlers.cloud.errors import Forbidden
from handlers.stages import health, sweep
from handlers.waves import rights_probe
from tests.handlers.parts import SUBSCRIPTION, TestWiring, state

GRAPH, CHANGES = "Microsoft.ResourceHealth/events/read", "Microsoft.Resources/changes/read"


@pytest.fixture
def wiring(wiring_at_present: TestWiring) -> TestWiring:
    return wiring_at_present


def may(wiring: TestWiring, *denied: str) -> None:
    """Have the identity hold every right of the role but these."""
    actions = [action for action in rights.RIGHTS if action not in denied]
    wiring.fake.lists["providers/Microsoft.Authorization/permissions"] = [
        {"actions": actions, "notActions": []}
    ]


def asked(wiring: TestWiring) -> int:
    return sum(rights.PERMISSIONS in path for path in wiring.fake.looked)


async def known(wiring: TestWiring) -> Any:
    return (await state(wiring))["rights"][SUBSCRIPTION]


async def healthy(wiring: TestWiring) -> Any:
    return json.loads((await health.handle(wiring)).body)["missing_rights"]


async def test_the_rights_are_asked_for_at_the_first_sweep_and_once_a_day(wiring: TestWiring) -> None:
    may(wiring)
    assert await healthy(wiring) is None
    await sweep.handle(wiring)
    each = len(wiring.settings.subscriptions)
    assert asked(wiring) == each
    assert await healthy(wiring) == []
    wiring.clock.forward(hours=23)
    await sweep.handle(wiring)
    assert asked(wiring) == each
    wiring.clock.forward(hours=1)
    await sweep.handle(wiring)
    assert asked(wiring) == 2 * each


async def test_a_missing_right_is_told_by_name_and_known_to_be_mended_within_the_hour(
    wiring: TestWiring,
) -> None:
    may(wiring, CHANGES)
    await sweep.handle(wiring)
    assert (await known(wiring))["missing"] == [CHANGES]
    assert await healthy(wiring) == [CHANGES]
    may(wiring)
    wiring.clock.forward(minutes=61)
    await sweep.handle(wiring)
    assert await healthy(wiring) == []


async def test_rights_that_cannot_be_read_are_unknown_and_what_was_known_stays(wiring: TestWiring) -> None:
    may(wiring, CHANGES)
    await sweep.handle(wiring)
    wiring.fake.lists["providers/Microsoft.Authorization/permissions"] = Forbidden("The role lacks it.")
    wiring.clock.forward(hours=2)
    await sweep.handle(wiring)
    found = await known(wiring)
    assert (found["missing"], found["unread"]) == ([CHANGES], "The role lacks it.")
    assert await healthy(wiring) is None


@pytest.mark.parametrize(("denied", "says"), [(GRAPH, GRAPH), (CHANGES, "")])
async def test_a_table_without_waves_proves_nothing_where_a_right_for_it_is_missing(
    wiring: TestWiring, denied: str, says: str
) -> None:
    may(wiring, denied)
    await sweep.handle(wiring)
    trouble = (await state(wiring))["search_trouble"].get(SUBSCRIPTION, "")
    assert bool(trouble) is bool(says)
    assert says in trouble


async def test_a_table_without_waves_proves_nothing_while_the_rights_are_unknown(wiring: TestWiring) -> None:
    wiring.fake.lists["providers/Microsoft.Authorization/permissions"] = Forbidden("No.")
    await sweep.handle(wiring)
    assert "proves nothing" in (await state(wiring))["search_trouble"][SUBSCRIPTION]


async def test_before_the_first_sweep_nothing_is_known(wiring: TestWiring) -> None:
    assert await rights_probe.known(SUBSCRIPTION, wiring) is None
