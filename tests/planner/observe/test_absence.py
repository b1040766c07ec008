"""What Azure does not show is unreadable: it blocks, proves nothing, settles nothing and ends nothing."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from planner.azure.fleet import Health, Instance, Unreadable
from planner.decision.checks import conditions
from planner.observe import absence
from planner.record.action import Replan, Start, StartOutcome, StartResult
from planner.record.check import Outcome
from planner.record.notice import Kind
from planner.record.observation import OperationSeen
from planner.record.run import Run
from planner.record.states import ENDED, SETTLED, InstanceState, RunState
from planner.start.results import answered
from tests.altered import altered
from tests.planner.builders import (
    MINUTE,
    NOW,
    always,
    changed,
    confirmed,
    fleet,
    flexible,
    instance,
    listed,
    observe,
    one_of,
    planned,
    planned_again,
    rules,
    scale_set,
    states,
    step,
    without,
)

NO_VIEW = {"maintenance": Unreadable("Azure sent no instance view"), "power": "unknown"}
UNDER_WAY = OperationSeen("InProgress")


def starts(actions: tuple[object, ...]) -> list[str]:
    return [one.instance for one in actions if isinstance(one, Start)]


def in_flight() -> Run:
    """Instances 0 and 5 were started at noon, and Azure has taken both starts."""
    run, actions = step(planned(), observe())
    assert starts(actions) == ["0", "5"]
    return answered(run, [StartResult(one, StartOutcome.ACCEPTED, operation=f"/{one}") for one in "05"], NOW)


def test_one_poll_without_views_changes_nothing_of_a_waiting_run():
    run = planned()
    after, actions = step(run, observe(instances=fleet(**NO_VIEW), now=NOW + MINUTE))
    assert after.state is RunState.SCHEDULED
    assert states(after) == states(run)
    assert starts(actions) == []
    assert "no instance view" in after.reason
    _, actions = step(after, observe(now=NOW + 2 * MINUTE))
    assert starts(actions) == ["0", "5"]


def test_a_scale_set_that_is_not_found_once_ends_nothing():
    run, actions = step(in_flight(), observe(instances=(), deleted=True, now=NOW + MINUTE))
    assert run.state not in ENDED
    assert set(states(run).values()) <= {InstanceState.REBOOTING, InstanceState.PENDING}
    assert starts(actions) == []
    assert run.due == NOW + 2 * MINUTE
    run, _ = step(run, observe(now=NOW + 2 * MINUTE, operations={"0": UNDER_WAY, "5": UNDER_WAY}))
    assert run.gaps.absent_since is None
    run, _ = step(run, observe(instances=(), deleted=True, now=NOW + 3 * MINUTE))
    assert run.state not in ENDED, "it was there in between"


def test_a_scale_set_that_two_polls_a_poll_apart_do_not_find_is_gone():
    run, _ = step(in_flight(), observe(instances=(), deleted=True, now=NOW + MINUTE))
    soon, _ = step(run, observe(instances=(), deleted=True, now=NOW + 1.5 * MINUTE))
    assert soon.state not in ENDED, "two polls in one poll are one answer"
    run, _ = step(run, observe(instances=(), deleted=True, now=NOW + 2 * MINUTE))
    assert run.state is RunState.COMPLETED
    assert {one.reason for one in run.instances} == {"The scale set was deleted."}


def test_an_instance_in_flight_that_one_listing_leaves_out_is_watched_and_not_started_again():
    run = in_flight()
    flying = {"0": UNDER_WAY, "5": UNDER_WAY}
    run, actions = step(run, listed(None, without(fleet(), "0"), now=NOW + MINUTE, operations=flying))
    assert states(run)["0"] is InstanceState.REBOOTING
    assert not any(isinstance(one, (Start, Replan)) for one in actions)
    assert list(run.gaps.missing) == ["0"]
    for minute in range(2, 12):
        now = NOW + minute * MINUTE
        run, actions = step(run, listed(None, fleet(), now=now, operations=flying))
        assert starts(actions) == []
        assert states(run)["0"] is InstanceState.REBOOTING
    assert run.gaps.missing == {}


def test_an_instance_is_gone_when_two_polls_agree_each_with_a_direct_read():
    rest = without(fleet(), "3")
    run, _ = step(planned(), listed(None, rest, now=NOW + MINUTE))
    run, _ = step(run, listed(None, rest, now=NOW + 2 * MINUTE))
    assert states(run)["3"] is InstanceState.PENDING, "listings alone prove nothing, however many"
    assert absence.to_read(run, listed(None, rest, now=NOW + 3 * MINUTE)) == ("3",)
    run, _ = step(run, observe(None, rest, now=NOW + 3 * MINUTE, absent=("3",)))
    assert states(run)["3"] is InstanceState.PENDING, "one direct read proves nothing either"
    run, _ = step(run, observe(None, rest, now=NOW + 4 * MINUTE, absent=("3",)))
    assert one_of(run, "3").reason == "The instance was deleted."


def test_a_direct_read_that_did_not_find_it_counts_no_more_once_one_could_not_be_made():
    rest = without(fleet(), "3")
    run, _ = step(planned(), observe(None, rest, now=NOW + MINUTE, absent=("3",)))
    run, _ = step(run, listed(None, rest, now=NOW + 2 * MINUTE))
    run, _ = step(run, observe(None, rest, now=NOW + 3 * MINUTE, absent=("3",)))
    assert states(run)["3"] is InstanceState.PENDING


def test_a_direct_read_that_does_not_find_it_counts_only_a_poll_after_the_first_poll():
    run, _ = step(planned(), observe(None, without(fleet(), "3"), now=NOW + MINUTE, absent=("3",)))
    assert states(run)["3"] is InstanceState.PENDING


def test_nothing_is_started_beside_an_instance_that_azure_does_not_list():
    run, actions = step(planned(), listed(None, without(fleet(), "9")))
    assert starts(actions) == []
    assert "Azure's listing lacks instance 9" in run.reason


def test_nothing_is_started_beside_a_bystander_that_the_listing_of_a_new_plan_left_out():
    """It is not in the wave, and only that it served when the run was planned tells that it exists."""
    instances = changed(fleet(), "9", maintenance=None)
    run = planned(instances=instances)
    run = planned_again(run, instances=without(instances, "9"), now=NOW + MINUTE)
    _, actions = step(run, listed(None, without(instances, "9"), now=NOW + 2 * MINUTE))
    assert starts(actions) == []
    _, actions = step(run, observe(None, instances, now=NOW + 2 * MINUTE))
    assert starts(actions)


def test_what_stays_unreadable_is_told_once_after_half_an_hour_with_what_it_is():
    run = planned()
    for minute in range(1, 90):
        run, actions = step(run, observe(None, changed(fleet(), "4", **NO_VIEW), now=NOW + minute * MINUTE))
        assert starts(actions) == []
    (told,) = [one for one in run.story.notices if one.kind is Kind.TROUBLE]
    assert told.at == NOW + 31 * MINUTE
    assert "Azure sent no instance view (instance 4)" in told.sentence
    assert states(run)["4"] is InstanceState.PENDING, "however long it lasts, it settles nothing"
    run, _ = step(run, observe(now=NOW + 90 * MINUTE))
    assert run.gaps.unread is None


def test_one_poll_reads_at_most_so_many_one_by_one_and_what_is_in_flight_first():
    many = fleet(60, 60)
    run, _ = step(planned(instances=many), observe(None, many))
    (flying,) = [one.id for one in run.instances if one.state is InstanceState.STARTING]
    blind = tuple(replace(one, maintenance=Unreadable("Azure sent no instance view")) for one in many)
    wanted = absence.to_read(run, listed(None, blind, now=NOW + MINUTE))
    assert len(wanted) == absence.MOST_READS
    assert wanted[0] == flying


def test_a_plan_that_does_not_see_an_instance_leaves_it_in_its_place():
    two = always(max_unavailable="2")
    run = planned(a_policy=two)
    again = planned_again(run, None, without(fleet(), "0", "7"), two, NOW + MINUTE)
    assert [one.id for one in again.instances] == [one.id for one in run.instances]
    assert again.people.checksum == run.people.checksum
    assert len(again.story.notices) == len(run.story.notices), "nothing has changed, so nobody is told"


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.sets(st.integers(0, 9)), st.sets(st.integers(0, 9)), st.booleans()),
        min_size=1,
        max_size=1,
    ),
    st.integers(0, 3),
)
def test_no_single_poll_that_leaves_something_out_settles_ends_or_starts_anything(
    lies: list[tuple[set[int], set[int], bool]], progress: int
):
    """Any subset of instances or views is missing in one poll, at any point of a run; the next one is true."""
    a_set, policy, truth = scale_set(), always(soak="0m"), fleet()
    run, now = planned(a_set, truth, policy), NOW
    for _ in range(progress):
        run, actions = step(run, observe(a_set, truth, policy, now))
        run = answered(
            run, [StartResult(one, StartOutcome.ACCEPTED, operation="/o") for one in starts(actions)], now
        )
        gone = {one.id for one in run.instances if one.state is not InstanceState.PENDING}
        truth = tuple(replace(one, maintenance=None) if one.id in gone else one for one in truth)
        now += MINUTE
    ((unlisted, blind, deleted),) = lies
    shown: tuple[Instance, ...] = without(truth, *map(str, unlisted))
    shown = tuple(replace(one, **NO_VIEW) if int(one.id) in blind else one for one in shown)
    flying = {one.id: UNDER_WAY for one in run.instances}
    observation = listed(a_set, shown, policy, now, operations=flying, deleted=deleted)
    after, actions = step(run, observation)
    hidden = {str(one) for one in unlisted | blind} if not deleted else {one.id for one in truth}
    assert after.state not in ENDED
    for one in run.instances:
        if one.id in hidden:
            assert one_of(after, one.id).state is one.state
        if one.state in SETTLED:
            assert one_of(after, one.id).state is one.state
    if hidden & ({one.id for one in run.instances if one.state not in SETTLED} | set(run.fleet.served)):
        assert starts(actions) == []


def test_what_two_polls_agree_on_is_believed_and_the_run_goes_on_without_it():
    run, actions = confirmed(planned(), without(fleet(), "0"), absent=("0",))
    assert starts(actions) == ["5"]
    assert states(run)["0"] is InstanceState.SKIPPED


def test_an_instance_without_its_view_holds_up_every_start_by_a_check_of_its_own():
    blind = changed(fleet(), "9", **NO_VIEW)
    found = {one.name: one for one in conditions(scale_set(), blind, rules())}
    assert found["instances-readable"].outcome is Outcome.UNKNOWN
    assert found["instances-readable"].instances == ("9",)
    assert found["others-healthy"].outcome is Outcome.PASS, "unreadable is not ill"


def test_a_bystander_that_was_ill_when_it_was_planned_holds_up_every_start_while_listings_leave_it_out():
    ill = instance("9", 4, maintenance=None, health=Health.UNHEALTHY)
    instances = (*fleet(4, 4), ill)
    run, actions = step(planned(instances=instances), observe(None, instances))
    assert starts(actions) == [], "it is seen, and ill"
    run, actions = step(run, listed(None, without(instances, "9"), now=NOW + MINUTE))
    assert starts(actions) == []
    assert list(run.gaps.missing) == ["9"]


def test_a_flexible_instance_that_has_reported_health_owes_it_when_a_view_leaves_it_out():
    a_set = flexible()
    instances = tuple(instance(f"flex_{one}", None, health=Health.UNHEALTHY if one == 2 else Health.HEALTHY)
                      for one in range(3))  # fmt: skip
    run, actions = step(planned(a_set, instances), observe(a_set, instances))
    assert starts(actions) == []
    silent = changed(instances, "flex_2", health=Health.NOT_REPORTED)
    run, actions = step(run, observe(a_set, silent, now=NOW + MINUTE))
    assert starts(actions) == []
    well = changed(instances, "flex_2", health=Health.HEALTHY)
    run, actions = step(run, observe(a_set, well, now=NOW + 2 * MINUTE))
    assert len(starts(actions)) == 1


def test_a_scale_set_that_is_gone_ends_its_run_though_the_policy_has_changed_since_it_was_planned():
    run = altered(planned(a_policy=always(mode="approve")), policy="of yesterday")
    for minute in range(2):
        gone = observe(instances=(), deleted=True, policy="of today", now=NOW + minute * MINUTE)
        run, actions = step(run, gone)
    assert run.state in ENDED
    assert not [one for one in actions if isinstance(one, Replan)]


def test_a_scale_set_that_is_gone_ends_its_run_though_a_new_plan_was_asked_for():
    """There is nothing to plan: asked again and again, the run would be looked at every minute for weeks."""
    run, _ = step(replace(planned(), replan="ana raised the soak"), observe(instances=(), deleted=True))
    run, actions = step(run, observe(instances=(), deleted=True, now=NOW + MINUTE))
    assert run.state in ENDED
    assert not [one for one in actions if isinstance(one, Replan)]
