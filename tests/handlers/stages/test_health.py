"""health: 200 with the figures while storage answers, 503 with the sentence otherwise."""

import asyncio
import json

import pytest

from handlers.cloud.names import SWEEP_STATE
from handlers.cloud.records import Records
from handlers.stages import bury, health, sweep
from handlers.wire.ids import RUNS
from handlers.wire.messages import RunMessage
from planner.policy.model import Policy
from tests.handlers.parts import SUBSCRIPTION, Clock, TestWiring


async def seen(wiring):
    answer = await health.handle(wiring)
    return answer.status, json.loads(answer.body)


async def test_an_empty_account_is_healthy(wiring):
    status, said = await seen(wiring)
    assert status == 200
    assert said["status"] == "ok"
    assert set(said["queues"].values()) == {0}
    assert said["queues"].keys() >= {"alerts", "runs-poison"}
    assert (said["quarantine"], said["last_sweep"], said["stopped"]) == (0, None, False)


async def test_depths_quarantine_and_the_last_sweep_are_shown(wiring):
    message = RunMessage(subscription=SUBSCRIPTION, resource_group="g", name="n", generation=1)
    await wiring.queues.send(RUNS, message)
    await bury.handle(RUNS, "garbage", wiring)
    await sweep.handle(wiring)
    status, said = await seen(wiring)
    assert status == 200
    assert said["queues"]["runs"] == 1
    assert said["quarantine"] == 1
    assert said["last_sweep"] == "2026-11-22T12:00:00Z"


async def test_a_stop_is_shown_with_its_reason(wiring):
    wiring.settings = wiring.settings.model_copy(update={"stop": True})
    status, said = await seen(wiring)
    assert (status, said["status"], said["stopped"]) == (200, "stopped", True)
    assert "BREAKWATER_STOP" in said["stopped_by"]


async def test_a_wrong_setting_stops_and_says_which(wiring):
    wiring.settings = wiring.settings.model_copy(update={"problem": "BREAKWATER_POLL_INTERVAL: no number."})
    status, said = await seen(wiring)
    assert (status, said["status"]) == (200, "stopped")
    assert "BREAKWATER_POLL_INTERVAL" in said["stopped_by"]


async def test_a_policy_that_cannot_be_read_stops_and_says_so(wiring):
    wiring.rules = Policy(problem="Line 3 is no rule.")
    _, said = await seen(wiring)
    assert said["stopped"] is True
    assert said["policy_problem"] == "Line 3 is no rule."


@pytest.mark.parametrize("broken", [b"{", b"[]", b""])
async def test_a_broken_state_of_the_sweep_does_not_make_it_ill(wiring, broken):
    await wiring.records.create(SWEEP_STATE, broken)
    status, said = await seen(wiring)
    assert (status, said["last_sweep"]) == (200, None)


async def test_dead_storage_is_503_in_time_with_a_sentence():
    dead = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YQ==;BlobEndpoint=http://127.0.0.1:1/a;"
    wiring = TestWiring(dead + "QueueEndpoint=http://127.0.0.1:1/a;", Clock())
    status, said = await seen(wiring)
    assert status == 503
    assert "storage cannot be reached" in said["reason"]
    await wiring.close()


async def test_storage_that_never_answers_is_503_in_time(wiring, monkeypatch):
    async def silent(*args):
        await asyncio.Event().wait()

    monkeypatch.setattr(Records, "list", silent)
    monkeypatch.setattr(health, "LONGEST_SECONDS", 0.01)
    status, said = await asyncio.wait_for(seen(wiring), timeout=5)
    assert status == 503
    assert "has not answered" in said["reason"]
