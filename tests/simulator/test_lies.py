"""The lies themselves: each by its name, by dice of its own, and never so many at once that nothing is left."""

from datetime import timedelta
from random import Random

import pytest

from handlers.cloud import shapes
from handlers.cloud.records import Conflict
from planner.azure.fleet import Health
from simulator.arm import shapes as arm
from simulator.arm.faults import Faults
from simulator.fleet import flexible, uniform
from simulator.fleet.ledger import Down, StartAsked, Up
from simulator.lies import CATALOGUE, Liar, Lies
from simulator.lies.machines import ENDINGS
from simulator.lies.memory import LONGEST_LAG, Absences, Lag
from simulator.lies.refusals import ORDER
from simulator.lies.somebody import ACTS
from tests.simulator.support import DAY, HOUR, MINUTE, START, Stage
from tests.world.chaos import Chaos
from tests.world.storage import BEARS_A_WORD, MemoryRecords

ALWAYS = 1.0


def shown(stage, liar, number="0"):
    one = stage.fleet.instance("web", number)
    return liar.instance(arm.instance(one, stage.fleet.now, Faults(), view=True), how="look")


def liar(stage, **shares):
    return Liar(Lies({name.replace("_", "-"): share for name, share in shares.items()}), stage.clock)


def listing(stage, liar):
    ones = stage.fleet.scale_set("web").instances.values()
    return liar.instances([arm.instance(one, stage.fleet.now, Faults(), view=True) for one in ones])


def test_lies_are_read_as_they_are_written_and_an_unknown_one_is_named():
    lies = Lies.parse("stale, missing-view=0.5", 7)
    assert lies.shares == {"stale": 0.2, "missing-view": 0.5}
    assert Lies.parse(str(lies), 7) == lies
    with pytest.raises(ValueError, match="'missing-veiw' is no lie"):
        Lies.parse("missing-veiw=0.1")
    for wrong in ("stale=2", "stale=often"):
        with pytest.raises(ValueError, match="a chance between 0 and 1"):
            Lies.parse(wrong)


def test_a_seed_always_tells_the_same_lies_and_one_lie_less_leaves_the_others_alone():
    assert Lies.drawn(11) == Lies.drawn(11)
    assert len({str(Lies.drawn(seed)) for seed in range(50)}) > 40
    stage = Stage()
    both = Liar(Lies({"dropped": 0.3, "unavailable": 0.3}, 5), stage.clock)
    alone = Liar(Lies({"dropped": 0.3}, 5), stage.clock)
    assert [both.happens("dropped") for _ in range(30)] == [
        (both.happens("unavailable"), alone.happens("dropped"))[1] for _ in range(30)
    ]


def test_every_lie_of_the_catalogue_is_told_somewhere():
    told = {*ENDINGS, *ORDER, *ACTS, "locked", "lost-answer"}
    here = {one.name for one in CATALOGUE if one.where in {"machine", "refusal", "somebody"}}
    assert here == told


@pytest.mark.parametrize("lie", ["missing_view", "null_view", "empty_view"])
def test_a_view_that_was_asked_for_is_not_there(lie):
    stage = Stage()
    body = shown(stage, liar(stage, **{lie: ALWAYS}))
    assert not body["properties"].get("instanceView")
    assert body["instanceId"] == "0"


def test_power_health_and_status_are_missing_or_unknown_one_by_one():
    stage = Stage()
    seen = {
        lie: shapes.uniform_instance(shown(stage, liar(stage, **{lie: ALWAYS})))
        for lie in ("missing_power", "unknown_power", "missing_health", "unknown_health", "missing_status")
    }
    assert seen["missing_power"].power == seen["unknown_power"].power == "unknown"
    assert seen["missing_health"].health is Health.NOT_REPORTED
    assert seen["unknown_health"].health is Health.UNKNOWN
    assert seen["missing_status"].maintenance is None
    assert seen["unknown_health"].power == "running"
    assert seen["missing_status"].health is Health.HEALTHY


def test_a_result_code_of_an_earlier_wave_stands_beside_allowed_true():
    stage = Stage()
    status = shapes.uniform_instance(shown(stage, liar(stage, earlier_code=ALWAYS))).maintenance
    assert status.allowed
    assert status.result == "MaintenanceCompleted"


def test_failed_provisioning_is_told_of_what_runs_and_is_healthy():
    stage = Stage()
    one = shapes.uniform_instance(shown(stage, liar(stage, failed_instance=ALWAYS)))
    assert (one.provisioning, one.power, one.health) == ("failed", "running", Health.HEALTHY)
    told = liar(stage, failed_set=ALWAYS).scale_set(arm.scale_set(stage.fleet.scale_set("web")))
    assert shapes.scale_set(told).provisioning == "failed"


