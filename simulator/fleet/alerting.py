"""What is set up so that somebody hears of a wave, and who may do what: alert rules, action groups, roles."""

from dataclasses import dataclass, field

GROUP = "rg-breakwater-alerts"
MACHINES = ("Virtual Machines", "Virtual Machine Scale Sets")


@dataclass(slots=True, kw_only=True)
class ActionGroup:
    """`functions` are receivers by the function app's ARM id and the address with its key, `webhooks` addresses."""

    subscription: str
    name: str = "breakwater"
    enabled: bool = True
    functions: list[tuple[str, str]] = field(default_factory=list)
    webhooks: list[str] = field(default_factory=list)

    @property
    def id(self) -> str:
        return f"/subscriptions/{self.subscription}/resourceGroups/{GROUP}/providers/Microsoft.Insights/actionGroups/{self.name}"


@dataclass(slots=True, kw_only=True)
class AlertRule:
    """`services` and `regions`: none where the rule does not filter by them. `groups` are ids of action groups."""

    subscription: str
    name: str = "breakwater-planned-maintenance"
    enabled: bool = True
    incident: str = "Maintenance"
    services: tuple[str, ...] = MACHINES
    regions: tuple[str, ...] = ()
    groups: list[str] = field(default_factory=list)

    @property
    def id(self) -> str:
        return f"/subscriptions/{self.subscription}/resourceGroups/{GROUP}/providers/Microsoft.Insights/activityLogAlerts/{self.name}"


@dataclass(slots=True, kw_only=True)
class Assignment:
    """A role that somebody has: `scope` is where, `actions` what it allows."""

    principal: str
    scope: str
    actions: tuple[str, ...]


@dataclass(slots=True)
class Alerting:
    rules: list[AlertRule] = field(default_factory=list)
    groups: list[ActionGroup] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)

    def wire(self, subscription: str, url: str, key: str, app: str) -> tuple[AlertRule, ActionGroup]:
        """As infra/alerts.bicep sets it up: `url` is the app's, `key` its function's, `app` its ARM id."""
        group = ActionGroup(subscription=subscription, functions=[(app, f"{url}/api/alerts?code={key}")])
        rule = AlertRule(subscription=subscription, groups=[group.id])
        self.groups.append(group)
        self.rules.append(rule)
        return rule, group
