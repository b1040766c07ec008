"""Which published call an address is. Paths are matched in any case, as ARM does."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Call:
    """A call: what it is counted as, which method of `Compute` answers it, and the names in its path."""

    kind: str
    handler: str
    names: dict[str, str] = field(default_factory=dict)


RECORDS = {
    ("providers", "microsoft.insights", "eventtypes", "management", "values"): (
        "activity log",
        "activity_log",
    ),
    ("providers", "microsoft.insights", "autoscalesettings"): ("autoscale settings", "autoscale_settings"),
    ("providers", "microsoft.devtestlab", "schedules"): ("auto-shutdown schedules", "shutdown_schedules"),
    ("resourcegroups",): ("resource groups", "resource_groups"),
    ("providers", "microsoft.authorization", "permissions"): ("permissions", "permissions"),
    ("providers", "microsoft.insights", "activitylogalerts"): ("alert rules", "alert_rules"),
    ("providers", "microsoft.authorization", "roleassignments"): ("role assignments", "role_assignments"),
}
"""Lists of a whole subscription about what Azure keeps and what is set up in it."""


def match(method: str, path: str) -> Call | None:
    """The call, or None when this Azure does not know it."""
    parts = path.strip("/").split("/")
    low = [part.lower() for part in parts]
    if low[:1] == ["providers"]:
        known = (method, low[1:]) == ("POST", ["microsoft.resourcegraph", "resources"])
        return Call("resource graph", "resource_graph") if known else None
    if (method, low) == ("GET", ["subscriptions"]):
        return Call("list subscriptions", "subscriptions")
    if low[:1] != ["subscriptions"] or len(parts) < 2:
        return None
    names = {"subscription": low[1]}
    rest = low[2:]
    if method == "GET" and tuple(rest) in RECORDS:
        return Call(*RECORDS[tuple(rest)], names)
    if method == "GET" and rest[:-1] == ["providers", "microsoft.authorization", "roledefinitions"]:
        return Call("role definition", "role_definition", {**names, "role": rest[-1]})
    if rest[:1] == ["resourcegroups"] and len(rest) > 1:
        names["group"] = low[3]
        rest = rest[2:]
    if (
        method == "GET"
        and "group" in names
        and rest[:-1] == ["providers", "microsoft.insights", "actiongroups"]
    ):
        return Call("action group", "action_group", {**names, "name": rest[-1]})
    if rest[:2] != ["providers", "microsoft.compute"]:
        return None
    return _compute(method, rest[2:], names)


def _compute(method: str, rest: list[str], names: dict[str, str]) -> Call | None:
    in_group = "group" in names
    match method, rest, in_group:
        case "GET", ["virtualmachinescalesets"], _:
            return Call("list scale sets", "list_scale_sets", names)
        case "GET", ["locations", location, "virtualmachinescalesets"], False:
            return Call("list scale sets", "list_scale_sets", {**names, "location": location})
        case "GET", ["locations", location, "operations", operation], False:
            return Call("operation", "operation", {**names, "location": location, "operation": operation})
        case "GET", ["virtualmachines"], _:
            return Call("list virtual machines", "list_machines", names)
        case _, ["virtualmachinescalesets", name, *deeper], True:
            return _scale_set(method, deeper, {**names, "scale_set": name})
        case _, ["virtualmachines", name, *deeper], True:
            return _machine(method, deeper, {**names, "machine": name})
        case _:
            return None


def _scale_set(method: str, rest: list[str], names: dict[str, str]) -> Call | None:
    match method, rest:
        case "GET", []:
            return Call("get scale set", "get_scale_set", names)
        case "GET", ["instanceview"]:
            return Call("scale set view", "scale_set_view", names)
        case "GET", ["rollingupgrades", "latest"]:
            return Call("rolling upgrade", "rolling_upgrade", names)
        case "POST", ["performmaintenance"]:
            return Call("start scale set", "start_scale_set", names)
        case "POST", ["setorchestrationservicestate"]:
            return Call("set repairs", "set_repairs", names)
        case "GET", ["virtualmachines"]:
            return Call("list instances", "list_instances", names)
        case "GET", ["virtualmachines", which]:
            return Call("get instance", "get_instance", {**names, "instance": which})
        case "GET", ["virtualmachines", which, "instanceview"]:
            return Call("instance view", "instance_view", {**names, "instance": which})
        case "POST", ["virtualmachines", which, "performmaintenance"]:
            return Call("start", "start_instance", {**names, "instance": which})
        case _:
            return None


def _machine(method: str, rest: list[str], names: dict[str, str]) -> Call | None:
    match method, rest:
        case "GET", []:
            return Call("get virtual machine", "get_machine", names)
        case "GET", ["instanceview"]:
            return Call("instance view", "machine_view", names)
        case "POST", ["performmaintenance"]:
            return Call("start", "start_machine", names)
        case _:
            return None
