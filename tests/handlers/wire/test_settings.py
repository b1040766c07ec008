"""Settings from the environment: clear errors, no secrets in them."""

from datetime import timedelta

import pytest

from handlers.wire.settings import BadSettings, Settings
from tests.handlers.parts import OTHER, SUBSCRIPTION


@pytest.fixture
def environment(monkeypatch):
    for name in list(__import__("os").environ):
        if name.startswith(("BREAKWATER_", "AzureWebJobsStorage")):
            monkeypatch.delenv(name)
    return monkeypatch.setenv


def test_the_defaults_are_the_documented_ones(environment):
    found = Settings.from_environment()
    assert found.management == "https://management.azure.com"
    assert found.poll_interval == timedelta(seconds=60)
    assert found.in_doubt == timedelta(seconds=1800)
    assert found.search_every == timedelta(seconds=3600)
    assert found.group_wait == timedelta(seconds=60)
    assert found.sweep_schedule == "0 */5 * * * *"
    assert found.subscriptions == ()
    assert found.stop is False


def test_every_setting_comes_from_its_variable(environment):
    environment("AzureWebJobsStorage", "UseThis")
    environment("AzureWebJobsStorage__accountName", "account")
    environment("BREAKWATER_ARM_ENDPOINT", "http://127.0.0.1:8443/")
    environment("BREAKWATER_POLICY", "policy.yaml")
    environment("BREAKWATER_SUBSCRIPTIONS", f"{SUBSCRIPTION.upper()}, {OTHER};{SUBSCRIPTION}")
    environment("BREAKWATER_POLL_INTERVAL", "0.5")
    environment("BREAKWATER_IN_DOUBT", " 7 ")
    environment("BREAKWATER_SMTP", "smtp://user:p%40ss@mail.contoso.com:587")
    environment("BREAKWATER_LINK_KEY", f"{'n' * 32}, {'o' * 40}")
    environment("BREAKWATER_STOP", "1")
    environment("BREAKWATER_PLATFORM_AUTH", "1")
    found = Settings.from_environment()
    assert found.storage.get_secret_value() == "UseThis"
    assert found.storage_account == "account"
    assert found.arm_endpoint == "http://127.0.0.1:8443"
    assert found.policy == "policy.yaml"
    assert found.subscriptions == (SUBSCRIPTION, OTHER)
    assert found.poll_interval == timedelta(seconds=0.5)
    assert found.in_doubt == timedelta(seconds=7)
    assert found.stop is True
    assert found.platform_auth is True
    assert found.link_keys == ("n" * 32, "o" * 40)
    assert "nnn" not in repr(found)
    assert "p%40ss" not in repr(found)
    assert "UseThis" not in repr(found)


def test_an_empty_variable_is_not_a_setting(environment):
    environment("BREAKWATER_POLL_INTERVAL", "")
    environment("BREAKWATER_STOP", "")
    found = Settings.from_environment()
    assert found.poll_interval == timedelta(seconds=60)
    assert found.stop is False
    assert found.platform_auth is False
    assert found.link_keys == ()


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("BREAKWATER_ARM_ENDPOINT", "http://management.azure.com", "https"),
        ("BREAKWATER_ARM_ENDPOINT", "http://127.0.0.1.example.org", "https"),
        ("BREAKWATER_ARM_ENDPOINT", "management.azure.com", "address"),
        ("BREAKWATER_ARM_ENDPOINT", "ftp://127.0.0.1", "address"),
        ("BREAKWATER_ARM_ENDPOINT", "http://[", "address"),
        ("BREAKWATER_LINK_KEY", "k" * 31, "32 characters"),
        ("BREAKWATER_LINK_KEY", f"{'k' * 32} old", "32 characters"),
        (
            "BREAKWATER_LINK_KEY",
            "@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/k)",
            "Key Vault",
        ),
        ("BREAKWATER_LINK_KEY", "@microsoft.keyvault(VaultName=breakwater;SecretName=link-key)", "Key Vault"),
        ("BREAKWATER_SUBSCRIPTIONS", "mine", "GUID"),
        ("BREAKWATER_POLL_INTERVAL", "1m", "seconds"),
        ("BREAKWATER_POLL_INTERVAL", "0", "more than 0"),
        ("BREAKWATER_POLL_INTERVAL", "nan", "seconds"),
        ("BREAKWATER_POLL_INTERVAL", "1e300", "seconds"),
        ("BREAKWATER_SWEEP_SCHEDULE", "* * * * *", "six fields"),
        ("BREAKWATER_SMTP", "mail.contoso.com", "smtp://"),
        ("BREAKWATER_STOP", "perhaps", "bool"),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_expected(environment, name, value, says):
    environment(name, value)
    with pytest.raises(BadSettings, match=name) as caught:
        Settings.from_environment()
    assert says in str(caught.value)


def test_all_wrong_settings_are_named_at_once_and_secrets_are_not(environment):
    environment("BREAKWATER_SMTP", "http://user:secret@host")
    environment("BREAKWATER_IN_DOUBT", "x")
    with pytest.raises(BadSettings) as caught:
        Settings.from_environment()
    assert "BREAKWATER_SMTP" in str(caught.value)
    assert "BREAKWATER_IN_DOUBT" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_plain_http_is_for_this_machine_only(environment, host):
    environment("BREAKWATER_ARM_ENDPOINT", f"http://{host}:1234")
    assert Settings.from_environment().arm_endpoint == f"http://{host}:1234"


def test_what_is_wrong_is_a_problem_and_the_rest_is_read(environment):
    environment("AzureWebJobsStorage", "UseThis")
    environment("BREAKWATER_POLL_INTERVAL", "1m")
    environment("BREAKWATER_SMTP", "http://user:secret@host")
    environment("BREAKWATER_IN_DOUBT", "7")
    found = Settings.as_far_as_readable()
    assert (found.poll_interval, found.in_doubt) == (timedelta(seconds=60), timedelta(seconds=7))
    assert found.storage.get_secret_value() == "UseThis"
    assert "BREAKWATER_POLL_INTERVAL" in found.problem
    assert "BREAKWATER_SMTP" in found.problem
    assert "secret" not in found.problem


def test_correct_settings_are_not_a_problem(environment):
    environment("BREAKWATER_STOP", "1")
    assert Settings.as_far_as_readable() == Settings.from_environment()
    assert Settings.as_far_as_readable().problem == ""