def test_a_stale_view_is_that_of_before_the_start_and_for_two_minutes_at_most():
    stage = Stage()
    lying = liar(stage, stale=ALWAYS)
    shown(stage, lying)
    stage.fleet.start_maintenance(stage.fleet.instance("web", "0"))
    stage.after(timedelta(seconds=5))
    assert shapes.uniform_instance(shown(stage, lying)).power == "running", "as before the start"
    stage.after(LONGEST_LAG)
    assert shapes.uniform_instance(shown(stage, lying)).power != "running"


def test_what_lags_behind_is_never_older_than_the_longest_lag():
    lag, random = Lag(), Random(3)
    now = START
    for _ in range(2000):
        now += timedelta(seconds=random.uniform(1, 90))
        assert now - lag.shown("it", now, now, 0.5, random) <= LONGEST_LAG


def test_two_polls_a_poll_apart_and_a_direct_read_never_agree_that_something_is_gone():
    for seed in range(300):
        random, absences, now = Random(seed), Absences(), START
        polls, directs = [], []
        for _ in range(60):
            now += timedelta(seconds=random.choice((0, 5, 60, 120, 3600, 86400)))
            how = random.choice(("look", "look", "direct"))
            if absences.may("it", how, now):
                absences.note("it", how, now)
                (polls if how == "look" else directs).append(now)
            elif random.random() < 0.2:
                absences.show("it", now)
                polls, directs = [], []
            agreed = directs and len(polls) > 1 and max(polls) - min(polls) >= timedelta(seconds=60)
            assert not agreed, f"seed {seed}: {polls}, {directs}"
            assert len(directs) < 2, "two direct reads in a row"


def test_listings_are_empty_or_shorter_or_lack_one_and_the_fleet_is_as_it_was():
    stage = Stage(uniform("web", 10))
    assert listing(stage, liar(stage, empty_listing=ALWAYS)) == []
    assert 0 < len(listing(stage, liar(stage, fewer_pages=ALWAYS))) < 10
    assert listing(stage, liar(stage, missing_instance=ALWAYS)) == []
    assert len(listing(stage, liar(stage))) == 10
    assert len(stage.fleet.scale_set("web").instances) == 10


def test_a_single_404_is_told_once_and_the_next_read_finds_the_thing():
    stage = Stage()
    for lie, kind in (
        ("no_set", "get scale set"),
        ("no_instance", "get instance"),
        ("no_operation", "operation"),
    ):
        lying = liar(stage, **{lie: ALWAYS})
        assert lying.instead(kind, "it").status == 404
        assert lying.instead(kind, "it") is None


def test_429_lasts_for_hours_and_ends():
    stage = Stage()
    lying = liar(stage, throttled_for_hours=ALWAYS)
    assert lying.instead("list instances").status == 429
    lying.lies = Lies({"throttled-for-hours": 0.0})
    assert lying.instead("operation") is None or lying.instead("operation").status == 429
    stage.after(6 * HOUR + MINUTE)
    assert lying.instead("list instances") is None


@pytest.mark.parametrize("lie", ORDER)
def test_a_start_is_refused_in_azures_words_and_the_ledger_knows_that_it_passes(lie):
    stage = Stage()
    one = stage.fleet.instance("web", "0")
    lying = liar(stage, **{lie.replace("-", "_"): ALWAYS})
    answer = stage.fleet.start_maintenance(one, instead=lying.start(one))
    assert answer.status == 409
    assert stage.fleet.ledger.of(StartAsked)[-1].passing
    assert one.power == "running"
    assert stage.fleet.start_maintenance(one).operation is not None


def test_a_lock_keeps_every_start_of_its_scale_set_back_and_names_the_scope():
    stage = Stage(uniform("web", 2), uniform("db", 2))
    lying = Liar(Lies({"locked": ALWAYS}, 3), stage.clock)
    answer = lying.start(stage.fleet.instance("web", "0"))
    assert answer.code == "ScopeLocked"
    assert "Please remove the lock" in answer.message
    lying.lies = Lies({})
    assert lying.start(stage.fleet.instance("web", "1")).code == "ScopeLocked"
    assert lying.start(stage.fleet.instance("db", "1")) is None


