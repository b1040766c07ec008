"""What the templates promise, read from them without Azure and without the Bicep compiler."""

import re
import tomllib
from collections import Counter, defaultdict

import pytest

from handlers.cloud.lookups import MACHINES, RIGHTS
from handlers.wire.ids import QUEUES, poison
from handlers.wire.settings import Settings
from planner.azure.usage import Source
from tests.contracts.bicep import (
    INFRA,
    ROOT,
    TEMPLATES,
    bodies,
    declarations,
    parameters,
    parts,
    resource,
    root,
    text,
    value,
    variable,
    walk,
)

SETTINGS = {
    "AZURE_CLIENT_ID",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    *(f"AzureWebJobsStorage__{part}ServiceUri" for part in ("blob", "queue", "table")),
    "AzureWebJobsStorage__credential",
    "AzureWebJobsStorage__clientId",
    "AzureWebJobsDisableHomepage",
    *(
        f"BREAKWATER_{name}"
        for name in (
            *("ARM_ENDPOINT", "POLICY", "SUBSCRIPTIONS", "POLL_INTERVAL", "IN_DOUBT", "SWEEP_SCHEDULE"),
            *("SEARCH_EVERY", "PUBLIC_URL", "LINK_KEY", "SMTP", "MAIL_FROM", "ACS_ENDPOINT", "STOP"),
            *("PLATFORM_AUTH", "CLOUD"),
        )
    ),
}
COMPUTE, SCALE_SET = "Microsoft.Compute", "Microsoft.Compute/virtualMachineScaleSets"
ALLOWED_ACTIONS = {
    "Microsoft.Authorization/permissions/read",
    f"{SCALE_SET}/read",
    f"{SCALE_SET}/instanceView/read",
    f"{SCALE_SET}/rollingUpgrades/read",
    f"{SCALE_SET}/setOrchestrationServiceState/action",
    f"{SCALE_SET}/virtualMachines/read",
    f"{SCALE_SET}/virtualMachines/instanceView/read",
    f"{SCALE_SET}/virtualMachines/performMaintenance/action",
    f"{COMPUTE}/virtualMachines/read",
    f"{COMPUTE}/virtualMachines/instanceView/read",
    f"{COMPUTE}/virtualMachines/performMaintenance/action",
    f"{COMPUTE}/locations/operations/read",
    "Microsoft.DevTestLab/schedules/read",
    "Microsoft.Insights/autoscaleSettings/read",
    "Microsoft.Insights/eventtypes/values/read",
    "Microsoft.Maintenance/updates/read",
    "Microsoft.ResourceGraph/resources/read",
    "Microsoft.ResourceHealth/availabilityStatuses/read",
    "Microsoft.ResourceHealth/events/read",
    "Microsoft.ResourceHealth/impactedResources/read",
    "Microsoft.Resources/changes/read",
    "Microsoft.Resources/subscriptions/resourceGroups/read",
}
BUILT_IN_ROLES = {
    "storage.bicep": {
        "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",  # Storage Blob Data Owner
        "974c5e8b-45b9-4653-ba55-5f855dd0fb88",  # Storage Queue Data Contributor
        "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",  # Storage Table Data Contributor
    },
    "monitoring.bicep": {"3913510d-42f4-4e42-8a64-420c390055eb"},  # Monitoring Metrics Publisher
    "vault.bicep": {"4633458b-17de-408a-b874-0445c86b69e6"},  # Key Vault Secrets User
}


def app_settings() -> set[str]:
    named = set(bodies(INFRA / "main.bicep", "module")["app"][1]["params"]["settings"])
    fixed = declarations(INFRA / "modules/app.bicep", "resource")["appSettings"]
    keys = (text(parts(node)[0]) for node in walk(fixed) if node.type == "object_property")
    return named | {key for key in keys if key.isupper() or "__" in key or key.startswith("AzureWebJobs")}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_template_parses(template):
    wrong = [node for node in walk(root(template)) if node.type == "ERROR" or node.is_missing]

    assert [f"line {node.start_point.row + 1}: {text(node)[:60]}" for node in wrong] == []


def test_every_resource_type_has_one_released_api_version():
    versions = defaultdict(set)
    for template in TEMPLATES:
        for of, _ in bodies(template).values():
            kind, _, version = of.partition("@")
            versions[kind].add(version)

    assert versions
    assert {kind: v for kind, v in versions.items() if len(v) != 1} == {}
    assert [v for (v,) in versions.values() if not re.fullmatch(r"20\d\d-[01]\d-[0-3]\d", v)] == []


