"""Reading alerts: what counts, what is tolerated, what is refused."""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.wire.alert_facts import TEXT_LENGTH, TITLE_LENGTH
from handlers.wire.alerts import NotAnAlert, NotForUs, alert_hash, read_alert
from planner.azure.wave import Announcement, Stage
from tests.handlers.parts import NOW, SUBSCRIPTION, alert, body, event, sample


def read(raw) -> Announcement:
    found = read_alert(body(raw), NOW)
    assert isinstance(found, Announcement), found
    return found


def refusal(content: bytes) -> NotAnAlert:
    with pytest.raises(NotAnAlert) as caught:
        read_alert(content, NOW)
    assert caught.value.sentence
    return caught.value


@pytest.mark.parametrize("schema", ["common", "legacy"])
def test_both_schemas_give_the_same_announcement(schema):
    found = read(alert(schema))
    assert found.tracking_id == "VM12-3AB"
    assert found.subscription == SUBSCRIPTION
    assert found.communication_id == "11000000001"
    assert found.stage is Stage.PLANNED
    assert found.event_time == datetime(2026, 11, 22, 11, 49, 25, 373608, tzinfo=UTC)
    assert found.submitted_at == datetime(2026, 11, 22, 11, 49, 28, 786434, tzinfo=UTC)
    assert found.received_at == NOW
    assert found.regions == ("eastus2", "westeurope")
    assert found.services == ("Virtual Machines", "Virtual Machine Scale Sets", "Azure Synapse Analytics")
    assert found.impact_start == datetime(2026, 11, 25, tzinfo=UTC)
    assert found.impact_end == datetime(2026, 12, 20, tzinfo=UTC)
    assert found.level == "Informational"
    assert not found.emergency
    assert not found.found_by_search
    assert found.alert == alert_hash(body(alert(schema)))


@pytest.mark.parametrize(
    ("name", "test", "says"),
    [
        ("cas-activitylog-administrative-test-action-2025", False, "Administrative"),
        ("cas-servicehealth-test-action-2025", True, "test alert"),
        ("cas-servicehealth-maintenance-alertcontext-int-enums", False, "Azure Synapse Analytics"),
        ("legacy-servicehealth-incident", False, "Incident"),
    ],
)
def test_the_published_payloads_are_readable_and_not_for_us(name, test, says):
    found = read_alert(body(sample(name)), NOW)
    assert isinstance(found, NotForUs)
    assert found.test is test
    assert says in found.reason


def test_a_bare_alert_context_is_read_when_it_names_a_subscription():
    context = event(alert()) | {"subscriptionId": SUBSCRIPTION}
    assert read({"alertContext": context}).subscription == SUBSCRIPTION
    without = {key: value for key, value in context.items() if key != "subscriptionId"}
    assert "subscription" in refusal(body({"alertContext": without})).sentence


def test_what_the_search_stored_is_marked_as_found_by_it():
    raw = {"schemaId": "breakwater/search", "data": event(alert()) | {"subscriptionId": SUBSCRIPTION}}
    assert read(raw).found_by_search


def test_keys_are_read_in_any_casing_and_unknown_ones_ignored():
    def shout(value):
        if isinstance(value, dict):
            return {key.upper(): shout(one) for key, one in value.items()} | {"NEW_KEY": [1]}
        return value

    assert read(shout(alert())).tracking_id == "VM12-3AB"


@pytest.mark.parametrize("synthetic", [True, "True", "true", " TRUE "])
@pytest.mark.parametrize("key", ["IsSynthetic", "isSynthetic"])
def test_a_synthetic_alert_is_a_test_whatever_else_it_says(key, synthetic):
    found = read_alert(body(alert(**{"IsSynthetic": None} | {key: synthetic})), NOW)
    assert isinstance(found, NotForUs)
    assert found.test


@pytest.mark.parametrize("tracking_id", ["TEST-TTT", "ABC1-DEF"])
def test_the_test_buttons_tracking_ids_are_tests(tracking_id):
    found = read_alert(body(alert(trackingId=tracking_id)), NOW)
    assert isinstance(found, NotForUs)
    assert found.test


