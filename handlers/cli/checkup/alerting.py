"""Whether somebody hears of a wave: a subscription's alert rules, and where their action groups point."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from handlers.cli.checkup.finding import Finding, unread, well, wrong
from planner.text.phrases import some

AREA = "alerts"
MACHINES = frozenset({"virtual machines", "virtual machine scale sets"})
CATEGORY, INCIDENT = "category", "properties.incidenttype"
SERVICE = "properties.impactedservices[*].servicename"
REGION = "properties.impactedservices[*].impactedregions[*].regionname"

type Json = Mapping[str, Any]


def judged(
    subscription: str, rules: Sequence[Json], groups: Mapping[str, Json | None], host: str
) -> Iterator[Finding]:
    """What the rules and their action groups come to; `host` is the app's, empty where it is not known.

    `groups` are those that the rules name, by lower-case id; None for one that could not be read.
    """
    deploy = (
        f"az deployment sub create --subscription {subscription} --location REGION "
        "--template-file infra/alerts.bicep --parameters location=REGION functionAppResourceId=APP-ID "
        "httpTriggerUrl='https://APP/api/alerts?code=KEY'"
    )
    fitting = [rule for rule in rules if hears(rule)]
    if not fitting:
        yield wrong(AREA, f"No alert rule of {subscription} hears of planned maintenance.", deploy)
        return
    enabled = [rule for rule in fitting if _of(rule).get("enabled", True)]
    if not enabled:
        for rule in fitting:
            yield wrong(
                AREA,
                f"The alert rule {rule.get('name')} of {subscription} is disabled.",
                f"az monitor activity-log alert update --ids {rule.get('id')} --enabled true",
            )
        return
    ends: list[Finding] = []
    for rule in enabled:
        ends += _ends(subscription, rule, groups, host, deploy)
        if where := _values(rule, REGION):
            name = rule.get("name")
            yield wrong(
                AREA,
                f"The alert rule {name} of {subscription} hears only of {some(where)}: "
                "who is hit elsewhere is not heard of.",
                deploy,
            )
    here = [end for end in ends if not end.remedies and end.sentence]
    yield from here or ends or [_nowhere(subscription, enabled, deploy)]


def hears(rule: Json) -> bool:
    """Whether a planned maintenance of scale sets meets every condition that Breakwater knows."""
    conditions = _of(rule).get("condition", {}).get("allOf", [])
    return _says(conditions, CATEGORY, {"servicehealth"}) and all(
        not _present(conditions, field) or _says(conditions, field, wanted)
        for field, wanted in ((INCIDENT, {"maintenance"}), (SERVICE, MACHINES))
    )


def action_groups(rule: Json) -> list[str]:
    """The ids of the action groups that a rule calls, in lower case."""
    named = _of(rule).get("actions", {}).get("actionGroups", [])
    return [str(each.get("actionGroupId", "")).lower() for each in named]


def _ends(
    subscription: str, rule: Json, groups: Mapping[str, Json | None], host: str, deploy: str
) -> Iterator[Finding]:
    for key in action_groups(rule):
        group = groups.get(key)
        name = key.rpartition("/")[2]
        if group is None:
            yield unread(
                AREA, f"The action group {name} that {rule.get('name')} calls could not be read.", "az login"
            )
            continue
        if not _of(group).get("enabled", True):
            yield wrong(
                AREA,
                f"The action group {name} of {subscription} is disabled: nothing reaches anybody by it.",
                f"az monitor action-group update --ids {group.get('id')} --set enabled=true",
            )
            continue
        hosts = _hosts(group)
        if not host and hosts:
            yield unread(
                AREA,
                f"{rule.get('name')} of {subscription} calls {some(hosts)}; is that the app?",
                "breakwater doctor --app https://APP",
            )
        elif host.lower() in hosts:
            yield well(AREA, f"{rule.get('name')} of {subscription} calls {host} by the action group {name}.")
        else:
            called = f"calls {some(hosts)}" if hosts else "calls no address"
            yield wrong(
                AREA,
                f"The action group {name} of {subscription} {called}, and not {host or 'the app'}.",
                deploy,
            )


def _nowhere(subscription: str, rules: Sequence[Json], deploy: str) -> Finding:
    names = some([str(rule.get("name")) for rule in rules])
    return wrong(AREA, f"The alert rule {names} of {subscription} calls no action group.", deploy)


def _hosts(group: Json) -> list[str]:
    """Where the receivers of an action group are; never their whole address, which holds a key."""
    receivers = _of(group)
    addresses = [
        *(each.get("httpTriggerUrl") for each in receivers.get("azureFunctionReceivers") or ()),
        *(each.get("serviceUri") for each in receivers.get("webhookReceivers") or ()),
    ]
    found: list[str] = []
    for address in addresses:
        try:
            found.append(urlsplit(str(address or "")).netloc.rpartition("@")[2].lower())
        except ValueError:
            continue
    return sorted(set(filter(None, found)))


def _of(resource: Json) -> Json:
    properties = resource.get("properties")
    return properties if isinstance(properties, dict) else {}


def _leaves(conditions: Any) -> Iterator[Json]:
    """Every condition, those that stand in `anyOf` as well."""
    for each in conditions if isinstance(conditions, list) else ():
        if isinstance(each, dict):
            yield each
            yield from _leaves(each.get("anyOf"))


def _said(leaf: Json) -> set[str]:
    several = leaf.get("containsAny")
    values = several if isinstance(several, list) else [leaf.get("equals")]
    return {str(value).lower() for value in values if value is not None}


def _present(conditions: Any, field: str) -> bool:
    return any(str(leaf.get("field", "")).lower() == field for leaf in _leaves(conditions))


def _says(conditions: Any, field: str, wanted: set[str] | frozenset[str]) -> bool:
    return any(
        str(leaf.get("field", "")).lower() == field and not wanted.isdisjoint(_said(leaf))
        for leaf in _leaves(conditions)
    )


def _values(rule: Json, field: str) -> list[str]:
    conditions = _of(rule).get("condition", {}).get("allOf", [])
    leaves = (leaf for leaf in _leaves(conditions) if str(leaf.get("field", "")).lower() == field)
    return sorted({value for leaf in leaves for value in _said(leaf)})
