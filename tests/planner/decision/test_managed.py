"""Who else runs a scale set: what services leave on it, and what people write that only looks like it."""

from dataclasses import replace
from typing import Any

import pytest

from planner.azure.usage import Source
from planner.decision.managed import TAGS, TYPES, owner
from planner.record.check import Outcome
from planner.record.run import Verdict
from tests.planner.builders import always, check, checked, decided, lived, policy, scale_set

PROVIDERS = "/subscriptions/s/resourceGroups/rg/providers"
HOST_POOL = f"{PROVIDERS}/Microsoft.DesktopVirtualization/hostPools/desks"

MARKED: dict[str, dict[str, str]] = {
    "an Azure DevOps agent pool": {
        "__AzureDevOpsElasticPool": "linux-agents",
        "__AzureDevOpsElasticPoolTimeStamp": "10/2/2024 11:02:21 PM",
    },
    "Karpenter": {"karpenter.azure.com_cluster": "shop", "karpenter.sh_nodepool": "default"},
    "the Kubernetes cluster autoscaler": {"cluster-autoscaler-enabled": "true"},
    "Azure CycleCloud": {"CycleCloudCluster": "/sites/1-2/clusters/hpc"},
    "an Azure Virtual Desktop host pool": {"cm-resource-parent": HOST_POOL},
    "AKS": {"aks-managed-poolName": "pool1"},
}

OTHER_MARKS = (
    ("an Azure DevOps agent pool", {"__azuredevopselasticpool": "in lower case"}),
    ("Karpenter", {"karpenter.sh_nodepool": "default"}),
    ("the Kubernetes cluster autoscaler", {"k8s.io_cluster-autoscaler_node-template_label_foo": "bar"}),
    ("Azure CycleCloud", {"CycleCloudNodeArray": "/sites/1/clusters/hpc/nodearrays/execute"}),
    ("Azure CycleCloud", {"CycleOwner": "hpc(ada@site:0a1b)"}),
)

ORDINARY = (
    {"Owner": "batch-team"},
    {"owner": "databricks"},
    {"team": "__AzureDevOpsElasticPool"},
    {"AzureDevOps": "yes"},
    {"ClusterName": "shop", "ClusterId": "7", "Name": "web"},
    {"CycleOwner": "ada"},
    {"cluster-autoscaler-enabled": "false"},
    {"cm-resource-parent": f"{PROVIDERS}/Microsoft.Compute/virtualMachineScaleSets/web"},
    {"cm-resource-parent": "hostPools"},
    {"aks": "managed"},
    {"karpenter": "no"},
    {"Vendor": "Databricks"},
)


@pytest.mark.parametrize("service", MARKED)
def test_what_a_service_leaves_on_its_scale_set_is_named_with_the_service(service: str) -> None:
    found = checked("managed", scale_set(tags=MARKED[service]))
    assert found.outcome is Outcome.BLOCK
    assert f"It belongs to {service} (tag {next(iter(MARKED[service]))})" in found.reason
    assert "accept `managed`" in found.reason


@pytest.mark.parametrize(("service", "tags"), OTHER_MARKS)
def test_every_mark_of_a_service_counts_by_itself(service: str, tags: dict[str, str]) -> None:
    found = owner(scale_set(tags=tags))
    assert found is not None
    assert found.name == service


def test_every_rule_about_tags_is_tried_here() -> None:
    every = list(MARKED.values()) + [tags for _, tags in OTHER_MARKS]
    said = [(name.lower(), value) for tags in every for name, value in tags.items()]
    assert [rule.name for rule in TAGS if not any(rule.fits(*tag) for tag in said)] == []


@pytest.mark.parametrize("tags", ORDINARY)
def test_what_people_write_about_services_and_teams_is_nobodys_mark(tags: dict[str, str]) -> None:
    assert owner(scale_set(tags=tags)) is None


@pytest.mark.parametrize(
    "group", ["databricks-rg-mine", "aro-test", "ME_team", "SFC_lab", "AzureBatch-lab", "mcgroup", "rg-MC_a"]
)
def test_a_resource_group_that_people_named_like_a_services_is_theirs(group: str) -> None:
    assert owner(scale_set(group=group)) is None


@pytest.mark.parametrize("kind", TYPES)
def test_the_resource_that_manages_the_group_names_the_service_in_any_case(kind: str) -> None:
    for manager in (f"{PROVIDERS}/{kind}/it", f"{PROVIDERS}/{kind.upper()}/IT"):
        found = checked("managed", lived(group_managed_by=manager))
        assert found.outcome is Outcome.BLOCK
        assert (
            f"It belongs to {TYPES[kind]} (its resource group Prod is managed by {manager})" in found.reason
        )


def test_a_resource_of_a_type_nobody_knows_manages_it_all_the_same_and_is_named() -> None:
    found = owner(lived(group_managed_by=f"{PROVIDERS}/Contoso.Farm/barns/red"))
    assert found is not None
    assert found.name == "another resource, Contoso.Farm/barns"


def test_the_group_name_of_aks_nodes_counts_last_since_container_apps_use_it_too() -> None:
    found = owner(scale_set(group="MC_rg_shop_westeurope"))
    assert found is not None
    assert found.name == "AKS or Azure Container Apps"
    tagged = owner(scale_set(group="MC_rg_shop_westeurope", tags={"aks-managed-poolName": "p"}))
    assert tagged is not None
    assert tagged.name == "AKS"


def test_what_azure_says_of_the_set_comes_before_the_group_and_the_group_before_tags() -> None:
    tagged: dict[str, Any] = {"tags": MARKED["Karpenter"]}
    group = replace(lived(group_managed_by=f"{PROVIDERS}/Microsoft.Databricks/workspaces/w"), **tagged)
    assert (found := owner(group))
    assert found.name == "Azure Databricks"
    both = replace(group, managed_by=f"{PROVIDERS}/Microsoft.App/managedEnvironments/e")
    assert (found := owner(both))
    assert found.name == "Azure Container Apps"


def test_agents_of_azure_devops_are_left_alone_however_much_self_service_is_wanted() -> None:
    agents = scale_set(tags=MARKED["an Azure DevOps agent pool"])
    found = decided(agents, a_policy=always())
    assert found.verdict is Verdict.LEAVE_TO_AZURE
    assert "an Azure DevOps agent pool" in found.reason
    accepted = decided(agents, a_policy=always(accept="managed"))
    assert accepted.verdict is Verdict.SELF_SERVICE
    assert "an Azure DevOps agent pool" in check(accepted, "managed").reason
    assert check(accepted, "managed").outcome is Outcome.ACCEPTED
    assert check(decided(agents, a_policy=policy()), "managed").outcome is Outcome.BLOCK


def test_a_mark_counts_also_where_resource_groups_could_not_be_read() -> None:
    unread = {Source.GROUPS: "The resource groups cannot be read."}
    marked = replace(lived(), tags=MARKED["Karpenter"], unread=unread)
    assert checked("managed", marked).outcome is Outcome.BLOCK
    assert checked("managed", replace(lived(), unread=unread)).outcome is Outcome.UNKNOWN