@pytest.mark.parametrize(
    ("level", "name", "emergency"),
    [
        (3, "Informational", False),
        (2, "Warning", True),
        ("Warning", "Warning", True),
        ("critical", "Critical", True),
        ("2", "Warning", True),
        (17, "Informational", False),
        (None, "Informational", False),
        (["x"], "Informational", False),
    ],
)
def test_levels_are_numbers_or_words(level, name, emergency):
    raw = alert()
    event(raw)["level"] = level
    found = read(raw)
    assert (found.level, found.emergency) == (name, emergency)


@pytest.mark.parametrize(
    ("text", "stage"),
    [
        ("InProgress", Stage.IN_PROGRESS),
        ("in progress", Stage.IN_PROGRESS),
        ("CANCELLED", Stage.CANCELED),
        ("Completed", Stage.COMPLETE),
        ("Rescheduled", Stage.RESCHEDULED),
        ("Postponed", Stage.ACTIVE),
        (None, Stage.ACTIVE),
    ],
)
def test_stages_are_read_leniently(text, stage):
    assert read(alert(stage=text)).stage is stage


def test_a_stage_that_cannot_be_read_is_resolved_when_the_event_is():
    raw = alert(stage=None)
    event(raw)["status"] = "Resolved"
    assert read(raw).stage is Stage.RESOLVED


VM = "Virtual Machines"


@pytest.mark.parametrize(
    ("service", "impacted", "regions"),
    [
        ("virtual machines", [{"RegionName": "uksouth"}], ("uksouth",)),
        ("VIRTUAL MACHINE  SCALE SETS", [{"RegionName": "UK South"}], ("uksouth",)),
        (VM, [{"RegionName": "Global"}], ()),
        (VM, [{"RegionName": "UK South"}, {"RegionName": "global"}], ()),
        (VM, [], ()),
        (VM, None, ()),
        (VM, "UK South", ("uksouth",)),
        (VM, ["UK South", "West Europe"], ("uksouth", "westeurope")),
        (VM, [{"RegionName": 5}], ()),
        (VM, [{"RegionName": "Strange", "RegionId": "uksouth"}], ("strange", "uksouth")),
        (VM, [{"RegionName": "East US (Zone 1)"}], ("eastus",)),
    ],
)
def test_regions_are_those_of_our_services_and_what_cannot_be_read_is_everywhere(service, impacted, regions):
    services = [{"ServiceName": service, "ImpactedRegions": impacted}]
    assert read(alert(impactedServices=services)).regions == regions
    assert read(alert(impactedServices=json.dumps(services))).regions == regions


@pytest.mark.parametrize("hostile", ["(" * 400_000, " " * 400_000 + "(", "(\n" * 200_000])
def test_a_hostile_name_costs_no_time(hostile):
    started = time.process_time()
    read(alert(impactedServices=[{"ServiceName": VM, "ImpactedRegions": [hostile, {"RegionName": hostile}]}]))
    read(
        alert(impactedServices=[{"ServiceName": VM}, {"ServiceName": hostile}], title=hostile, stage=hostile)
    )
    assert time.process_time() - started < 2


def test_a_wave_that_names_more_regions_than_there_are_means_all_of_them():
    many = [f"region {number}" for number in range(100_000)]
    assert read(alert(impactedServices=[{"ServiceName": VM, "ImpactedRegions": many}])).regions == ()


@pytest.mark.parametrize(
    "unreadable", ["{not json", "[" * 5000, 7, [7], [{"ServiceName": ["x"]}], {"a": 1}, [[]]]
)
def test_services_that_cannot_be_read_count_as_ours(unreadable):
    found = read(alert(impactedServices=unreadable))
    assert found.regions == ()


def test_without_a_list_of_services_the_single_one_counts():
    found = read(alert(impactedServices=None, service="Virtual Machines", region="UK South"))
    assert found.regions == ("uksouth",)
    assert read(alert(impactedServices="null", region="UK South")).regions == ("uksouth",)
    other = read_alert(body(alert(impactedServices=None, service="SQL Database")), NOW)
    assert isinstance(other, NotForUs)
    assert read(alert(impactedServices=None, service=None)).regions == ()


def test_an_unreadable_service_counts_as_ours_beside_a_readable_foreign_one():
    services = [{"ServiceName": "SQL Database", "ImpactedRegions": []}, {"Name": "?"}]
    assert read(alert(impactedServices=services)).regions == ()


