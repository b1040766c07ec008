"""Each judge is shown a world that breaks its promise, and one that does not."""

from dataclasses import replace
from datetime import timedelta

import pytest

from handlers.cloud.names import run_path
from handlers.wire.documents import encode
from handlers.wire.ids import RUNS
from handlers.wire.messages import RunMessage
from planner.azure.fleet import Interval, Orchestration
from planner.record.batch import Batch
from planner.record.instance import InstanceProgress
from planner.record.notice import Kind, Notice, Urgency
from planner.record.run import Entry, Run, Target, Times, Trouble, Verdict
from planner.record.states import InstanceState, RunState
from planner.schedule.latest_start import latest
from simulator.fleet import Behaviour, flexible, uniform
from simulator.oracle import ended_early
from tests.altered import altered
from tests.simulator.support import DAY, HOUR, MINUTE, Stage
from tests.world.endings import Endings
from tests.world.messages import Messages
from tests.world.served import Served
from tests.world.told import Told, unwarned
from tests.world.words import lost_or_doubled

PATH = "runs/s/rg/web.json"


def run(stage, *states, state=RunState.RUNNING, owner="web", **more):
    owner = stage.fleet.scale_set(owner)
    instances = tuple(
        InstanceProgress(id=one.instance_id, state=each, reason="as it is")
        for one, each in zip(owner.instances.values(), states, strict=False)
    )
    target = Target(
        owner.id, owner.subscription, owner.resource_group, owner.name, "westeurope", Orchestration.UNIFORM
    )
    window = Interval(stage.wave.self_service.start, stage.wave.self_service.end)
    made = Run(target=target, waves=("VM1T-1Q8",), state=state, reason="as it is", verdict=Verdict.SELF_SERVICE, due=stage.fleet.now, planned_at=stage.fleet.now, batches=(Batch(1, "domain 0", instances),), times=Times(self_service=window))  # fmt: skip
    return altered(made, **more)


def started(stage, judge, which):
    one = stage.fleet.instance("web", which)
    judge.asked(one, stage.fleet.now)
    stage.fleet.start_maintenance(one)


def served(stage):
    judge = Served(stage.fleet, lambda _: set())
    judge.written(PATH, encode(run(stage)))
    return judge


def test_a_start_beside_one_that_our_reboot_left_stopped_is_found_though_azure_calls_it_stopped():
    stage = Stage(uniform("web", 4, update_domains=1, behaviour=Behaviour(ends_up="stopped")))
    judge = served(stage)
    started(stage, judge, "0")
    stage.after(HOUR)
    assert judge.findings == []
    started(stage, judge, "1")
    assert "web_1 of web was started while web_0 did not serve" in judge.findings[0]


def test_what_a_person_switched_off_and_what_was_down_before_we_began_does_not_count_against_us():
    stage = Stage(uniform("web", 6, update_domains=1))
    stage.fleet.people.set_health(stage.fleet.instance("web", "5"), "unhealthy")
    judge = served(stage)
    started(stage, judge, "0")
    stage.after(HOUR)
    stage.fleet.people.stop(stage.fleet.instance("web", "4"))
    started(stage, judge, "1")
    assert judge.findings == []


def test_more_than_may_be_down_at_once_is_found_in_a_flexible_set_too():
    stage = Stage(flexible("web", 3))
    judge = served(stage)
    started(stage, judge, 0)
    started(stage, judge, 1)
    assert "1 may be down" in judge.findings[0]


def ended(stage, *states, **more):
    judge = Endings(stage.fleet)
    planned = run(stage, *states)
    judge.written(PATH, encode(planned))
    judge.written(PATH, encode(altered(planned, **{"state": RunState.COMPLETED, **more})))
    return judge.findings


def test_an_end_that_says_deleted_of_a_set_that_is_there_is_found():
    stage = Stage(uniform("web", 2))
    said = ended(stage, reason="The scale set was deleted.")
    assert "the scale set was never deleted" in said[0]


@pytest.mark.parametrize("state", [InstanceState.MAINTAINED, InstanceState.BY_AZURE, InstanceState.CANCELLED])
def test_an_end_with_an_instance_that_azure_still_wants_is_found(state):
    stage = Stage(uniform("web", 1))
    assert "is still to be maintained" in ended(stage, state)[0]


