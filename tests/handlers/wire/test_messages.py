"""What travels on the queues: versions, and what is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.wire.ids import ALERTS, NOTICES, QUEUES, RUNS, SCALE_SETS
from handlers.wire.messages import (
    AlertMessage,
    BadMessage,
    NewerMessage,
    NoticeMessage,
    RunMessage,
    ScaleSetMessage,
    arm_parts,
    parse,
)
from tests.handlers.parts import OTHER, SUBSCRIPTION, scale_set
from tests.places import SAMPLES


def sample(queue, version=1):
    return json.loads((SAMPLES / "messages" / f"v{version}" / f"{queue}.json").read_text())


@pytest.mark.parametrize("queue", QUEUES)
def test_the_messages_of_version_1_are_understood(queue):
    raw = sample(queue)
    message = parse(queue, json.dumps(raw))
    assert message.v == 1
    assert json.loads(message.model_dump_json(exclude_unset=True)) == raw, "newer fields may have joined"


@pytest.mark.parametrize("renew", ["", "*", scale_set("web").id])
def test_a_renewal_names_a_scale_set_or_all_of_them(renew):
    assert parse(ALERTS, json.dumps(sample(ALERTS) | {"renew": renew})).renew == renew


@pytest.mark.parametrize("renew", ["web", "**", scale_set("web").id + "/virtualMachines/0", 7])
def test_a_renewal_of_something_else_is_refused(renew):
    assert "renew" in refused(ALERTS, renew=renew)


@pytest.mark.parametrize("queue", QUEUES)
def test_unknown_fields_are_ignored(queue):
    raw = sample(queue)
    assert parse(queue, json.dumps(raw | {"new": {"x": 1}})) == parse(queue, json.dumps(raw))


@pytest.mark.parametrize("queue", QUEUES)
def test_a_newer_message_is_neither_understood_nor_bad(queue):
    for newer in (sample(queue) | {"v": 2}, {"v": 7, "something": "else"}):
        with pytest.raises(NewerMessage):
            parse(queue, json.dumps(newer))


@pytest.mark.parametrize("queue", QUEUES)
@pytest.mark.parametrize(
    "body", ["", "{}", "[]", "null", "{" * 5000, '{"v": "x"}', b"\xff", '"\\ud800"', "{}x"]
)
def test_a_message_that_is_not_ours_is_refused_with_a_sentence(queue, body):
    with pytest.raises(BadMessage, match=queue):
        parse(queue, body)


def refused(queue, **changes):
    with pytest.raises(BadMessage) as caught:
        parse(queue, json.dumps(sample(queue) | changes))
    return str(caught.value)


@pytest.mark.parametrize(
    "forged",
    [
        scale_set("web").id.replace(SUBSCRIPTION, OTHER),
        scale_set("web").id + "/virtualMachines/0",
        scale_set("web").id.replace("virtualMachineScaleSets", "virtualMachines"),
        scale_set("web").id.replace("Microsoft.Compute", "Microsoft.Other"),
        scale_set("web").id + "?x=1",
        scale_set("../../other").id,
        scale_set("web", group="a%2Fb").id,
        scale_set("web", group="..").id,
        scale_set("..").id,
        "https://example.org" + scale_set("web").id,
        scale_set("web").id + "\n",
        "",
        5,
    ],
)
def test_a_forged_scale_set_is_refused(forged):
    said = refused(SCALE_SETS, scale_set=forged)
    assert "scale_set: " in said or "not of this subscription" in said


def test_azure_compares_ids_without_regard_to_case():
    raw = sample(SCALE_SETS)
    raw |= {"scale_set": raw["scale_set"].upper(), "subscription": SUBSCRIPTION.upper()}
    assert parse(SCALE_SETS, json.dumps(raw)).subscription == SUBSCRIPTION.upper()


def test_the_parts_of_an_id_keep_their_spelling():
    assert arm_parts(scale_set("Web.1", group="Prod (EU)").id) == (SUBSCRIPTION, "Prod (EU)", "Web.1")
    with pytest.raises(ValueError, match="not the ARM id"):
        arm_parts("/subscriptions/x")


@pytest.mark.parametrize(
    ("queue", "changes"),
    [
        (ALERTS, {"alert": "A" * 64}),
        (ALERTS, {"alert": "../" + "a" * 61}),
        (ALERTS, {"tries": -1}),
        (SCALE_SETS, {"tracking_id": "a/b"}),
        (SCALE_SETS, {"subscription": "mine"}),
        (SCALE_SETS, {"reason": "because"}),
        (RUNS, {"resource_group": "a/b"}),
        (RUNS, {"resource_group": ".."}),
        (RUNS, {"resource_group": "\U0001f600" * 90}),
        (RUNS, {"name": ""}),
        (RUNS, {"name": "."}),
        (RUNS, {"name": "ü"}),
        (RUNS, {"generation": -1}),
        (RUNS, {"event": {"id": "1", "kind": "explode", "actor": "x", "at": "2026-11-22T00:00:00Z"}}),
        (RUNS, {"event": {"id": "1", "kind": "hold", "actor": "x", "at": "2026-11-22T00:00:00"}}),
        (RUNS, {"event": {"id": "1", "kind": "hold", "actor": "", "at": "2026-11-22T00:00:00Z"}}),
        (NOTICES, {"tracking_id": ""}),
        (NOTICES, {"kind": "spam"}),
    ],
)
def test_wrong_fields_are_named(queue, changes):
    said = refused(queue, **changes)
    assert next(iter(changes)) in said or "tracking id" in said


def test_a_refusal_does_not_repeat_what_came():
    assert "secret" not in refused(RUNS, name="secret/" * 20)


def test_a_message_stays_far_below_what_a_queue_carries():
    longest = ScaleSetMessage(
        tracking_id="T" * 64,
        subscription=SUBSCRIPTION,
        scale_set=scale_set("n" * 64, group="g" * 90).id,
        reason="announced",
        traceparent="0" * 200,
    )
    assert len(longest.model_dump_json()) < 1024


@given(st.binary(max_size=120) | st.text(max_size=120), st.sampled_from(QUEUES))
def test_whatever_comes_is_understood_or_refused(body, queue):
    try:
        message = parse(queue, body)
    except (BadMessage, NewerMessage):
        return
    assert isinstance(message, AlertMessage | ScaleSetMessage | RunMessage | NoticeMessage)
