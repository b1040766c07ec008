"""Azure's clouds: public Azure, Azure US Government, Azure operated by 21Vianet in China."""

from dataclasses import dataclass
from enum import StrEnum


class Cloud(StrEnum):
    """As the setting BREAKWATER_CLOUD and the option --cloud name them."""

    PUBLIC = "public"
    USGOV = "usgov"
    CHINA = "china"


@dataclass(frozen=True, slots=True)
class Hosts:
    """Where a cloud is: Azure Resource Manager and the scope of its tokens, sign-in, storage, the portal."""

    management: str
    scope: str
    authority: str
    storage: str
    portal: str


HOSTS = {
    Cloud.PUBLIC: Hosts(
        "https://management.azure.com",
        "https://management.azure.com/.default",
        "login.microsoftonline.com",
        "core.windows.net",
        "https://portal.azure.com",
    ),
    Cloud.USGOV: Hosts(
        "https://management.usgovcloudapi.net",
        "https://management.core.usgovcloudapi.net/.default",
        "login.microsoftonline.us",
        "core.usgovcloudapi.net",
        "https://portal.azure.us",
    ),
    Cloud.CHINA: Hosts(
        "https://management.chinacloudapi.cn",
        "https://management.chinacloudapi.cn/.default",
        "login.chinacloudapi.cn",
        "core.chinacloudapi.cn",
        "https://portal.azure.cn",
    ),
}
"""As the SDKs have them (azure.mgmt.core.tools.get_arm_endpoints, azure.identity.AzureAuthorityHosts)."""


def scope_of(endpoint: str) -> str:
    """The scope of a token for Azure Resource Manager at this endpoint, which has no slash at its end.

    Another https endpoint has a scope of its own; a local stand-in takes the tokens of public Azure.
    """
    for hosts in HOSTS.values():
        if hosts.management == endpoint:
            return hosts.scope
    return f"{endpoint}/.default" if endpoint.startswith("https://") else HOSTS[Cloud.PUBLIC].scope