def test_an_end_with_an_instance_down_by_our_doing_is_found_and_one_that_a_person_skipped_is_not():
    stage = Stage(uniform("web", 1, behaviour=Behaviour(health_finally="unhealthy")))
    stage.fleet.start_maintenance(stage.fleet.instance("web", "0"))
    stage.after(HOUR)
    assert "by our doing (health unhealthy)" in ended(stage, InstanceState.MAINTAINED)[0]
    skip = (Entry(stage.fleet.now, "ana", "skip", "let it go"),)
    assert ended(stage, InstanceState.SKIPPED, history=skip) == []


def test_an_end_that_is_true_is_left_alone():
    stage = Stage(uniform("web", 1))
    stage.fleet.start_maintenance(stage.fleet.instance("web", "0"))
    stage.after(HOUR)
    assert ended(stage, InstanceState.MAINTAINED) == []


def test_a_command_that_is_lost_or_there_twice_is_found():
    stage = Stage(uniform("web", 1))
    word = ("web", "w1", "hold", stage.fleet.now)
    line = Entry(stage.fleet.now, "ana", "hold", "as agreed", id="w1")
    entries = {"lost": (), "once": (line,), "twice": (line, line)}
    found = {
        name: list(lost_or_doubled([word], [run(stage, history=lines)])) for name, lines in entries.items()
    }
    assert "is in the history 0 times" in found["lost"][0]
    assert found["once"] == []
    assert "is in the history 2 times" in found["twice"][0]


def test_a_command_in_a_run_and_in_the_same_run_in_the_archive_is_there_once():
    stage = Stage(uniform("web", 1))
    word = ("web", "w1", "hold", stage.fleet.now)
    one = run(stage, history=(Entry(stage.fleet.now, "ana", "hold", "as agreed", id="w1"),))
    assert list(lost_or_doubled([word], [one, one])) == []


def test_a_run_that_may_start_and_does_not_is_found_when_nobody_was_told_for_longer_than_promised():
    stage = Stage(uniform("web", 1))
    judge = Told()
    now = stage.fleet.now
    waiting = run(stage, InstanceState.PENDING, state=RunState.SCHEDULED)
    waiting = replace(waiting, batches=(replace(waiting.batches[0], not_before=now),))
    judge.written(PATH, encode(waiting))
    for hours in (0, 2, 4):
        judge.tick(now + hours * HOUR)
    assert judge.findings == []
    judge.tick(now + 5 * HOUR)
    assert "nobody was told why not" in judge.findings[0]


def test_a_run_that_stands_still_and_said_so_is_left_alone():
    stage = Stage(uniform("web", 1))
    judge = Told()
    now = stage.fleet.now
    waiting = run(stage, InstanceState.PENDING, state=RunState.SCHEDULED)
    notice = Notice(1, now + 4 * HOUR, Kind.TROUBLE, Urgency.ACT, "It waits for the rolling upgrade.")
    waiting = altered(waiting, batches=(replace(waiting.batches[0], not_before=now),), notices=(notice,))
    judge.written(PATH, encode(waiting))
    for hours in range(10):
        judge.tick(now + hours * HOUR)
    assert judge.findings == []


def test_trouble_that_lasts_and_is_not_told_is_found():
    stage = Stage(uniform("web", 1))
    judge = Told()
    now = stage.fleet.now
    judge.written(PATH, encode(run(stage, trouble=Trouble(now, 1, "503"))))
    judge.tick(now + 20 * MINUTE)
    assert judge.findings == []
    judge.tick(now + HOUR)
    assert "told nobody" in judge.findings[0]


def test_what_azure_maintains_in_its_turn_against_our_word_has_to_be_told_before():
    stage = Stage(uniform("web", 1))
    plan = Notice(1, stage.fleet.now, Kind.PLANNED, Urgency.KNOW, "It will be maintained by us.")
    promised = run(stage, InstanceState.PENDING, notices=(plan,))
    stage.after(10 * DAY)
    after = Notice(2, stage.fleet.now, Kind.MISSED, Urgency.ACT, "Azure has done it.")
    before = replace(after, at=stage.wave.self_service.end)
    said = list(unwarned(stage.fleet, [altered(promised, notices=(plan, after))]))
    assert "nobody was told before" in said[0]
    assert list(unwarned(stage.fleet, [altered(promised, notices=(plan, before))])) == []


