"""Every function of the app ends by itself at half of `functionTimeout`, whatever its stage waits for."""

import asyncio
import json
from datetime import timedelta
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType
from typing import Any

import azure.functions as func
import pytest

from handlers import deadline
from handlers.channels import email_acs, email_smtp, http
from handlers.cloud import arm, compute, lookups, storage
from handlers.cloud.memory import MemoryQueues, MemoryRecords
from handlers.delivery.deliver import SEND_WITHIN
from handlers.failures import lives
from handlers.failures.bundles import BEGUN_WITHIN
from handlers.runs.observe_azure import WORTH_BEGINNING
from handlers.stages import (
    advance,
    bury,
    discover,
    drill,
    health,
    link,
    notify,
    plan,
    receive,
    report,
    respond,
    respond_wave,
    sweep,
)
from handlers.wire.settings import Settings
from handlers.wiring import Wiring
from tests.handlers.test_intake import GOOD
from tests.places import ROOT
from tests.virtual import elapsed, never, now, played

ALLOWED = deadline.function_timeout(ROOT / "host.json", {})
HALF = ALLOWED / 2


def own_copy() -> ModuleType:
    """The app's module for these tests alone: an app lists its functions once, and other tests have it listed."""
    spec = spec_from_file_location("functions_that_end", ROOT / "function_app.py")
    assert spec is not None
    assert spec.loader is not None
    made = module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


function_app = own_copy()
FUNCTIONS = {one.get_function_name(): one for one in function_app.app.get_functions()}
STAGES = (
    advance, discover, drill, health, link, notify, plan, receive, report, respond, respond_wave, sweep
)  # fmt: skip


class Given:
    """What a trigger hands over: a message that is tried for the first time, or a request."""

    dequeue_count = 1

    def __init__(self, body: bytes) -> None:
        self._body = body

    def get_body(self) -> bytes:
        return self._body


def trigger(name: str) -> Any:
    settings = FUNCTIONS[name].get_trigger().get_dict_repr()
    if settings["type"].endswith("queueTrigger"):
        return Given(GOOD[settings["queueName"]].model_dump_json().encode())
    if settings["type"].endswith("timerTrigger"):
        return object()
    return func.HttpRequest("POST", "https://app.example/api/x", params={}, route_params={}, body=b"{}")


async def ended(name: str) -> tuple[timedelta, Any, Wiring]:
    """How long the function took whose stage never ends, and its answer."""
    wiring = Wiring(Settings(AzureWebJobsStorage="UseDevelopmentStorage=true"), now)
    wiring.__dict__.update(records=MemoryRecords(now), queues=MemoryQueues(now))
    with pytest.MonkeyPatch.context() as patch:
        for stage in STAGES:
            patch.setattr(stage, "handle", never)
        patch.setattr(bury, "drain", never)
        patch.setattr(function_app, "wiring", lambda: wiring)
        try:
            async with asyncio.timeout(ALLOWED.total_seconds()):
                answer = await FUNCTIONS[name].get_user_function()(trigger(name))
        except deadline.OutOfTime as error:
            answer = error
    return elapsed(), answer, wiring


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_it_ends_at_half_of_what_the_host_allows_and_nothing_is_lost(name: str) -> None:
    took, answer, wiring = played(ended(name))
    kind = FUNCTIONS[name].get_trigger().get_dict_repr()["type"]
    assert took <= HALF
    if kind.endswith("httpTrigger"):
        assert answer.status_code == 503
        assert "Try again in a minute" in json.loads(answer.get_body())["reason"]
        assert took < timedelta(seconds=230), "Azure's load balancer would have hung up"
    elif kind.endswith("queueTrigger"):
        (waiting,) = wiring.queues.waiting
        queue = FUNCTIONS[name].get_trigger().get_dict_repr()["queueName"]
        assert waiting.queue == queue
        assert json.loads(waiting.text) == json.loads(GOOD[queue].model_dump_json()) | {"lives": 1}
    else:
        assert isinstance(answer, deadline.OutOfTime)


PATIENCE = storage.PATIENCE
STORAGE = (PATIENCE["connection_timeout"] + PATIENCE["read_timeout"] + 1) * (PATIENCE["retry_total"] + 1)


@pytest.mark.parametrize(
    "spent",
    [
        timedelta(seconds=STORAGE),
        timedelta(seconds=arm.READ_SECONDS + 10) * 3,
        timedelta(seconds=arm.PAGE_SECONDS) * arm.PAGE_TRIES,
        arm.LISTING_WITHIN,
        lookups.LISTS_WITHIN + lookups.MACHINES_WITHIN,
        timedelta(seconds=compute.ONE_ATTEMPT["read_timeout"]),
        timedelta(seconds=http.SECONDS),
        timedelta(seconds=email_smtp.SECONDS),
        timedelta(seconds=email_acs.WATCHED_SECONDS),
        SEND_WITHIN + timedelta(seconds=STORAGE),
        BEGUN_WITHIN + WORTH_BEGINNING,
    ],
)
def test_no_call_to_the_outside_may_take_as_long_as_its_function(spent: timedelta) -> None:
    assert spent < HALF - deadline.RESERVE


def test_one_listing_of_five_minutes_leaves_a_poll_time_for_the_rest() -> None:
    assert timedelta(minutes=5) < arm.LISTING_WITHIN
    assert arm.LISTING_WITHIN + timedelta(minutes=1) <= HALF - deadline.RESERVE
    assert lives.CUT_WAIT < HALF


@pytest.mark.parametrize(
    ("said", "allowed"),
    [
        ("00:15:00", timedelta(minutes=15)),
        ("1.02:00:00", timedelta(hours=26)),
        ("-1", 2 * deadline.UNLIMITED),
        ("soon", deadline.UNKNOWN),
        ("", deadline.UNKNOWN),
    ],
)
def test_how_long_the_host_allows_is_read_as_the_host_reads_it(
    said: str, allowed: timedelta, tmp_path
) -> None:
    host = tmp_path / "host.json"
    host.write_text(json.dumps({"functionTimeout": said} if said else {}))
    assert deadline.function_timeout(host, {}) == allowed
    assert deadline.function_timeout(host, {deadline.OVERRIDE: "00:03:00"}) == timedelta(minutes=3)
    assert deadline.function_timeout(tmp_path / "none.json", {}) == deadline.UNKNOWN
