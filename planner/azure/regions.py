"""Azure's regions by their normalised names, to tell a region from a word that stands for all of them.

From "List of Azure regions" (Microsoft Learn, azure/reliability/regions-list) and the lists of Azure
Government and of Azure operated by 21Vianet. A region that is missing here is taken for any region: more
scale sets are read than are hit, and none is missed.
"""

REGIONS = frozenset(
    """
    australiacentral australiacentral2 australiaeast australiasoutheast austriaeast belgiumcentral brazilsouth
    brazilsoutheast canadacentral canadaeast centralindia centralus centraluseuap chilecentral denmarkeast
    eastasia eastus eastus2 eastus2euap eastus3 francecentral francesouth germanynorth germanywestcentral
    indonesiacentral israelcentral italynorth japaneast japanwest jioindiacentral jioindiawest koreacentral
    koreasouth malaysiawest mexicocentral newzealandnorth northcentralus northeurope norwayeast norwaywest
    polandcentral qatarcentral southafricanorth southafricawest southcentralus southeastasia southindia
    spaincentral swedencentral swedensouth switzerlandnorth switzerlandwest uaecentral uaenorth uksouth ukwest
    westcentralus westeurope westindia westus westus2 westus3
    usdodcentral usdodeast usgovarizona usgoviowa usgovtexas usgovvirginia
    chinaeast chinaeast2 chinaeast3 chinanorth chinanorth2 chinanorth3
    """.split()  # noqa: SIM905 - eighty names, to be compared with a page
)
