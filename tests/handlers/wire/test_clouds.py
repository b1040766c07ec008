"""Other clouds than public Azure: one setting moves everything that has an address."""

from types import SimpleNamespace

import azure.identity.aio
import pytest
from azure.core import AzureClouds
from azure.identity import AzureAuthorityHosts
from azure.mgmt.core.tools import get_arm_endpoints

from handlers.cloud import storage
from handlers.cloud.arm import Arm
from handlers.wire.clouds import HOSTS, Cloud, scope_of
from handlers.wire.settings import BadSettings, Settings
from handlers.wiring import Wiring

SDK = {
    Cloud.PUBLIC: (AzureClouds.AZURE_PUBLIC_CLOUD, AzureAuthorityHosts.AZURE_PUBLIC_CLOUD),
    Cloud.USGOV: (AzureClouds.AZURE_US_GOVERNMENT, AzureAuthorityHosts.AZURE_GOVERNMENT),
    Cloud.CHINA: (AzureClouds.AZURE_CHINA_CLOUD, AzureAuthorityHosts.AZURE_CHINA),
}


@pytest.fixture
def wired(monkeypatch):
    """A wiring in a cloud; what its sign-in was told."""
    told = SimpleNamespace(authority=None)
    monkeypatch.delenv("IDENTITY_ENDPOINT", raising=False)
    monkeypatch.delenv("BREAKWATER_ARM_ENDPOINT", raising=False)
    monkeypatch.setattr(
        azure.identity.aio, "DefaultAzureCredential", lambda **given: told.__dict__.update(given)
    )

    def wire(cloud: str) -> tuple[Wiring, SimpleNamespace]:
        monkeypatch.setenv("BREAKWATER_CLOUD", cloud)
        wiring = Wiring(Settings.from_environment())
        assert wiring.credential is None
        return wiring, told

    return wire


@pytest.mark.parametrize("cloud", Cloud)
def test_the_hosts_are_those_of_the_sdks(cloud):
    name, authority = SDK[cloud]
    endpoints = get_arm_endpoints(name)
    assert HOSTS[cloud].management == endpoints["resource_manager"].rstrip("/")
    assert [HOSTS[cloud].scope] == endpoints["credential_scopes"]
    assert HOSTS[cloud].authority == authority


def test_sign_in_reading_and_links_go_to_the_cloud_that_is_set(wired):
    wiring, told = wired("usgov")
    compute = wiring.compute("aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e")
    assert told.authority == "login.microsoftonline.us"
    assert compute._endpoint == "https://management.usgovcloudapi.net"
    assert compute._scope == "https://management.core.usgovcloudapi.net/.default"
    assert wiring.addresses("").portal("/x") == "https://portal.azure.us/#resource/x"
    assert wiring.page_addresses("").service_health("VM1", "x").startswith("https://portal.azure.us/#blade/")


def test_in_public_azure_the_environment_may_name_another_sign_in(wired):
    _, told = wired("public")
    assert told.authority is None


def test_storage_is_in_the_same_cloud():
    made = {}

    def client(address, **_):
        made["address"] = address

    settings = Settings(storage_account="account", cloud="china", storage="")
    storage.client(client, settings, "blob", "")
    assert made["address"] == "https://account.blob.core.chinacloudapi.cn"


def test_an_endpoint_that_is_set_stays_what_it_is(monkeypatch):
    settings = Settings(cloud="china", arm_endpoint="https://arm.example/")
    assert settings.management == "https://arm.example"
    assert scope_of(settings.management) == "https://arm.example/.default"
    assert Arm("", lambda: None, "http://127.0.0.1:1", lambda: None)._scope == HOSTS[Cloud.PUBLIC].scope


def test_a_cloud_that_nobody_knows_is_refused_with_the_names_there_are(monkeypatch):
    monkeypatch.setenv("BREAKWATER_CLOUD", "mars")
    with pytest.raises(BadSettings, match="public, usgov, china"):
        Settings.from_environment()
