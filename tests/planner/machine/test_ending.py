"""How instances and runs end: missed, by Azure, and what people then read."""

from dataclasses import replace
from typing import Any

import pytest

from planner.azure.fleet import ResultCode, Unreadable
from planner.record.action import Start, StartOutcome, StartResult
from planner.record.notice import Kind, Urgency
from planner.record.run import Run
from planner.record.states import InstanceState, RunState
from planner.start.results import answered
from tests.altered import altered
from tests.planner.builders import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    SCHEDULED,
    SELF_SERVICE,
    STATUS,
    changed,
    confirmed,
    fleet,
    observe,
    one_of,
    planned,
    states,
    step,
)

CLOSED = SELF_SERVICE.end
AZURES = "between Sun 13 Dec 2026 12:00 UTC and Sun 20 Dec 2026 12:00 UTC"
OVER = replace(STATUS, allowed=False)


def test_a_run_whose_window_closed_before_it_started_is_missed_and_tells_when_azure_does_it():
    run, actions = step(planned(), observe(instances=fleet(maintenance=OVER), now=CLOSED))
    assert run.state is RunState.MISSED
    assert set(states(run).values()) == {InstanceState.MISSED}
    assert one_of(run, "0").reason == (
        "The self-service window closed at Sat 12 Dec 2026 12:00 UTC before it was started. Azure reboots it "
        f"{AZURES}."
    )
    notice = run.story.notices[-1]
    assert (notice.kind, notice.urgency) == (Kind.MISSED, Urgency.ACT)
    assert notice.sentence.endswith(f"Azure reboots them {AZURES}.")
    assert not any(isinstance(one, Start) for one in actions)


def test_nothing_is_started_in_the_minute_the_window_closes_although_azure_still_allows_it():
    run, actions = step(planned(), observe(instances=fleet(), now=CLOSED))
    assert run.state is RunState.MISSED
    assert not any(isinstance(one, Start) for one in actions)


def failed(**fields: Any) -> Run:
    """A run of two whose instance 0 was started and does not come back, until after the run's own window."""
    instances = changed(fleet(2, 2, maintenance=None), "0", maintenance=STATUS)
    run, _ = step(planned(instances=instances), observe(None, instances))
    run = answered(run, [StartResult("0", StartOutcome.ACCEPTED, operation="/o")], NOW)
    down = changed(instances, "0", power="unknown", provisioning="updating")
    for minute in (1, 90):
        run, _ = step(run, observe(None, down, now=NOW + minute * MINUTE))
    assert run.state is RunState.PAUSED
    return altered(run, **fields)


LATER = replace(STATUS, self_service=replace(SELF_SERVICE, end=CLOSED + DAY))
"""An instance whose own window is open a day longer than the run's."""


@pytest.mark.parametrize("shown", [LATER, Unreadable("Azure sent no instance view.")])
def test_what_has_failed_is_asked_about_until_its_own_window_has_closed(shown: Any):
    run = failed()
    run = replace(
        run,
        batches=tuple(
            replace(one, instances=tuple(replace(each, window=LATER.self_service) for each in one.instances))
            for one in run.batches
        ),
    )
    down = changed(fleet(2, 2, maintenance=None), "0", power="unknown", maintenance=shown)
    open_still, _ = step(run, observe(None, down, now=CLOSED + HOUR))
    assert open_still.state is RunState.PAUSED
    run, _ = step(open_still, observe(None, down, now=CLOSED + DAY))
    assert run.state is RunState.MISSED
    assert one_of(run, "0").reason.endswith("has closed; somebody has to look at it.")


def test_what_has_failed_is_over_with_the_window_that_azure_shows_since_the_wave_was_moved():
    sooner = replace(STATUS, self_service=replace(SELF_SERVICE, end=NOW + 3 * HOUR))
    down = changed(fleet(2, 2, maintenance=None), "0", power="unknown", maintenance=sooner)
    run = failed(self_service=sooner.self_service)
    run, _ = step(run, observe(None, down, now=NOW + 3 * HOUR))
    assert run.state is RunState.MISSED


def test_what_has_failed_and_shows_no_status_any_more_is_over_with_the_window_of_its_run():
    down = changed(fleet(2, 2, maintenance=None), "0", power="unknown")
    run = failed(self_service=replace(SELF_SERVICE, end=NOW + HOUR))
    run, _ = step(run, observe(None, down, now=NOW + 3 * HOUR))
    assert run.state is RunState.PAUSED, "one poll without its status may be a lie"
    run, _ = step(run, observe(None, down, now=NOW + 3 * HOUR + MINUTE))
    assert run.state is RunState.MISSED


def test_what_azure_did_before_anybody_looked_is_by_azure_and_only_the_rest_is_missed():
    instances = changed(fleet(2, 2, maintenance=OVER), "0", maintenance=None)
    run, _ = confirmed(planned(instances=fleet(2, 2)), instances, now=SCHEDULED.start)
    assert states(run) == {"0": InstanceState.BY_AZURE, "1": InstanceState.MISSED}
    assert run.reason == "The self-service window closed before it was done: 1 by Azure, 1 missed."


HALF = (*fleet(4, 4), *fleet(8, 8, maintenance=None)[4:])
"""Instances 0 to 3 are in the wave, 4 to 7 are not."""


def ended(rest: dict[str, Any], **seven: Any) -> Run:
    """A run that ends with 0 to 3 as `rest`, and 7, which an earlier run had left down, as `seven`."""
    run = altered(planned(instances=HALF), left_down=("7",), served=tuple("01234567"))
    instances = changed(HALF, "7", **seven)
    for id_ in "0123":
        instances = changed(instances, id_, **rest)
    stops = {"7": "ada at Sun 22 Nov 2026 12:01 UTC"} if seven.get("power") == "deallocated" else None
    return confirmed(run, instances, stops=stops)[0]


@pytest.mark.parametrize(
    ("rest", "state"),
    [
        ({"maintenance": replace(OVER, result=ResultCode.COMPLETED)}, RunState.COMPLETED),
        ({"maintenance": None}, RunState.CANCELLED),
    ],
)
def test_a_run_that_ends_names_what_an_earlier_one_left_down_and_does_not_serve(
    rest: dict[str, Any], state: RunState
):
    run = ended(rest, power="stopped")
    assert run.state is state
    assert "Instance 7 has been unhealthy since an earlier reboot by Breakwater." in run.reason
    notice = run.story.notices[-1]
    assert (notice.kind, notice.urgency) == (Kind.TROUBLE, Urgency.ACT)
    assert "Instance 7 has been unhealthy" in notice.sentence


@pytest.mark.parametrize("seven", [{}, {"power": "deallocated"}])
def test_a_run_that_ends_is_silent_about_what_serves_again_or_somebody_is_known_to_have_stopped(
    seven: dict[str, Any],
):
    run = ended({"maintenance": None}, **seven)
    assert "Instance 7" not in run.reason
    assert run.story.notices[-1].urgency is Urgency.KNOW


def test_a_run_whose_window_closed_names_what_an_earlier_one_left_down_and_does_not_serve():
    run = altered(planned(instances=HALF), left_down=("7",), served=tuple("01234567"))
    over = (*fleet(4, 4, maintenance=OVER), *changed(HALF, "7", power="stopped")[4:])
    run, _ = step(run, observe(instances=over, now=CLOSED))
    assert run.state is RunState.MISSED
    assert "Instance 7 has been unhealthy since an earlier reboot by Breakwater." in run.reason
