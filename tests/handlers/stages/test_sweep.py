"""sweep: what was lost is sent again, once per patience.

Storage stamps documents with the time it is, so these tests begin now and let their clock run ahead.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from handlers.cloud.errors import Unreachable
from handlers.cloud.names import CLAIMS_PREFIX, SWEEP_STATE, claim_path, delivery_path, wave_path
from handlers.cloud.records import Records, StorageDown
from handlers.runs import queue
from handlers.stages import discover, receive, sweep
from handlers.wire.documents import encode
from handlers.wire.http import Request
from handlers.wire.ids import ALERTS, NOTICES, RUNS
from planner.notices.delivery import ChannelState, Delivery
from planner.policy.model import Limits
from planner.record.batch import Batch
from planner.record.cause import Cause
from planner.record.notice import Kind, Notice, Urgency
from planner.record.run import Run
from planner.record.states import ENDED, RunState
from planner.record.waits import Stalled, Waited
from tests.handlers.parts import (
    SUBSCRIPTION,
    alert,
    body,
    digest,
    put,
    run,
    state,
)


@pytest.fixture
def wiring(wiring_at_present):
    return wiring_at_present


async def test_a_sweep_over_nothing_leaves_its_time(wiring):
    await sweep.handle(wiring)
    assert datetime.fromisoformat((await state(wiring))["swept_at"]) == wiring.now()


async def test_a_run_overdue_by_three_poll_intervals_is_polled_once_per_grace(wiring):
    await put(wiring, run(due=wiring.now(), generation=7))
    wiring.clock.forward(seconds=179)
    await sweep.handle(wiring)
    assert not wiring.spy.of(RUNS)
    wiring.clock.forward(seconds=2)
    await sweep.handle(wiring)
    await sweep.handle(wiring)
    (sent,) = wiring.spy.of(RUNS)
    assert (sent.subscription, sent.resource_group, sent.name) == (SUBSCRIPTION, "Prod-RG", "web")
    assert (sent.generation, sent.event) == (7, None)
    wiring.clock.forward(seconds=181)
    await sweep.handle(wiring)
    assert len(wiring.spy.of(RUNS)) == 2


def asleep(due: datetime) -> Run:
    """A run that waits for a limit and means to be polled at `due`."""
    sleeper = run("web", due=due, generation=7)
    held = Stalled(Cause.LIMIT, "5 are in flight", due, waited=(Waited(Cause.LIMIT, due),))
    return replace(sleeper, standing=replace(sleeper.standing, stalled=held))


async def test_a_run_whose_turn_has_come_is_woken_though_it_meant_to_sleep_on(wiring):
    await put(wiring, asleep(wiring.now() + timedelta(hours=12)))
    await sweep.handle(wiring)
    (sent,) = wiring.spy.of(RUNS)
    assert (sent.name, sent.generation, sent.wake) == ("web", 7, True)


async def test_whoever_has_no_turn_yet_is_polled_soon_or_waits_for_something_else_sleeps_on(wiring):
    later = wiring.now() + timedelta(hours=12)
    flying = run("db", state=RunState.RUNNING, due=later, forecast_end=later)
    await put(wiring, replace(flying, batches=(replace(flying.batches[0], started_at=wiring.now()),)))
    wiring.rules = replace(wiring.rules, limits=Limits(scale_sets=1))
    await put(wiring, asleep(later))
    await sweep.handle(wiring)
    wiring.rules = replace(wiring.rules, limits=Limits(scale_sets=2))
    await put(wiring, asleep(wiring.now() + timedelta(minutes=1)))
    await sweep.handle(wiring)
    await put(wiring, run("web", due=later))
    await sweep.handle(wiring)
    assert not wiring.spy.of(RUNS)
    await put(wiring, asleep(later))
    await sweep.handle(wiring)
    assert len(wiring.spy.of(RUNS)) == 1


async def test_while_as_much_is_in_flight_as_may_be_no_place_is_laid(wiring, monkeypatch):
    laid: list[str] = []

    async def noted(subscription, _):
        laid.append(subscription)

    monkeypatch.setattr(queue, "wake", noted)
    later = wiring.now() + timedelta(hours=12)
    flying = run("db", state=RunState.RUNNING, due=later, forecast_end=later)
    begun = replace(flying, batches=(replace(flying.batches[0], started_at=wiring.now()),))
    await put(wiring, begun)
    await put(wiring, asleep(later))
    wiring.rules = replace(wiring.rules, limits=Limits(scale_sets=1))
    await sweep.handle(wiring)
    assert laid == []
    # Whoever lets the others pass takes up no place, nor does one that is over.
    await put(wiring, replace(begun, people=replace(begun.people, lets_pass=True)))
    await sweep.handle(wiring)
    await put(wiring, replace(begun, state=RunState.COMPLETED, ended_at=wiring.now()))
    await sweep.handle(wiring)
    assert laid == [SUBSCRIPTION] * 2


async def test_a_run_whose_polls_take_minutes_is_given_them_before_its_poll_counts_as_lost(wiring):
    await put(wiring, run(due=wiring.now(), generation=7, reading=timedelta(minutes=5)))
    wiring.clock.forward(seconds=300 + 179)
    await sweep.handle(wiring)
    assert not wiring.spy.of(RUNS)
    wiring.clock.forward(seconds=2)
    await sweep.handle(wiring)
    assert len(wiring.spy.of(RUNS)) == 1


@pytest.mark.parametrize(
    ("run_state", "sent"),
    [
        (RunState.RUNNING, 1),
        (RunState.PAUSED, 1),
        (RunState.AWAITING_APPROVAL, 1),
        (RunState.LEFT_TO_AZURE, 1),
        (RunState.NOT_IMPACTED, 1),
        (RunState.COMPLETED, 0),
        (RunState.CANCELLED, 0),
        (RunState.MISSED, 0),
    ],
)
async def test_only_a_run_that_is_over_is_left_alone(wiring, run_state, sent):
    over = wiring.now() - timedelta(days=2) if run_state in ENDED else None
    await put(wiring, run(due=wiring.now() - timedelta(days=1), state=run_state, ended_at=over))
    await sweep.handle(wiring)
    assert len(wiring.spy.of(RUNS)) == sent


@pytest.mark.parametrize(("ago", "sent"), [(timedelta(hours=1), 1), (timedelta(hours=-1), 0)])
async def test_an_ended_run_whose_poll_did_not_come_is_polled_again(wiring, ago, sent):
    at = wiring.now() - ago
    over = wiring.now() - timedelta(days=2)
    await put(wiring, run(due=at, recheck=at, state=RunState.COMPLETED, ended_at=over))
    await sweep.handle(wiring)
    assert len(wiring.spy.of(RUNS)) == sent


async def test_a_line_that_cannot_be_read_does_not_hide_the_others(wiring):
    await wiring.records.create("runs/a/b/broken.json", b"{", {"due": "soon"})
    await wiring.records.create("runs/nowhere.json", b"{}", {"due": "2020-01-01T00:00:00Z"})
    await put(wiring, run(due=wiring.now() - timedelta(hours=1)))
    await sweep.handle(wiring)
    assert [message.name for message in wiring.spy.of(RUNS)] == ["web"]


async def test_a_line_without_a_readable_notice_does_not_hide_the_others(wiring):
    await wiring.records.create("runs/a/b/broken.json", b"{", {"waves": "A", "last_notice": "many"})
    await put(wiring, noticed(wiring))
    wiring.clock.forward(minutes=5)
    await sweep.handle(wiring)
    assert [notice.tracking_id for notice in wiring.spy.of(NOTICES)] == ["VM12-3AB"]
    assert (await state(wiring))["swept_at"]


async def test_an_alert_of_two_months_ago_is_of_no_use_to_anybody(wiring):
    await receive.handle(Request("POST", body=body(alert())), wiring)
    wiring.spy.forget()
    wiring.clock.forward(days=60, minutes=1)
    await sweep.handle(wiring)
    assert not wiring.spy.of(ALERTS)


async def test_an_alert_that_was_never_discovered_is_queued_again_at_growing_distances(wiring):
    content = body(alert())
    await receive.handle(Request("POST", body=content), wiring)
    wiring.spy.forget()
    await sweep.handle(wiring)
    assert not wiring.spy.of(ALERTS)
    sent_after = []
    for minute in range(240):
        wiring.clock.forward(minutes=1)
        await sweep.handle(wiring)
        if len(wiring.spy.of(ALERTS)) > len(sent_after):
            sent_after.append(minute)
    assert {message.alert for message in wiring.spy.of(ALERTS)} == {digest(content)}
    distances = [b - a for a, b in pairwise(sent_after)]
    assert distances == [6, 12, 24, 48, 60, 60]


async def test_an_alert_sent_again_ends_and_tells_nobody_while_azure_is_down(wiring):
    await receive.handle(Request("POST", body=body(alert())), wiring)
    wiring.clock.forward(minutes=4)
    await sweep.handle(wiring)
    (again,) = wiring.spy.of(ALERTS)[1:]
    wiring.fake.trouble = Unreachable("Azure answered 503.")
    await discover.handle(again, wiring)
    assert len(wiring.spy.of(ALERTS)) == 2
    assert not wiring.spy.of(NOTICES)


async def test_while_azure_puts_the_subscription_off_no_alert_counts_as_lost(wiring):
    await receive.handle(Request("POST", body=body(alert())), wiring)
    wiring.spy.forget()
    await wiring.retry_after(SUBSCRIPTION).learned(wiring.now() + timedelta(hours=2))
    for minutes in (60, 60, 2):
        wiring.clock.forward(minutes=minutes)
        await sweep.handle(wiring)
    assert wiring.spy.of(ALERTS) == []
    wiring.clock.forward(minutes=2)
    await sweep.handle(wiring)
    assert len(wiring.spy.of(ALERTS)) == 1


async def test_a_discovered_alert_and_a_test_alert_are_left_alone(wiring):
    await receive.handle(Request("POST", body=body(alert())), wiring)
    await discover.handle(wiring.spy.of(ALERTS)[0], wiring)
    await discover.handle(wiring.spy.of(ALERTS)[1], wiring)
    await receive.handle(Request("POST", body=body(alert(IsSynthetic=True))), wiring)
    wiring.spy.forget()
    wiring.clock.forward(hours=1)
    await sweep.handle(wiring)
    assert [message.relist for message in wiring.spy.of(ALERTS)] == [True], (
        "but for the wave's second listing"
    )


async def test_a_broken_wave_record_does_not_fail_the_sweep(wiring):
    await receive.handle(Request("POST", body=body(alert())), wiring)
    await wiring.records.create(wave_path("VM12-3AB", SUBSCRIPTION), b"{")
    await put(wiring, run(due=wiring.now()))
    wiring.clock.forward(hours=1)
    wiring.spy.forget()
    await sweep.handle(wiring)
    assert not wiring.spy.of(ALERTS)
    assert len(wiring.spy.of(RUNS)) == 1


def noticed(wiring, **more):
    notice = Notice(1, wiring.now(), Kind.PLANNED, Urgency.KNOW, "Two starts.")
    return run(due=wiring.now() + timedelta(days=9), notices=(notice,), **more)


async def test_untold_notices_are_asked_for_once_per_patience(wiring):
    path = await put(wiring, noticed(wiring))
    await sweep.handle(wiring)
    assert not wiring.spy.of(NOTICES)
    wiring.clock.forward(minutes=5)
    await sweep.handle(wiring)
    await sweep.handle(wiring)
    (asked,) = wiring.spy.of(NOTICES)
    assert (asked.kind, asked.tracking_id) == ("wave", "VM12-3AB")
    told = Delivery("VM12-3AB", "ops", {"teams": ChannelState({path: 1})})
    await wiring.records.create(delivery_path("VM12-3AB", "ops"), encode(told))
    wiring.clock.forward(minutes=5)
    await sweep.handle(wiring)
    assert len(wiring.spy.of(NOTICES)) == 1


async def test_a_notice_that_is_about_to_be_told_is_not_asked_for(wiring):
    await put(wiring, noticed(wiring, receiver="ops"))
    wiring.clock.forward(minutes=5)
    coming = Delivery(
        "VM12-3AB", "ops", {"teams": ChannelState()}, follow_up=wiring.now() + timedelta(minutes=1)
    )
    await wiring.records.create(delivery_path("VM12-3AB", "ops"), encode(coming))
    await sweep.handle(wiring)
    assert not wiring.spy.of(NOTICES)
    wiring.clock.forward(minutes=5)
    await sweep.handle(wiring)
    assert len(wiring.spy.of(NOTICES)) == 1


async def test_notices_of_a_run_are_told_under_its_first_wave_only(wiring):
    await put(wiring, noticed(wiring, waves=("FIRST", "SECOND")))
    wiring.clock.forward(minutes=5)
    await sweep.handle(wiring)
    assert [notice.tracking_id for notice in wiring.spy.of(NOTICES)] == ["FIRST"]


async def test_a_run_without_notices_asks_for_nothing(wiring):
    await put(wiring, run(due=wiring.now() + timedelta(days=9)))
    wiring.clock.forward(minutes=5)
    await sweep.handle(wiring)
    assert not wiring.spy.of(NOTICES)


async def claimed(wiring, name):
    await wiring.records.create(claim_path(SUBSCRIPTION, "Prod-RG", name), b"{}")


async def test_claims_of_runs_that_are_over_or_gone_are_removed_and_the_others_kept(wiring):
    due = wiring.now() + timedelta(days=9)
    for name, run_state in [
        ("done", RunState.COMPLETED), ("left", RunState.LEFT_TO_AZURE), ("paused", RunState.PAUSED),
        ("running", RunState.RUNNING),
    ]:  # fmt: skip
        await put(wiring, run(name, due=due, state=run_state))
        await claimed(wiring, name)
    for name, started in (("joined", wiring.now()), ("fresh", None)):
        batch = Batch(1, "domain 0", (), started_at=started)
        await put(wiring, run(name, due=due, state=RunState.AWAITING_APPROVAL, batches=(batch,)))
        await claimed(wiring, name)
    begun = Batch(1, "domain 0", (), started_at=wiring.now())
    passed = run("passed", due=due, state=RunState.PAUSED, batches=(begun,))
    await put(wiring, replace(passed, people=replace(passed.people, lets_pass=True)))
    await claimed(wiring, "passed")
    await claimed(wiring, "gone")
    await sweep.handle(wiring)
    assert len(await wiring.records.list(CLAIMS_PREFIX)) == 8
    wiring.clock.forward(minutes=5)
    await sweep.handle(wiring)
    left = [line.path.rpartition("/")[2] for line in await wiring.records.list(CLAIMS_PREFIX)]
    assert left == ["joined", "paused", "running"]


async def test_a_claim_that_is_renewed_meanwhile_stays(wiring, monkeypatch):
    path = claim_path(SUBSCRIPTION, "Prod-RG", "gone")
    await wiring.records.create(path, b"{}")
    wiring.clock.forward(minutes=5)
    delete = Records.delete

    async def renewed_first(records, where, **more):
        (line,) = await records.list(CLAIMS_PREFIX)
        await records.write(where, b"{}", etag=line.etag)
        await delete(records, where, **more)

    monkeypatch.setattr(Records, "delete", renewed_first)
    await sweep.handle(wiring)
    assert [line.path for line in await wiring.records.list(CLAIMS_PREFIX)] == [path]


async def test_storage_that_fails_fails_the_sweep(wiring, monkeypatch):
    async def down(*args):
        raise StorageDown("Storage does not answer.")

    monkeypatch.setattr(Records, "list", down)
    with pytest.raises(StorageDown):
        await sweep.handle(wiring)


@pytest.mark.parametrize("broken", [b"{", b'{"sent": 5}', b"[]"])
async def test_a_broken_state_is_begun_again(wiring, broken):
    await wiring.records.create(SWEEP_STATE, broken)
    await sweep.handle(wiring)
    assert (await state(wiring))["swept_at"]


async def test_a_newer_versions_state_is_left_to_it(wiring):
    newer = b'{"v": 2, "swept_at": "2026-11-22T12:00:00Z", "more": 1}'
    await wiring.records.create(SWEEP_STATE, newer)
    await sweep.handle(wiring)
    assert (await wiring.records.read(SWEEP_STATE)).body == newer


async def test_of_two_sweeps_at_once_one_searches(wiring, monkeypatch):
    write = Records.write
    meddled = False

    async def meddling(self, path, *args, **more):
        nonlocal meddled
        if path == SWEEP_STATE and not meddled:
            meddled = True
            await sweep.handle(wiring)
        return await write(self, path, *args, **more)

    monkeypatch.setattr(Records, "write", meddling)
    await sweep.handle(wiring)
    assert len(wiring.fake.posts) == 1