@pytest.mark.parametrize(
    "template", [INFRA / "main.bicep", INFRA / "alerts.bicep"], ids=lambda path: path.name
)
def test_modules_get_the_parameters_and_give_the_outputs_they_declare(template):
    modules = bodies(template, "module")
    assert modules
    for name, (path, body) in modules.items():
        module = template.parent / path
        declared, given = parameters(module), set(body["params"])
        assert {n for n, needed in declared.items() if needed} <= given <= declared.keys(), name

        taken = set(re.findall(rf"\b{name}\.outputs\.(\w+)", template.read_text()))
        assert taken <= declarations(module, "output").keys(), name


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_every_name_used_is_declared_and_every_name_declared_is_used(template):
    declared = {n for k in ("parameter", "variable", "resource", "module") for n in declarations(template, k)}
    local, used = set(), Counter()
    for node in walk(root(template)):
        inner = parts(node)
        if node.type in {"for_statement", "lambda_expression"}:
            local.add(text(inner[0]))
        parent = node.parent
        key_or_name = parent is not None and (
            parent.type in {"object_property", "call_expression"} or parent.type.endswith("_declaration")
        )
        if node.type == "identifier" and not (key_or_name and parts(parent)[0] == node):
            used[text(node)] += 1

    assert set(used) - declared - local == set()
    deployed = {n for k in ("resource", "module") for n in declarations(template, k)}
    assert declared - deployed - set(used) == set()


def test_storage_trusts_no_keys_no_strangers_and_no_old_tls():
    properties = resource("modules/storage.bicep", "Microsoft.Storage/storageAccounts")["properties"]

    assert properties["allowSharedKeyAccess"] is False
    assert properties["allowBlobPublicAccess"] is False
    assert properties["supportsHttpsTrafficOnly"] is True
    assert properties["minimumTlsVersion"] == "TLS1_2"
    assert [
        t.name for t in TEMPLATES if re.search(r"\blist(Keys|AccountSas)|AccountKey=", t.read_text())
    ] == []


def test_the_queues_are_the_apps_each_with_its_poison_queue():
    made = variable("modules/storage.bicep", "queueNames")

    assert {"alerts", "scale-sets", "runs", "notices"} == set(QUEUES)
    assert sorted([*QUEUES, *map(poison, QUEUES)]) == sorted(made)
    queue = resource("modules/storage.bicep", "Microsoft.Storage/storageAccounts/queueServices/queues")
    assert queue["name"] == "queueName"


def test_records_and_the_package_have_private_containers():
    containers = [
        body
        for of, body in bodies(INFRA / "modules/storage.bicep").values()
        if of.startswith("Microsoft.Storage/storageAccounts/blobServices/containers@")
    ]

    assert {"breakwater", "packageContainerName"} == {body["name"] for body in containers}
    assert {"None"} == {body["properties"]["publicAccess"] for body in containers}


def test_the_app_runs_the_projects_python_on_flex_consumption_behind_https():
    plan = resource("modules/app.bicep", "Microsoft.Web/serverfarms")
    app = resource("modules/app.bicep", "Microsoft.Web/sites")["properties"]
    python = (ROOT / ".python-version").read_text().strip()
    supported = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]

    assert plan["sku"] == {"name": "FC1", "tier": "FlexConsumption"}
    assert app["functionAppConfig"]["runtime"] == {"name": "python", "version": python}
    assert supported.startswith(f">={python},")
    assert app["httpsOnly"] is True
    assert app["siteConfig"]["minTlsVersion"] == "1.2"


def test_one_identity_opens_package_storage_secrets_and_telemetry():
    app = resource("modules/app.bicep", "Microsoft.Web/sites")
    package = app["properties"]["functionAppConfig"]["deployment"]["storage"]["authentication"]

    assert app["identity"]["type"] == "UserAssigned"
    assert package["userAssignedIdentityResourceId"] == "identityId"
    assert app["properties"]["keyVaultReferenceIdentity"] == "identityId"
    assert {name for name in SETTINGS if "__" in name} | {"AZURE_CLIENT_ID"} <= app_settings()


def test_app_settings_are_those_of_the_house_plan_and_secrets_come_from_the_vault():
    settings = app_settings()
    from_vault = bodies(INFRA / "main.bicep", "module")["app"][1]["params"]["secretSettings"]

    assert {"BREAKWATER_SUBSCRIPTIONS", "BREAKWATER_POLICY", "BREAKWATER_SWEEP_SCHEDULE"} <= settings
    assert settings <= SETTINGS
    known = {field.validation_alias for field in Settings.model_fields.values()}
    assert {name for name in settings if name.startswith("BREAKWATER_")} <= known
    assert settings.isdisjoint({"BREAKWATER_LINK_KEY", "BREAKWATER_SMTP"})
    assert "'BREAKWATER_LINK_KEY'" in from_vault


