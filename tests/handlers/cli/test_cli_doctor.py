"""`breakwater doctor`: what it finds, what it says to type, and that it changes and gives away nothing."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from handlers.cli.checkup import rights
from handlers.cli.checkup.alerting import hears
from handlers.cli.main import main
from handlers.cloud.lookups import RIGHTS as LOOKED_UP
from planner.policy.model import CheckName
from simulator.arm.alert_calls import _rule
from simulator.arm.permissions import held
from simulator.fleet import SUBSCRIPTION
from simulator.fleet.alerting import ActionGroup, AlertRule, Assignment
from simulator.inboxes import TeamsInbox
from tests.contracts.bicep import variable
from tests.handlers.cli.azure_beside import Beside, azure_beside
from tests.handlers.cli.stand_in import KEY, StandIn, stand_in
from tests.handlers.cli.test_cli_replay import kept

APP_ID = "/subscriptions/x/resourceGroups/g/providers/Microsoft.Web/sites/app"
FUNCTION_KEY = "f-u-n-c-t-i-o-n-k-e-y"
PRINCIPAL = "99999999-8888-7777-6666-555555555555"
PASSWORD, HOOK = "sm7p-passw0rd", "hook-s1gnature"


def health(**more: object) -> dict[str, object]:
    swept = (datetime.now(UTC) - timedelta(minutes=2)).isoformat()
    well = {"status": "ok", "queues": {"runs": 3, "runs-poison": 0}, "quarantine": 0, "last_sweep": swept}
    return {**well, "stopped": False, "stopped_by": None, "policy_problem": None, **more}


@pytest.fixture(scope="module")
def running() -> Iterator[Beside]:
    with azure_beside() as made:
        yield made


@pytest.fixture
def azure(running: Beside) -> Beside:
    return running.as_new()


@pytest.fixture
def app() -> Iterator[StandIn]:
    with stand_in({"GET health": (200, health()), "GET waves.json": (200, [])}) as made:
        yield made


@pytest.fixture
def shell(app, azure, tmp_path, monkeypatch):
    """Everything in order: signed in, wired up, a policy with a receiver."""
    policy = tmp_path / "policy.yaml"
    policy.write_text(f"receivers:\n  ops: {{webhook: 'https://hooks.example/{HOOK}'}}\n")
    azure.fleet.world.alerting.wire(SUBSCRIPTION, app.url, FUNCTION_KEY, APP_ID)
    values = {
        **azure.shell,
        "BREAKWATER_PUBLIC_URL": app.url,
        "BREAKWATER_KEY": KEY,
        "BREAKWATER_POLICY": str(policy),
        "BREAKWATER_SMTP": f"smtp://ana:{PASSWORD}@127.0.0.1:9",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    for name in ("AzureWebJobsStorage", "BREAKWATER_PRINCIPAL_ID"):
        monkeypatch.delenv(name, raising=False)
    return policy


def told(capsys, *words: str) -> tuple[int, list[dict[str, object]], str]:
    """Exit code, the findings, and everything that was printed."""
    code = main(["doctor", "-o", "json", *words])
    said = capsys.readouterr()
    return code, json.loads(said.out)["findings"], said.out + said.err


def to_mend(findings, verdict="finding"):
    return [(each["area"], each["sentence"]) for each in findings if each["verdict"] == verdict]


def test_all_in_order_ends_with_0_and_only_reads(shell, app, azure, capsys):
    code, findings, said = told(capsys)
    assert (to_mend(findings), to_mend(findings, "unread"), code) == ([], [], 0)
    assert {each["area"] for each in findings} >= {
        "sign-in",
        "rights",
        "alerts",
        "app",
        "queues",
        "clock",
        "policy",
    }
    assert {method for method, *_ in app.asked} == {"GET"}
    kinds = {"token", "permissions", "alert rules", "action group"}
    assert set(azure.server.calls) == kinds
    for secret in (KEY, FUNCTION_KEY, PASSWORD, HOOK, azure.server.token):
        assert secret not in said


@pytest.mark.parametrize("action", sorted(rights.RIGHTS))
def test_a_right_that_is_missing_is_named_with_what_it_costs_and_how_to_get_it(action):
    permissions = [{"actions": held({action}), "notActions": []}]
    (found,) = rights.judged(SUBSCRIPTION, permissions, PRINCIPAL)
    assert f"lacks {action} in {SUBSCRIPTION}: {rights.RIGHTS[action]}." in found.sentence
    assert "infra/modules/role.bicep" in found.remedies[0]


def test_a_person_needs_only_the_reads():
    reader = [{"actions": ["*/read"], "notActions": []}]
    assert [each.verdict for each in rights.judged(SUBSCRIPTION, reader, "")] == ["well"]
    assert (
        len([each for each in rights.judged(SUBSCRIPTION, reader, PRINCIPAL) if each.verdict == "finding"])
        == 3
    )


def test_a_right_that_azure_does_not_give_is_found_over_http(shell, azure, capsys):
    azure.faults.denied.add("Microsoft.Insights/eventtypes/values/read")
    code, findings, _ = told(capsys)
    assert code == 2
    assert [area for area, _ in to_mend(findings)] == ["rights"]
    assert "`often-stopped`" in to_mend(findings)[0][1]


def test_the_rights_are_those_of_the_role_and_their_checks_exist():
    assert set(rights.RIGHTS) == set(variable("modules/role.bicep", "actions"))
    assert {right.action for right in LOOKED_UP.values()} <= set(rights.RIGHTS)
    named = {word for text in rights.RIGHTS.values() for word in text.split("`")[1::2]}
    assert named <= set(CheckName)


@pytest.mark.parametrize(
    ("actions", "less", "has"),
    [
        (["*"], [], True),
        (["*/read"], [], True),
        (["Microsoft.Compute/*"], [], True),
        (["MICROSOFT.COMPUTE/virtualmachines/READ"], [], True),
        (["*"], ["Microsoft.Compute/*/read"], False),
        (["Microsoft.Compute/virtualMachines/*/action"], [], False),
        ([], [], False),
    ],
)
def test_wildcards_and_exceptions_count_as_in_azure(actions, less, has):
    permissions = [{"actions": actions, "notActions": less}]
    assert rights.allowed("Microsoft.Compute/virtualMachines/read", permissions) is has


def test_the_apps_identity_is_looked_at_by_its_own_roles_and_must_not_be_able_to_take_a_set_down(
    shell, azure, capsys
):
    roles = azure.fleet.world.alerting.assignments
    scope = f"/subscriptions/{SUBSCRIPTION}"
    roles.append(Assignment(principal=PRINCIPAL, scope=f"{scope}/resourceGroups/one", actions=("*",)))
    code, findings, _ = told(capsys, "--principal", PRINCIPAL)
    assert code == 2
    assert len(to_mend(findings)) == len(rights.RIGHTS)
    roles.append(Assignment(principal=PRINCIPAL, scope=scope, actions=tuple(rights.RIGHTS)))
    assert told(capsys, "--principal", PRINCIPAL)[0] == 0
    roles.append(Assignment(principal=PRINCIPAL, scope=scope, actions=("Microsoft.Compute/*",)))
    ((area, sentence),) = to_mend(told(capsys, "--principal", PRINCIPAL)[1])
    assert area == "rights"
    assert "can take a whole scale set down" in sentence


def off(alerting):
    alerting.rules[0].enabled = False


def other_incident(alerting):
    alerting.rules[0].incident = "Incident"


def other_services(alerting):
    alerting.rules[0].services = ("Storage",)


def one_region(alerting):
    alerting.rules[0].regions = ("West Europe",)


def nobody_called(alerting):
    alerting.rules[0].groups.clear()


def group_off(alerting):
    alerting.groups[0].enabled = False


def elsewhere(alerting):
    alerting.groups[0].functions = [(APP_ID, "https://old-app.example/api/alerts?code=old-secret")]


def no_rule(alerting):
    alerting.rules.clear()


@pytest.mark.parametrize(
    ("spoil", "says", "remedy"),
    [
        (no_rule, "No alert rule", "infra/alerts.bicep"),
        (off, "is disabled", "az monitor activity-log alert update --ids"),
        (other_incident, "No alert rule", "infra/alerts.bicep"),
        (other_services, "No alert rule", "infra/alerts.bicep"),
        (one_region, "hears only of west europe", "infra/alerts.bicep"),
        (nobody_called, "calls no action group", "infra/alerts.bicep"),
        (group_off, "action group breakwater", "az monitor action-group update --ids"),
        (elsewhere, "calls old-app.example, and not", "infra/alerts.bicep"),
    ],
)
def test_an_alert_that_reaches_nobody_is_found_with_the_command_that_mends_it(
    shell, azure, capsys, spoil, says, remedy
):
    spoil(azure.fleet.world.alerting)
    code, findings, said = told(capsys)
    (found,) = [each for each in findings if each["verdict"] == "finding"]
    assert (code, found["area"]) == (2, "alerts")
    assert says in found["sentence"]
    assert remedy in found["remedies"][0]
    assert "old-secret" not in said


def test_one_way_to_the_app_is_enough_whatever_else_a_rule_calls(shell, azure, capsys):
    alerting = azure.fleet.world.alerting
    pager = ActionGroup(subscription=SUBSCRIPTION, name="pager", webhooks=["https://pager.example/x"])
    alerting.groups.append(pager)
    alerting.rules.insert(0, AlertRule(subscription=SUBSCRIPTION, name="older", groups=[pager.id]))
    assert told(capsys)[0] == 0


def test_a_rule_without_filters_hears_of_maintenance_and_one_of_any_of_several_does_too():
    assert hears(_rule(AlertRule(subscription=SUBSCRIPTION, incident="", services=())))
    rule = _rule(AlertRule(subscription=SUBSCRIPTION, incident=""))
    kinds = [{"field": "properties.incidentType", "equals": kind} for kind in ("Incident", "Maintenance")]
    rule["properties"]["condition"]["allOf"].append({"anyOf": kinds})
    assert hears(rule)
    kinds.pop()
    assert not hears(rule)


@pytest.mark.parametrize(
    ("denied", "area"),
    [
        ("Microsoft.Authorization/permissions/read", "rights"),
        ("Microsoft.Insights/activityLogAlerts/read", "alerts"),
    ],
)
def test_what_may_not_be_read_is_said_so_and_ends_with_3(shell, azure, capsys, denied, area):
    azure.faults.denied.add(denied)
    code, findings, _ = told(capsys)
    assert code == 3
    ((where, sentence),) = to_mend(findings, "unread")
    assert where == area
    assert "AuthorizationFailed" in sentence or "does not have authorization" in sentence


@pytest.mark.parametrize(
    ("more", "area", "says", "remedy"),
    [
        ({"stopped": True, "stopped_by": "Everything is stopped: BREAKWATER_STOP is set."}, "app", "Nothing new starts", "BREAKWATER_STOP=0"),
        ({"policy_problem": "The policy file is not valid: line 2."}, "policy", "line 2", "breakwater policy check"),
        ({"quarantine": 2}, "quarantine", "2 items in quarantine", "az storage blob list"),
        ({"queues": {"runs-poison": 1}}, "queues", "1 message in runs-poison", "az storage message peek"),
        ({"last_sweep": None}, "sweep", "has never run", "az functionapp restart"),
        ({"last_sweep": "2026-01-01T00:00:00+00:00"}, "sweep", "last ran", "az functionapp restart"),
    ],
)  # fmt: skip
def test_what_the_app_says_of_itself_is_found(shell, app, capsys, more, area, says, remedy):
    app.answers["GET health"] = (200, health(**more))
    code, findings, _ = told(capsys)
    (found,) = [each for each in findings if each["verdict"] == "finding"]
    assert (code, found["area"]) == (2, area)
    assert says in found["sentence"]
    assert remedy in found["remedies"][0]


def test_an_app_without_storage_or_with_another_key_is_found(shell, app, capsys, monkeypatch):
    app.answers["GET health"] = (503, {"status": "down", "reason": "Storage refuses us."})
    monkeypatch.setenv("BREAKWATER_KEY", "another")
    app.key = KEY
    code, findings, _ = told(capsys)
    assert code == 2
    assert ("key" in dict(to_mend(findings)), "another" in str(findings)) == (True, False)


def test_clocks_that_differ_are_told(shell, app, capsys):
    app.date = format_datetime(datetime.now(UTC) - timedelta(minutes=10), usegmt=True)
    code, findings, _ = told(capsys)
    ((area, sentence),) = to_mend(findings)
    assert (code, area) == (2, "clock")
    assert "10 minutes" in sentence


def test_without_an_app_a_subscription_or_a_policy_it_says_what_could_not_be_looked_at(capsys, monkeypatch):
    for name in (
        "BREAKWATER_PUBLIC_URL",
        "BREAKWATER_SUBSCRIPTIONS",
        "BREAKWATER_POLICY",
        "AzureWebJobsStorage",
    ):
        monkeypatch.delenv(name, raising=False)
    code, findings, _ = told(capsys)
    assert code == 3
    assert [area for area, _ in to_mend(findings, "unread")] == ["policy", "app", "rights"]
    assert all(each["remedies"] for each in findings if each["verdict"] == "unread")


def test_a_setting_that_is_wrong_is_named_without_its_value(shell, capsys, monkeypatch):
    monkeypatch.setenv("BREAKWATER_LINK_KEY", "short-secret")
    code, findings, said = told(capsys)
    assert code == 2
    assert "BREAKWATER_LINK_KEY" in dict(to_mend(findings))["settings"]
    assert "short-secret" not in said


def test_the_quarantine_is_told_with_the_commands_that_replay_it(shell, storage, capsys, monkeypatch):
    path = kept(storage)
    monkeypatch.setenv("AzureWebJobsStorage", storage)
    code, findings, said = told(capsys)
    (found,) = [each for each in findings if each["verdict"] == "finding"]
    assert (code, found["remedies"]) == (2, [f"breakwater replay {path}"])
    assert storage.partition("AccountKey=")[2].partition(";")[0] not in said


async def test_a_test_is_sent_through_each_channel_labelled_and_only_when_asked(shell, capsys, monkeypatch):
    async with TeamsInbox() as teams:
        secret = teams.url
        shell.write_text(
            "receivers:\n  ops: {teams: env:OPS, email: [ana@example.org]}\n  far: {teams: env:NONE}\n"
        )
        monkeypatch.setenv("OPS", secret)
        monkeypatch.setenv("BREAKWATER_MAIL_FROM", "breakwater@example.org")
        assert (await asyncio.to_thread(main, ["doctor", "--send-test"])) == 64
        assert "--yes" in capsys.readouterr().err
        assert teams.messages == []
        code, findings, said = await asyncio.to_thread(told, capsys, "--send-test", "--yes")
        assert code == 2
        assert len(teams.messages) == 1
        assert "TEST: this channel" in json.dumps(teams.messages[0].body)
    assert ("receivers", "teams of ops has taken the test.") in to_mend(findings, "well")
    (sentence,) = [sentence for _, sentence in to_mend(findings)]
    assert sentence.startswith("email of ops did not take the test")
    assert "far" in dict(to_mend(findings, "unread"))["receivers"]
    assert secret not in said
    assert PASSWORD not in said


def test_for_people_what_is_to_be_mended_stands_first_with_the_command_below_it(shell, azure, app, capsys):
    azure.fleet.world.alerting.rules.clear()
    assert main(["doctor"]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("1 thing to mend, 0 could not be looked at")
    assert lines[2] == "To mend"
    assert lines[3].startswith("alerts: No alert rule")
    assert lines[4].startswith("  az deployment sub create")
    assert f"{app.url}/api/alerts?code=KEY" in lines[4]