def test_an_answer_is_lost_and_the_work_goes_on():
    stage = Stage()
    answer = stage.fleet.start_maintenance(stage.fleet.instance("web", "0"), lost=True)
    assert answer.dropped
    assert not stage.fleet.ledger.of(StartAsked)[-1].answered
    stage.after(10 * MINUTE)
    assert stage.fleet.ledger.of(Up)


@pytest.mark.parametrize(
    ("ending", "power", "provisioning"),
    [
        ("ends-stopped", "stopped", "Succeeded"),
        ("ends-deallocated", "deallocated", "Succeeded"),
        ("ends-failed", "running", "Failed"),
    ],
)
def test_a_machine_does_not_come_back_after_its_reboot(ending, power, provisioning):
    stage = Stage()
    one = stage.fleet.instance("web", "0")
    Liar.over(stage.fleet, Lies({ending: ALWAYS}))
    operation = stage.fleet.start_maintenance(one).operation
    stage.after(DAY)
    assert (one.power, one.provisioning) == (power, provisioning)
    assert operation.status == "Succeeded", "the maintenance itself is done"
    assert one.trouble()
    assert one.cause == "customer maintenance"
    assert not stage.fleet.ledger.of(Up)


@pytest.mark.parametrize("ending", ["relapses-soon", "relapses-late"])
@pytest.mark.parametrize("health", ["extension", "none"])
def test_a_machine_is_well_after_its_reboot_and_then_is_not(ending, health):
    stage = Stage(uniform("web", 3, health=health))
    one = stage.fleet.instance("web", "0")
    Liar.over(stage.fleet, Lies({ending: ALWAYS}))
    stage.fleet.start_maintenance(one)
    stage.after(6 * MINUTE)
    assert not one.trouble()
    stage.after(11 * HOUR)
    assert one.trouble()


def test_maintenance_is_put_off_many_times():
    stage = Stage()
    one = stage.fleet.instance("web", "0")
    Liar.over(stage.fleet, Lies({"retry-later": ALWAYS}))
    for _ in range(3):
        stage.fleet.start_maintenance(one)
        stage.after(MINUTE)
    assert not stage.fleet.ledger.of(Down)
    assert one.ticket.code == "RetryLater"


@pytest.mark.parametrize("act", ACTS)
def test_somebody_acts_just_while_an_instance_reboots_and_not_otherwise(act):
    stage = Stage()
    Liar.over(stage.fleet, Lies({act: ALWAYS}))
    stage.fleet.people.stop(stage.fleet.instance("web", "7"))
    before = len(stage.fleet.ledger.of(type(stage.fleet.ledger.since(0)[-1])))
    stage.after(HOUR)
    quiet = len(stage.fleet.ledger)
    stage.fleet.start_maintenance(stage.fleet.instance("web", "0"))
    stage.after(HOUR)
    assert before
    said = {getattr(fact, "what", "") for fact in stage.fleet.ledger.since(quiet)}
    words = {
        "somebody-stops": "stopped", "somebody-deallocates": "deallocated", "somebody-starts": "start",
        "somebody-resizes": "resize", "somebody-deletes": "delete", "somebody-adds": "create",
    }  # fmt: skip
    assert words[act] in said


@pytest.mark.parametrize(
    ("owner", "before"), [(uniform("web", 3), ""), (flexible("web", 3), "web_")], ids=["uniform", "flexible"]
)
def test_whoever_adds_instances_again_and_again_gives_each_a_name_of_its_own(owner, before):
    stage = Stage(owner)
    for _ in range(3):
        ACTS["somebody-adds"](stage.fleet, stage.fleet.scale_set("web"), Random(1))
    names = {f"{before}{number}" for number in (501, 502, 503)}
    assert names <= set(stage.fleet.scale_set("web").instances), (
        "a machine's name holds in its resource group"
    )


async def test_a_conflict_where_a_command_is_written_and_one_anywhere_else_are_lies_of_their_own():
    met = {}
    for lie in ("word-conflict", "record-conflict"):
        for bears in (True, False):
            records = MemoryRecords(lambda: START, Chaos(), Liar(Lies({lie: ALWAYS}), lambda: START))
            etag = await records.create("runs/s/rg/web.json", b"{}")
            token = BEARS_A_WORD.set(bears)
            try:
                await records.write("runs/s/rg/web.json", b"{}", etag=etag)
                met[lie, bears] = False
            except Conflict:
                met[lie, bears] = True
            BEARS_A_WORD.reset(token)
    assert [key for key, conflict in met.items() if conflict] == [
        ("word-conflict", True),
        ("record-conflict", False),
    ]