def test_telemetry_takes_nothing_without_a_token():
    workspace = resource("modules/monitoring.bicep", "Microsoft.OperationalInsights/workspaces")["properties"]
    insights = resource("modules/monitoring.bicep", "Microsoft.Insights/components")["properties"]

    assert workspace["features"]["disableLocalAuth"] is True
    assert insights["DisableLocalAuth"] is True


def test_the_role_allows_exactly_the_reads_single_instance_maintenance_and_suspending_repairs():
    role = resource("modules/role.bicep", "Microsoft.Authorization/roleDefinitions")["properties"]
    (permission,) = role["permissions"]
    actions = variable("modules/role.bicep", "actions")

    assert permission == {"actions": "actions", "notActions": [], "dataActions": [], "notDataActions": []}
    assert sorted(ALLOWED_ACTIONS) == sorted(actions)
    assert {one for one in actions if not one.endswith("/read")} == {
        f"{SCALE_SET}/setOrchestrationServiceState/action",
        f"{SCALE_SET}/virtualMachines/performMaintenance/action",
        f"{COMPUTE}/virtualMachines/performMaintenance/action",
    }
    assert role["assignableScopes"] == ["watched"]
    assert variable("modules/role.bicep", "watched") == "subscription().id"


def test_what_a_closed_look_up_asks_for_is_in_the_role_and_in_the_docs():
    docs = (ROOT / "docs/deploy.md").read_text()
    for right in (*RIGHTS.values(), MACHINES):
        assert right.action in variable("modules/role.bicep", "actions")
        assert right.action in docs
        assert right.role in docs
    assert set(RIGHTS) == set(Source)


def test_no_template_holds_a_wildcard_right_or_the_scale_set_wide_maintenance():
    strings = {value(n) for t in TEMPLATES for n in walk(root(t)) if n.type == "string"}
    rights = {s for s in strings if re.fullmatch(r"(\*|Microsoft\.[\w./*]+/(\w+|\*))", s)}

    assert rights >= ALLOWED_ACTIONS
    assert {s for s in rights if "*" in s} == set()
    assert f"{SCALE_SET}/performMaintenance/action".lower() not in {s.lower() for s in strings}


def test_built_in_roles_are_the_least_that_works_and_bound_to_one_resource():
    guid = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
    found = {t.name: set(guid.findall(t.read_text())) for t in TEMPLATES}

    assert {name: roles for name, roles in found.items() if roles} == BUILT_IN_ROLES
    for name in BUILT_IN_ROLES:
        assignment = resource(f"modules/{name}", "Microsoft.Authorization/roleAssignments")
        assert assignment["scope"] in {"account", "insights", "vault"}


def test_the_alert_rule_hears_planned_maintenance_of_machines_and_scale_sets_in_one_subscription():
    rule = resource("modules/alert.bicep", "Microsoft.Insights/activityLogAlerts")

    assert rule["properties"]["scopes"] == ["watched"]
    assert variable("modules/alert.bicep", "watched") == "subscription().id"
    assert rule["properties"]["enabled"] is True
    assert rule["properties"]["condition"]["allOf"] == [
        {"field": "category", "equals": "ServiceHealth"},
        {"field": "properties.incidentType", "equals": "Maintenance"},
        {
            "field": "properties.impactedServices[*].ServiceName",
            "containsAny": ["Virtual Machines", "Virtual Machine Scale Sets"],
        },
    ]
    assert rule["properties"]["actions"]["actionGroups"] == [{"actionGroupId": "actions.id"}]


def test_the_action_group_is_global_and_sends_the_common_schema_to_the_function():
    group = resource("modules/alert.bicep", "Microsoft.Insights/actionGroups")
    (receiver,) = group["properties"]["azureFunctionReceivers"]

    assert group["location"] == "Global"
    assert len(group["properties"]["groupShortName"]) <= 12
    assert receiver["useCommonAlertSchema"] is True
    assert receiver["httpTriggerUrl"] == "httpTriggerUrl"


def test_secrets_are_secure_parameters_everywhere_and_never_outputs():
    secrets = {"linkKey", "httpTriggerUrl"}
    seen = set()
    for template in TEMPLATES:
        declared = declarations(template, "parameter")
        for name in secrets & declared.keys():
            node, above = declared[name], declared[name].prev_named_sibling
            decorators = text(node) + (
                text(above) if above is not None and above.type == "decorators" else ""
            )
            assert "@secure()" in decorators, f"{name} in {template.name}"
            seen.add(name)
        outputs = " ".join(text(node) for node in declarations(template, "output").values())
        assert not any(re.search(rf"\b{name}\b", outputs) for name in secrets), template.name
    assert seen == secrets