def test_an_event_without_incident_type_is_judged_by_its_operation():
    assert read(alert(incidentType=None)).stage is Stage.PLANNED
    raw = alert(incidentType=None)
    event(raw)["operationName"] = "Microsoft.ServiceHealth/incident/action"
    assert isinstance(read_alert(body(raw), NOW), NotForUs)
    raw = alert(incidentType=None)
    event(raw)["operationName"] = None
    assert "incidentType" in refusal(body(raw)).sentence


@pytest.mark.parametrize("strange", [7, True, ["Maintenance"], {}, "", "PlannedMaintenance"])
def test_an_invalid_incident_type_leaves_it_to_the_operation(strange):
    assert read(alert(incidentType=strange)).stage is Stage.PLANNED


@pytest.mark.parametrize(
    "incident", ["Incident", "Security", "ActionRequired", "Informational", "Billing", "AssistedRecovery"]
)
def test_what_azure_calls_something_else_is_not_maintenance(incident):
    found = read_alert(body(alert(incidentType=incident)), NOW)
    assert isinstance(found, NotForUs)
    assert incident in found.reason


@pytest.mark.parametrize("strange", [None, 12, {"value": "x"}, "maintenance", "Somebody.Else/new/action"])
def test_an_operation_that_cannot_be_read_leaves_it_to_what_else_the_alert_says(strange):
    raw = alert()
    event(raw)["operationName"] = strange
    assert read(raw).stage is Stage.PLANNED
    raw = alert("legacy")
    event(raw)["operationName"] = strange
    assert read(raw).stage is Stage.PLANNED


@pytest.mark.parametrize("strange", [None, 12, "maintenance"])
def test_an_incident_type_alone_tells_service_health_from_the_others(strange):
    raw = alert()
    event(raw)["operationName"] = strange
    raw["data"]["essentials"]["monitoringService"] = 4
    assert read(raw).stage is Stage.PLANNED


@pytest.mark.parametrize("number", [7, 7.5, True])
def test_an_alert_whose_type_and_operation_cannot_be_read_is_refused_and_people_should_know(number):
    raw = alert(incidentType=number)
    event(raw)["operationName"] = number
    assert refusal(body(raw)).looks_like_one


@pytest.mark.parametrize("bad", ["", None, "a b", "a/../b", "x" * 65, "<GUID>", 7.5, {"a": 1}, ["A"]])
def test_an_invalid_tracking_id_is_refused_and_people_should_know(bad):
    refused = refusal(body(alert(trackingId=bad)))
    assert "tracking id" in refused.sentence
    assert refused.looks_like_one


def test_an_alert_without_subscription_is_refused():
    raw = alert()
    raw["data"]["essentials"].update(alertTargetIDs=["/subscriptions/nobody"], alertId=5)
    refused = refusal(body(raw))
    assert "subscription" in refused.sentence
    assert refused.tracking_id == "VM12-3AB"


def test_the_subscription_may_stand_in_the_alert_id():
    raw = alert()
    del raw["data"]["essentials"]["alertTargetIDs"]
    assert read(raw).subscription == SUBSCRIPTION


@pytest.mark.parametrize(
    ("given_time", "read_as"),
    [
        ("2026-11-22T10:00:00", datetime(2026, 11, 22, 10, tzinfo=UTC)),
        ("2026-11-22T10:00:00.1234567Z", datetime(2026, 11, 22, 10, 0, 0, 123456, tzinfo=UTC)),
        ("2026-11-22T10:00:00+02:00", datetime(2026, 11, 22, 8, tzinfo=UTC)),
        ("9999-12-31T23:59:59-14:00", datetime(2026, 11, 22, 11, 49, 28, 786434, tzinfo=UTC)),
        ("2126-01-01T00:00:00Z", NOW),
        ("0001-01-01T00:00:00+14:00", datetime(2026, 11, 22, 11, 49, 28, 786434, tzinfo=UTC)),
        (1732269600, datetime(2026, 11, 22, 11, 49, 28, 786434, tzinfo=UTC)),
    ],
)
def test_times_are_read_leniently_and_never_lie_in_the_future(given_time, read_as):
    raw = alert()
    event(raw)["eventTimestamp"] = given_time
    assert read(raw).event_time == read_as


