"""The text of a log line says what happened, to which scale set of which wave, and why: text is all that arrives."""

import asyncio
import logging

import pytest

from handlers.failures import subject
from handlers.intake import hand_over
from handlers.log import NOISY, about, also, hush, logger
from handlers.stages import advance, plan
from handlers.wire.bundles import bundle_text
from handlers.wire.ids import RUNS, SCALE_SETS
from handlers.wire.messages import AlertMessage, NoticeMessage, RunMessage, ScaleSetMessage
from tests.handlers.parts import SUBSCRIPTION, Clock, TestWiring, scale_set
from tests.handlers.scene import TRACKING_ID, WEB

log = logger("handlers.tests")


@pytest.fixture(autouse=True)
def _heard(caplog):
    caplog.set_level(logging.INFO, logger="handlers")


def test_details_stand_in_the_text_on_one_line_and_in_extra_for_telemetry(caplog):
    log.info("run.advanced", extra={"why": "It waits\nfor Sunday.", "state": "scheduled", "limit": ""})
    (record,) = caplog.records
    assert record.getMessage() == 'run.advanced why="It waits for Sunday." state=scheduled'
    assert record.why == "It waits\nfor Sunday."


def test_a_percent_sign_from_outside_is_text(caplog):
    log.info("run.advanced", extra={"why": "50 % are down: %s %d"})
    assert '"50 % are down: %s %d"' in caplog.records[0].getMessage()


def test_text_from_outside_cannot_fill_the_log(caplog):
    log.info("run.advanced", extra={"why": "x" * 100_000})
    assert len(caplog.records[0].getMessage()) < 400


def test_what_the_work_is_about_is_said_by_every_line_of_it_and_by_none_after_it(caplog):
    with about(scale_set="rg/web"):
        log.info("one")
        also(wave="VM1")
        with about(run="runs/web.json"):
            log.info("two")
        log.info("three")
    log.info("four")
    assert [record.getMessage() for record in caplog.records] == [
        "one scale_set=rg/web",
        "two scale_set=rg/web wave=VM1 run=runs/web.json",
        "three scale_set=rg/web wave=VM1",
        "four",
    ]


async def test_work_side_by_side_does_not_mix_up_what_it_is_about(caplog):
    async def work(name):
        with about(scale_set=name):
            await asyncio.sleep(0)
            also(wave=f"of-{name}")
            await asyncio.sleep(0)
            log.info("done")

    await asyncio.gather(*(work(name) for name in "abc"))
    said = sorted(record.getMessage() for record in caplog.records)
    assert said == [f"done scale_set={name} wave=of-{name}" for name in "abc"]


def test_each_message_says_what_it_is_about():
    place = {"subscription": SUBSCRIPTION, "resource_group": "Prod-RG", "name": "web"}
    arm_id = scale_set("web").id
    path = f"runs/{SUBSCRIPTION}/prod-rg/web.json"
    assert subject.of(RunMessage(**place, generation=1)) == {"scale_set": "Prod-RG/web", "run": path}
    planned = ScaleSetMessage(
        tracking_id="VM1", subscription=SUBSCRIPTION, scale_set=arm_id, reason="announced"
    )
    assert subject.of(planned) == {"wave": "VM1", "scale_set": "Prod-RG/web", "run": path}
    assert subject.of(AlertMessage(alert="a" * 64)) == {"alert": "a" * 64}
    assert subject.of(NoticeMessage(tracking_id="VM1", kind="wave")) == {"wave": "VM1"}


@pytest.mark.parametrize("bundled", [False, True])
async def test_a_poll_says_the_wave_the_scale_set_the_run_and_why(scene, caplog, bundled):
    message = await scene.ready()
    body = bundle_text([message, message]) if bundled else message.model_dump_json()
    await hand_over(RUNS, body.encode(), advance.handle, scene.wiring)
    (said, *_) = [text for one in caplog.records if (text := one.getMessage()).startswith("run.advanced")]
    for part in ("scale_set=rg-breakwater/web", f"run={WEB}", f"wave={TRACKING_ID}", "state=running", "why="):
        assert part in said


async def test_a_message_that_fails_in_a_bundle_says_what_it_was_about(storage, caplog):
    wiring = TestWiring(storage, Clock())
    one = ScaleSetMessage(
        tracking_id="VM1", subscription=SUBSCRIPTION, scale_set=scale_set("web").id, reason="announced"
    )
    await hand_over(SCALE_SETS, bundle_text([one, one]).encode(), plan.handle, wiring)
    (said, *_) = [record.getMessage() for record in caplog.records]
    assert said.startswith("bundle.failed wave=VM1 scale_set=Prod-RG/web run=runs/")
    await wiring.close()


def test_the_sdks_are_quiet_unless_something_is_wrong(caplog):
    hush()
    caplog.set_level(logging.DEBUG)
    sdk = logging.getLogger("azure.core.pipeline.policies.http_logging_policy")
    sdk.info("Request URL: https://management.azure.com/")
    sdk.warning("Retrying")
    assert [record.getMessage() for record in caplog.records] == ["Retrying"]
    assert NOISY == ("azure",)