def test_messages_that_nothing_explains_are_found_and_those_of_a_death_are_not():
    stage = Stage(uniform("web", 1))
    it = run(stage)
    message = RunMessage(
        subscription=it.target.subscription, resource_group=it.target.resource_group, name="web", generation=3
    )
    text, queue = message.model_dump_json(), []
    judge = Messages(lambda _: queue, stage.clock)
    path = run_path(it.target.subscription, it.target.resource_group, "web")
    judge.written(path, encode(replace(it, generation=3)))

    def send(by=RUNS):
        queue.append(text)
        judge.sent(RUNS, text, by)

    send()
    assert judge.findings == []
    send()
    assert "has 2 live messages, 1 are explained" in judge.findings[0]
    judge.findings.clear()
    judge.noted("death")
    judge.sent(RUNS, text, RUNS)
    assert judge.findings == []
    for _ in range(3):
        send("sweep")
    assert judge.findings, "the sweep explains one, however often it calls"


def test_messages_of_an_older_generation_are_no_polls_to_come():
    stage = Stage(uniform("web", 1))
    it = run(stage)
    message = RunMessage(
        subscription=it.target.subscription, resource_group=it.target.resource_group, name="web", generation=3
    )
    text = message.model_dump_json()
    judge = Messages(lambda _: [text] * 40, stage.clock)
    path = run_path(it.target.subscription, it.target.resource_group, "web")
    judge.written(path, encode(replace(it, generation=4)))
    judge.sent(RUNS, text, RUNS)
    assert judge.findings == []


def test_a_day_later_a_death_explains_nothing_any_more():
    stage = Stage(uniform("web", 1))
    it = run(stage)
    message = RunMessage(
        subscription=it.target.subscription, resource_group=it.target.resource_group, name="web", generation=3
    )
    text = message.model_dump_json()
    judge = Messages(lambda _: [text, text], stage.clock)
    judge.noted("death")
    stage.after(timedelta(hours=26))
    judge.sent(RUNS, text, RUNS)
    assert judge.findings


def test_a_report_that_says_done_of_an_instance_that_azure_waits_for_is_found():
    stage = Stage(uniform("web", 2))
    stage.fleet.start_maintenance(stage.fleet.instance("web", "0"))
    stage.after(HOUR)
    listed = {"scale_set": stage.fleet.scale_set("web").id, "state": "completed", "history": []}
    report = {"tracking_id": stage.wave.tracking_id, "runs": [listed]}
    assert ended_early(stage.fleet, report) == ["web is completed, and web_1 still waits for it"]
    assert ended_early(stage.fleet, {**report, "runs": [{**listed, "state": "paused"}]}) == []
    skipped = {**listed, "history": [{"event": "skip"}]}
    assert ended_early(stage.fleet, {**report, "runs": [skipped]}) == []


def test_a_pause_of_which_nobody_is_reminded_a_day_before_it_is_too_late_is_found():
    stage = Stage(uniform("web", 1))
    now = stage.fleet.now
    asked = Notice(1, now, Kind.PAUSED, Urgency.ACT, "An instance is down.")
    paused = run(stage, InstanceState.PENDING, state=RunState.PAUSED, deadline_waived=True, notices=(asked,))
    last = latest(paused, now).start
    assert last is not None
    told = Notice(2, last - 3 * DAY, Kind.REMINDER, Urgency.ACT, "Still paused: an instance is down.")
    judge = Told()
    judge.written(PATH, encode(altered(paused, notices=(asked, told))))
    judge.tick(last - 4 * DAY)
    judge.tick(last - 2 * DAY)
    assert judge.findings == []
    judge.tick(last - 23 * HOUR)
    assert "nobody was reminded 24 hours before" in judge.findings[0]


def test_a_pause_that_begins_hours_before_it_is_too_late_needs_no_reminder_of_the_days_before():
    stage = Stage(uniform("web", 1))
    paused = run(stage, InstanceState.PENDING, state=RunState.PAUSED, deadline_waived=True)
    last = latest(paused, stage.fleet.now).start
    assert last is not None
    judge = Told()
    judge.written(PATH, encode(paused))
    judge.tick(last - 10 * HOUR)
    judge.tick(last - 5 * HOUR)
    assert judge.findings == []
