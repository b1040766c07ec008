"""What Azure shows of one subscription: rights, alert rules, action groups. Only reads."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from handlers.cli.checkup import alerting, rights
from handlers.cli.checkup.finding import Finding, unread
from handlers.cloud.errors import AzureTrouble
from handlers.cloud.rights import held

ASSIGNMENTS = "providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01&$filter="
ROLE = "{role}?api-version=2022-04-01"
RULES = "providers/Microsoft.Insights/activityLogAlerts?api-version=2020-10-01"
GROUP = "{group}?api-version=2023-01-01"


class Reads(Protocol):
    """As much of `handlers.cloud.arm.Arm` as is needed: nothing here can change anything."""

    def pages(self, path: str) -> Any: ...
    async def get(self, address: str) -> dict[str, Any]: ...


async def look(arm: Reads, subscription: str, principal: str, host: str) -> list[Finding]:
    """Rights and alerts of a subscription; `principal` is the app's identity, `host` the app's."""
    return [*await _rights(arm, subscription, principal), *await _alerts(arm, subscription, host)]


async def _rights(arm: Reads, subscription: str, principal: str) -> Sequence[Finding]:
    try:
        if principal:
            found = await _of_principal(arm, subscription, principal)
        else:
            found = await held(arm, subscription)
    except AzureTrouble as error:
        return [
            unread(
                rights.AREA,
                f"The rights in {subscription} cannot be read: {error.sentence}",
                _grant("Reader", subscription),
            )
        ]
    return list(rights.judged(subscription, found, principal))


async def _of_principal(arm: Reads, subscription: str, principal: str) -> list[dict[str, Any]]:
    """The permissions of every role that the principal has in the whole subscription."""
    scope = f"/subscriptions/{subscription}"
    assigned = await _every(arm, f"{scope}/{ASSIGNMENTS}assignedTo('{principal}')")
    found: list[dict[str, Any]] = []
    for entry in assigned:
        properties = entry.get("properties", {})
        where = str(properties.get("scope", "")).lower()
        # One that holds in a resource group alone does not show the other groups' scale sets.
        if where not in {"/", scope.lower()} and "/managementgroups/" not in where:
            continue
        role = await arm.get(ROLE.format(role=properties.get("roleDefinitionId", "")))
        found += role.get("properties", {}).get("permissions", [])
    return found


async def _alerts(arm: Reads, subscription: str, host: str) -> Sequence[Finding]:
    try:
        rules = await _every(arm, f"/subscriptions/{subscription}/{RULES}")
    except AzureTrouble as error:
        return [
            unread(
                alerting.AREA,
                f"The alert rules of {subscription} cannot be read: {error.sentence}",
                _grant("'Monitoring Reader'", subscription),
            )
        ]
    groups: dict[str, Mapping[str, Any] | None] = {}
    for key in _named(rules):
        try:
            groups[key] = await arm.get(GROUP.format(group=key))
        except AzureTrouble:
            groups[key] = None
    return list(alerting.judged(subscription, rules, groups, host))


def _grant(role: str, subscription: str) -> str:
    return f"az role assignment create --role {role} --assignee ME --scope /subscriptions/{subscription}"


def _named(rules: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for rule in rules:
        if alerting.hears(rule):
            yield from filter(None, alerting.action_groups(rule))


async def _every(arm: Reads, path: str) -> list[dict[str, Any]]:
    return [entry async for page in arm.pages(path) for entry in page]
