"""Who else runs a scale set: a service that starts, drains and replaces its instances in its own way.

Each rule follows a public document, named beside it. A service without a documented mark has no rule: it is
seen only where Azure says that it manages the set or its resource group.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from planner.azure.fleet import ScaleSet
from planner.words import checks as words
from planner.words.refusals import on_resource_group

_PROVIDER = re.compile(r"/providers/([^/]+/[^/]+)(?:/|$)", re.IGNORECASE)

TYPES = {
    "microsoft.app/managedenvironments": "Azure Container Apps",
    "microsoft.batch/batchaccounts": "Azure Batch",
    "microsoft.containerservice/managedclusters": "AKS",
    "microsoft.databricks/workspaces": "Azure Databricks",
    "microsoft.desktopvirtualization/hostpools": "an Azure Virtual Desktop host pool",
    "microsoft.hdinsight/clusters": "Azure HDInsight",
    "microsoft.machinelearningservices/workspaces": "Azure Machine Learning",
    "microsoft.redhatopenshift/openshiftclusters": "Azure Red Hat OpenShift",
    "microsoft.servicefabric/managedclusters": "a Service Fabric managed cluster",
    "microsoft.solutions/applications": "an Azure managed application",
}
"""Services by the type of the resource that `managedBy` names.

Learn, ResourceGroup.ManagedBy: "The ID of the resource that manages this resource group". That Azure Red Hat
OpenShift sets it to its cluster is in the source of its resource provider (Azure/ARO-RP,
pkg/cluster/deploybaseresources.go); a Service Fabric managed cluster owns its whole group, scale sets
included, and takes no changes by hand (Learn, service-fabric/faq-managed-cluster, 2026-03-22); so does
Container Apps (Learn, container-apps/custom-virtual-networks, 2025-05-01). A type that is not in this table
manages the set all the same and is named as Azure spells it.
"""


@dataclass(frozen=True, slots=True)
class Owner:
    """A service that runs a scale set: its name, and the sign by which it is known."""

    name: str
    sign: str


@dataclass(frozen=True, slots=True)
class _Tag:
    """A tag that a service sets: its name, or how the name begins, in lower case; `value` must agree."""

    name: str
    owner: str
    value: Callable[[str], bool] = lambda _: True
    begins: bool = False

    def fits(self, name: str, value: str) -> bool:
        named = name.startswith(self.name) if self.begins else name == self.name
        return named and self.value(value)


_STARTED_BY = re.compile(r".+\(.+@.+:.+\)")
_HOST_POOL = re.compile(
    r"/subscriptions/.+/providers/microsoft\.desktopvirtualization/hostpools/[^/]+", re.IGNORECASE
)

TAGS = (
    # Azure/terraform-azurerm-avm-res-compute-virtualmachinescaleset#86: becoming an agent pool adds this tag
    # and ...TimeStamp; azure-pipelines-agent#3829: such a scale set is controlled by Azure DevOps.
    _Tag("__azuredevopselasticpool", "an Azure DevOps agent pool", begins=True),
    # Azure/karpenter-provider-azure, pkg/providers/launchtemplate/tags.go.
    _Tag("karpenter.azure.com_cluster", "Karpenter"),
    _Tag("karpenter.sh_nodepool", "Karpenter"),
    # kubernetes/autoscaler, cloudprovider/azure: README.md and examples/cluster-autoscaler-autodiscover.yaml.
    _Tag("k8s.io_cluster-autoscaler_node-template_", "the Kubernetes cluster autoscaler", begins=True),
    _Tag(
        "cluster-autoscaler-enabled",
        "the Kubernetes cluster autoscaler",
        lambda value: value.strip().lower() == "true",
    ),
    # Learn, cyclecloud/how-to/tag-nodes. Anybody may set ClusterName, ClusterId and Name.
    _Tag("cyclecloudcluster", "Azure CycleCloud"),
    _Tag("cyclecloudnodearray", "Azure CycleCloud"),
    _Tag("cycleowner", "Azure CycleCloud", lambda value: bool(_STARTED_BY.fullmatch(value.strip()))),
    # Learn, virtual-desktop/tag-virtual-desktop-resources, 2021-11-12: the value is the host pool's id. The
    # same tag groups costs by any other resource.
    _Tag(
        "cm-resource-parent",
        "an Azure Virtual Desktop host pool",
        lambda value: bool(_HOST_POOL.fullmatch(value.strip().rstrip("/"))),
    ),
    # Set by AKS on the scale sets of its node pools, as the instance metadata service shows them.
    _Tag("aks-managed-", "AKS", begins=True),
)
"""Tags that services set, in the order of precedence; case is ignored in their names, as in Azure."""

NODE_GROUP = "mc_"
"""How the resource groups of AKS begin, and those of Container Apps environments without workload profiles
(Learn, container-apps/custom-virtual-networks, 2025-05-01). Other names prove nothing: people choose them."""


def owner(scale_set: ScaleSet) -> Owner | None:
    """The service that runs the scale set; None when nothing says that another one does.

    What Azure says of the set comes first, then what it says of the resource group, then the tags that
    services set, and the name of the group last.
    """
    if scale_set.managed_by:
        return Owner(_named(scale_set.managed_by), words.managed_by(scale_set.managed_by))
    group = scale_set.habits.group_managed_by if scale_set.habits is not None else ""
    if group:
        return Owner(_named(group), words.group_managed_by(scale_set.resource_group, group))
    shown = sorted(scale_set.tags.items())
    for known in TAGS:
        for name, value in shown:
            if known.fits(name.lower(), value):
                return Owner(known.owner, words.tag(name))
    if scale_set.resource_group.lower().startswith(NODE_GROUP):
        return Owner("AKS or Azure Container Apps", on_resource_group(scale_set.resource_group))
    return None


def _named(manager: str) -> str:
    """The service, by the type of the resource that manages; an unknown type is named as Azure does."""
    types = _PROVIDER.findall(manager)
    return TYPES.get(types[-1].lower(), words.other_manager(types[-1])) if types else manager