def test_without_any_time_the_arrival_counts():
    raw = alert()
    for key in ("eventTimestamp", "submissionTimestamp"):
        event(raw)[key] = "soon"
    raw["data"]["essentials"]["firedDateTime"] = None
    assert read(raw).order == (NOW, NOW, NOW)


def test_texts_are_data_and_capped():
    found = read(alert(title="<script>alert(1)</script>\r\n" + "x" * 5000, communication="ü" * 30_000))
    assert found.title.startswith('"<script>alert(1)</script>')
    assert len(found.title) <= TITLE_LENGTH
    assert found.title.endswith("more characters.")
    assert found.text.startswith('"üü')
    quoted, _, note = found.text.rpartition("\n")
    assert len(quoted) == TEXT_LENGTH
    assert "Shortened" in note


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "body is empty"),
        (b"hello", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"null", "not a JSON object"),
        (b"{}", "schema"),
        (b"\xff\xfe", "UTF-8"),
        (b"[" * 200_000, "nested"),
        (b'{"a":' * 200_000, "nested"),
        (b'{"schemaId": "a", "schemaid": "b"}', "twice"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "Infinity"),
        (b'{"a": 1e999}', "too large"),
        (b'{"a": ' + b"9" * 6000 + b"}", "too large"),
        (b'{"a": "\\ud800"}', "surrogate"),
        (b'{"\\udfff": 1}', "surrogate"),
        (b'{"a": [[{"b": ["\\u0000"]}]]}', "NUL"),
        (b'{"schemaId": "azureMonitorCommonAlertSchema", "data": []}', "data"),
        (b'{"schemaId": "somebody/else", "data": {}}', "somebody/else"),
    ],
)
def test_what_is_not_an_alert_is_refused_with_a_sentence(content, says):
    assert says in refusal(content).sentence


@pytest.mark.parametrize("schema", ["common", "legacy"])
def test_people_should_know_of_an_alert_that_came_garbled(schema):
    whole = body(alert(schema, title="half a character: \ud83d"))
    for garbled in (whole, whole[:-20], whole.upper()[:200]):
        assert refusal(garbled).looks_like_one
    assert not refusal(b"{").looks_like_one


def test_a_byte_order_mark_is_no_obstacle():
    assert isinstance(read_alert(b"\xef\xbb\xbf" + body(alert()), NOW), Announcement)


def test_a_metric_alert_is_not_for_us():
    raw = {
        "schemaId": "azureMonitorCommonAlertSchema",
        "data": {"essentials": {"monitoringService": "Platform"}, "alertContext": {"condition": {}}},
    }
    found = read_alert(body(raw), NOW)
    assert isinstance(found, NotForUs)
    assert "Platform" in found.reason


TELLING = ["Maintenance", "2026-11-22T11:00:00Z", VM, SUBSCRIPTION, "\ud800", "[[", "{}", "\x00"]
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(TELLING),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def places(raw, path=()):
    """Every place of a JSON value, the root included."""
    yield path
    items = raw.items() if isinstance(raw, dict) else enumerate(raw) if isinstance(raw, list) else ()
    for key, value in items:
        yield from places(value, (*path, key))


def put(raw, path, value):
    if not path:
        return value
    inner = raw
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return raw


NAMES = [
    "common-maintenance-planned",
    "legacy-maintenance-planned",
    "cas-servicehealth-test-action-2025",
    "cas-servicehealth-maintenance-alertcontext-int-enums",
]


@given(st.data())
def test_whatever_stands_anywhere_in_an_alert_it_is_read_or_refused(data):
    raw = sample(data.draw(st.sampled_from(NAMES)))
    for _ in range(data.draw(st.integers(1, 3))):
        raw = put(raw, data.draw(st.sampled_from(list(places(raw)))), data.draw(anything))
    content = json.dumps(raw).encode()
    try:
        found = read_alert(content, NOW)
    except NotAnAlert as refused:
        assert refused.sentence
        return
    assert isinstance(found, Announcement | NotForUs)
    if isinstance(found, Announcement):
        assert found.event_time <= NOW + timedelta(minutes=5)
        assert len(found.title) <= TITLE_LENGTH
        json.dumps(found.text, ensure_ascii=False).encode()


@given(st.binary(max_size=200))
def test_whatever_the_bytes_it_is_read_or_refused(content):
    try:
        read_alert(content, NOW)
    except NotAnAlert as refused:
        assert refused.sentence
