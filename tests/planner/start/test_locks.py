"""Locks: which one Azure's message names, and the command that removes it."""

import pytest

from planner.azure.fleet import Orchestration
from planner.record.run import Target
from planner.start.locks import Lock, lock_of, locked

SET = "/subscriptions/s1/resourceGroups/rg-shop/providers/Microsoft.Compute/virtualMachineScaleSets/web"
WEB = Target(SET, "s1", "rg-shop", "web", "westeurope", Orchestration.UNIFORM)


def refused(*scopes: str) -> str:
    named = ", ".join(f"'{one}'" for one in scopes)
    return (
        f"The scope '{SET}/virtualMachines/3' cannot perform write operation because following scope(s) are "
        f"locked: {named}. Please remove the lock and try again."
    )


GROUP = "/subscriptions/s1/resourceGroups/rg-shop"


@pytest.mark.parametrize(
    ("message", "lock"),
    [
        (refused(GROUP), Lock(GROUP)),
        (refused(SET, GROUP), Lock(GROUP)),
        (refused("/subscriptions/s1"), Lock("/subscriptions/s1")),
        (
            f"It is locked. Lock ID: '{GROUP}/providers/Microsoft.Authorization/locks/Keep-It'.",
            Lock(GROUP, "Keep-It"),
        ),
        (refused(GROUP)[:-60], Lock()),
        ("Remove the lock.", Lock()),
        ("", Lock()),
    ],
)
def test_the_lock_is_read_from_azures_message_as_far_as_it_is_named(message: str, lock: Lock) -> None:
    assert lock_of(message) == lock


@pytest.mark.parametrize(
    ("message", "place", "command"),
    [
        (
            refused(GROUP),
            "resource group rg-shop",
            "az lock delete --name LOCK-NAME --resource-group rg-shop --subscription s1",
        ),
        (
            refused("/subscriptions/s1/resourceGroups/rg(1)"),
            "resource group rg(1)",
            "az lock delete --name LOCK-NAME --resource-group 'rg(1)' --subscription s1",
        ),
        (
            refused("/subscriptions/s1"),
            "subscription s1",
            "az lock delete --name LOCK-NAME --subscription s1",
        ),
        (
            refused(SET),
            f"web ({SET})",
            f"az lock delete --ids {SET}/providers/Microsoft.Authorization/locks/LOCK-NAME",
        ),
        (
            "Remove the lock.",
            "web, its resource group rg-shop or its subscription",
            "az lock delete --name LOCK-NAME --resource-group rg-shop --subscription s1",
        ),
    ],
)
def test_a_lock_is_told_with_what_it_is_on_and_the_command_that_removes_it(
    message: str, place: str, command: str
) -> None:
    said = locked(WEB, message, keeps_from="starting maintenance of web")
    assert said.startswith(f"Remove the lock on {place}: it keeps Azure from starting maintenance of web")
    assert f"`{command}` removes it." in said
    assert "`az lock list " in said


def test_a_lock_whose_name_azure_says_needs_no_looking_up() -> None:
    message = f"Locked: '{GROUP}/providers/Microsoft.Authorization/locks/Keep-It'."
    said = locked(WEB, message, keeps_from="starting maintenance of web")
    assert said.startswith("Remove the lock Keep-It on resource group rg-shop")
    assert "az lock list" not in said
    assert "--name Keep-It --resource-group rg-shop" in said
