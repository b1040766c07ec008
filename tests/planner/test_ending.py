"""How instances and runs end: missed, by Azure, and what people then read."""

from dataclasses import replace

from planner.look import Start
from planner.notice import Kind, Urgency
from planner.run import InstanceState, RunState
from tests.planner.builders import (
    SCHEDULED,
    SELF_SERVICE,
    STATUS,
    changed,
    confirmed,
    fleet,
    looked,
    one_of,
    planned,
    states,
    step,
)

CLOSED = SELF_SERVICE.end
AZURES = "between Sun 13 Dec 2026 12:00 UTC and Sun 20 Dec 2026 12:00 UTC"
OVER = replace(STATUS, allowed=False)


def test_a_run_whose_window_closed_before_it_started_is_missed_and_tells_when_azure_does_it():
    run, actions = step(planned(), looked(instances=fleet(maintenance=OVER), now=CLOSED))
    assert run.state is RunState.MISSED
    assert set(states(run).values()) == {InstanceState.MISSED}
    assert one_of(run, "0").reason == (
        "The self-service window closed at Sat 12 Dec 2026 12:00 UTC before it was started. Azure does it "
        f"{AZURES}."
    )
    notice = run.notices[-1]
    assert (notice.kind, notice.urgency) == (Kind.MISSED, Urgency.ACT)
    assert notice.sentence.endswith(f"Azure maintains them {AZURES}.")
    assert not any(isinstance(one, Start) for one in actions)


def test_nothing_is_started_in_the_minute_the_window_closes_although_azure_still_allows_it():
    run, actions = step(planned(), looked(instances=fleet(), now=CLOSED))
    assert run.state is RunState.MISSED
    assert not any(isinstance(one, Start) for one in actions)


def test_what_azure_did_before_anybody_looked_is_by_azure_and_only_the_rest_is_missed():
    instances = changed(fleet(2, 2, maintenance=OVER), "0", maintenance=None)
    run, _ = confirmed(planned(instances=fleet(2, 2)), instances, now=SCHEDULED.start)
    assert states(run) == {"0": InstanceState.BY_AZURE, "1": InstanceState.MISSED}
    assert run.reason == "The self-service window closed on it: 1 by Azure, 1 missed."
