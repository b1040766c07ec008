"""Messages that travel together: what a bundle is, and what is none."""

import json

import pytest

from handlers.wire.bundles import MOST, bundle_text, parse_all, texts_in
from handlers.wire.ids import ALERTS, NOTICES, QUEUES, RUNS, SCALE_SETS
from handlers.wire.messages import BadMessage, NewerMessage, RunMessage, ScaleSetMessage, parse
from tests.handlers.parts import SUBSCRIPTION, scale_set
from tests.places import SAMPLES

BUNDLED = (SCALE_SETS, RUNS)
LONGEST_OF_A_QUEUE = 48 * 1024
"""Bytes of text that fit into a queue message of 64 KiB as base64."""


def sample(queue: str) -> str:
    return (SAMPLES / "messages" / "v2" / f"{queue}.json").read_text("utf-8")


@pytest.mark.parametrize("queue", BUNDLED)
def test_the_bundles_of_version_2_are_understood(queue) -> None:
    bundle = parse_all(queue, texts_in(queue, sample(queue)))
    assert len(bundle.messages) == 2
    assert {message.v for message in bundle.messages} == {1}


@pytest.mark.parametrize("queue", BUNDLED)
def test_what_is_put_together_comes_apart_as_it_was(queue) -> None:
    messages = parse_all(queue, texts_in(queue, sample(queue))).messages
    text = bundle_text(messages)
    assert parse_all(queue, texts_in(queue, text)).messages == messages
    assert texts_in(queue, text) == tuple(message.model_dump_json() for message in messages)


@pytest.mark.parametrize("queue", BUNDLED)
def test_a_host_that_knows_no_bundles_takes_one_for_a_newer_message(queue) -> None:
    with pytest.raises(NewerMessage):
        parse(queue, sample(queue))


@pytest.mark.parametrize("queue", QUEUES)
@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"v": 2, "messages": []}', '{"v": 2, "messages": {}}', '{"messages": 7}']
)
def test_what_is_no_bundle_is_none(queue, text: str) -> None:
    assert texts_in(queue, text) == ()


def test_a_bundle_of_a_later_version_and_one_on_another_queue_are_none() -> None:
    assert texts_in(RUNS, json.dumps(json.loads(sample(RUNS)) | {"v": 3})) == ()
    assert texts_in(ALERTS, sample(RUNS)) == texts_in(NOTICES, sample(RUNS)) == ()


def test_one_forged_message_spoils_the_bundle_but_not_the_others_in_it() -> None:
    raw = json.loads(sample(SCALE_SETS))
    raw["messages"][0]["scale_set"] = "/subscriptions/x"
    bad, good = texts_in(SCALE_SETS, json.dumps(raw))
    with pytest.raises(BadMessage):
        parse_all(SCALE_SETS, (bad, good))
    assert len(parse_all(SCALE_SETS, (good,)).messages) == 1


def test_the_largest_bundle_fits_on_a_queue() -> None:
    group, name = "\U0001f600" * 70, "n" * 80
    plan = ScaleSetMessage(
        tracking_id="T" * 64,
        subscription=SUBSCRIPTION,
        scale_set=scale_set(name, group=group).id,
        reason="announced",
        traceparent="0" * 200,
    )
    poll = RunMessage(subscription=SUBSCRIPTION, resource_group=group, name=name, generation=10**6)
    for message in (plan, poll):
        assert len(bundle_text([message] * MOST).encode()) < LONGEST_OF_A_QUEUE
