"""Calls about who may do what and who hears of a wave: permissions, roles, alert rules, action groups."""

import json
import re
from typing import Any

from simulator.arm.answers import Refusal, Reply, Request, bad_request, good
from simulator.arm.faults import Faults
from simulator.arm.pages import page
from simulator.arm.permissions import held
from simulator.fleet import Fleet
from simulator.fleet.alerting import ActionGroup, AlertRule, Assignment

type Json = dict[str, Any]

ASSIGNED = re.compile(r"assignedTo\('([^']+)'\)", re.IGNORECASE)


class AlertCalls:
    """Answers for one fleet; what has been taken away (`faults.denied`) is not among the caller's permissions."""

    def __init__(self, fleet: Fleet, faults: Faults, *, page_size: int) -> None:
        self._fleet, self._faults, self._page_size = fleet, faults, page_size

    def permissions(self, request: Request) -> Reply:
        actions = held(self._faults.denied)
        return self._page(
            [{"actions": actions, "notActions": [], "dataActions": [], "notDataActions": []}], request
        )

    def alert_rules(self, request: Request) -> Reply:
        rules = self._fleet.world.alerting.rules
        return self._page([_rule(rule) for rule in rules if _mine(rule.subscription, request)], request)

    def action_group(self, request: Request) -> Reply:
        for found in self._fleet.world.alerting.groups:
            if found.id.lower() == request.path.lower():
                return good(_group(found))
        raise Refusal(
            404,
            "ResourceNotFound",
            f"The Resource '{request.names['name']}' under resource group was not found.",
        )

    def role_assignments(self, request: Request) -> Reply:
        """Those of one principal that hold in the subscription, below it or above it."""
        asked = ASSIGNED.fullmatch(request.query.get("$filter", ""))
        if asked is None:
            raise bad_request("The filter is not supported.", "BadRequest")
        scope = f"/subscriptions/{request.names['subscription']}"
        found = [
            _assignment(number, each, scope)
            for number, each in enumerate(self._fleet.world.alerting.assignments)
            if each.principal.lower() == asked[1].lower() and each.scope.lower().startswith(("/prov", scope))
        ]
        return self._page(found, request)

    def role_definition(self, request: Request) -> Reply:
        number = int(request.names["role"].rpartition("-")[2])
        each = self._fleet.world.alerting.assignments[number]
        actions = {"actions": list(each.actions), "notActions": [], "dataActions": [], "notDataActions": []}
        return good({"id": request.path, "properties": {"type": "CustomRole", "permissions": [actions]}})

    def _page(self, items: list[Json], request: Request) -> Reply:
        address = request.base + request.path
        try:
            return Reply(body=page(items, self._page_size, address, request.query, json.dumps))
        except ValueError as error:
            raise bad_request(f"The continuation token is not valid: {error}.") from error


def _assignment(number: int, found: Assignment, scope: str) -> Json:
    """Microsoft.Authorization/roleAssignments, 2022-04-01."""
    role = f"{scope}/providers/Microsoft.Authorization/roleDefinitions/00000000-0000-0000-0000-{number:012}"
    return {
        "type": "Microsoft.Authorization/roleAssignments",
        "properties": {
            "roleDefinitionId": role,
            "principalId": found.principal,
            "principalType": "ServicePrincipal",
            "scope": found.scope,
        },
    }


def _mine(subscription: str, request: Request) -> bool:
    return subscription.lower() == request.names["subscription"]


def _rule(found: AlertRule) -> Json:
    """Microsoft.Insights/activityLogAlerts, 2020-10-01."""
    conditions: list[Json] = [{"field": "category", "equals": "ServiceHealth"}]
    if found.incident:
        conditions.append({"field": "properties.incidentType", "equals": found.incident})
    for field, values in (
        ("properties.impactedServices[*].ServiceName", found.services),
        ("properties.impactedServices[*].ImpactedRegions[*].RegionName", found.regions),
    ):
        if values:
            conditions.append({"field": field, "containsAny": list(values)})
    return {
        "id": found.id,
        "name": found.name,
        "type": "Microsoft.Insights/ActivityLogAlerts",
        "location": "Global",
        "tags": {},
        "properties": {
            "enabled": found.enabled,
            "scopes": [f"/subscriptions/{found.subscription}"],
            "condition": {"allOf": conditions},
            "actions": {"actionGroups": [{"actionGroupId": one} for one in found.groups]},
            "description": "",
        },
    }


def _group(found: ActionGroup) -> Json:
    """Microsoft.Insights/actionGroups, 2023-01-01."""
    return {
        "id": found.id,
        "name": found.name,
        "type": "Microsoft.Insights/ActionGroups",
        "location": "Global",
        "tags": {},
        "properties": {
            "groupShortName": found.name[:12],
            "enabled": found.enabled,
            "emailReceivers": [],
            "webhookReceivers": [
                {"name": f"hook-{number}", "serviceUri": url, "useCommonAlertSchema": True}
                for number, url in enumerate(found.webhooks)
            ],
            "azureFunctionReceivers": [
                {
                    "name": f"function-{number}",
                    "functionAppResourceId": app,
                    "functionName": "receive",
                    "httpTriggerUrl": url,
                    "useCommonAlertSchema": True,
                }
                for number, (app, url) in enumerate(found.functions)
            ],
        },
    }
