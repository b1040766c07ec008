"""What a wave that is over leaves behind: how long what was down, what went wrong, what to change next time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handlers.render.moments import Clock
from handlers.render.review_parts import review_parts
from planner.notices.next_wave import down_for, spent
from planner.notices.review import MOST, downtime, review
from planner.record.batch import Batch
from planner.record.instance import InstanceProgress
from planner.record.notice import Kind, Urgency
from planner.record.run import Entry, Run
from planner.record.states import BatchState, InstanceState, RunState
from tests.altered import altered
from tests.notices import HOUR, NOW, followed, notice, run

MINUTE = timedelta(minutes=1)


def done(
    name: str, minutes: int, state: InstanceState = InstanceState.MAINTAINED, **more: Any
) -> InstanceProgress:
    given = {"down_at": NOW, "up_at": NOW + minutes * MINUTE, "begun": True, **more}
    return InstanceProgress(name, state=state, **given)


def domain(number: int, *instances: InstanceProgress) -> Batch:
    return Batch(number, f"domain {number}", instances, BatchState.DONE)


def over(name: str, *batches: Batch, state: RunState = RunState.COMPLETED, **more: Any) -> Run:
    return run(
        name, notice(1), *more.pop("told", ()), state=state, batches=batches, ended_at=NOW + 99 * HOUR, **more
    )


def said(event: str, reason: str, at: datetime, id: str = "") -> Entry:  # noqa: A002
    return Entry(at, "ada" if id else "breakwater", event, reason, id)


def advice(*runs: Run) -> dict[str, tuple[str, str]]:
    return {point.name: (point.where, point.sentence) for point in review(runs).change}


def test_each_domain_was_down_for_as_long_as_the_longest_of_its_instances():
    one = over("web", domain(0, done("0", 8), done("1", 12)), domain(1, done("2", 9)))
    assert downtime(one) == "domain 0: 12 min, domain 1: 9 min."
    (point,) = review([one]).down
    assert (point.name, point.where, point.sentence) == ("web", "shop, westeurope", downtime(one))


def test_many_domains_are_told_by_the_shortest_and_the_longest():
    one = over("web", *(domain(number, done(str(number), 5 + number)) for number in range(6)))
    assert downtime(one) == "6 domains, 5 min to 10 min each; longest domain 5."


def test_what_no_poll_saw_both_ends_of_is_not_guessed():
    assert down_for(InstanceProgress("0", down_at=NOW)) == timedelta(0)
    assert down_for(done("0", 5, InstanceState.SKIPPED, up_at=None, finished_at=NOW + HOUR)) == timedelta(0)
    assert down_for(done("0", 5, InstanceState.BY_AZURE, up_at=None, finished_at=NOW + HOUR)) == HOUR
    assert review([over("web", domain(0, InstanceProgress("0", state=InstanceState.SKIPPED)))]).down == ()


def test_of_many_scale_sets_those_that_were_down_longest_are_named():
    runs = [over(f"set{number:02}", domain(0, done("0", 5 + number))) for number in range(MOST + 5)]
    *named, rest = review(runs).down
    assert [point.name for point in named] == [f"set{number:02}" for number in range(MOST + 4, 4, -1)]
    assert (rest.where, rest.sentence) == (
        "5 scale sets",
        "No domain of them was down for longer than 9 min.",
    )


def test_what_went_wrong_is_the_first_thing_people_were_told_and_how_long_it_stood():
    trouble = (
        notice(2, Kind.PAUSED, Urgency.PAGE, sentence="Instance 4 did not come back."),
        notice(3, Kind.STALLED, Urgency.ACT),
        notice(4, Kind.STARTED, Urgency.KNOW),
    )
    history = (
        said("running -> paused", "", NOW),
        said("paused -> running", "", NOW + 90 * MINUTE),
    )
    wrong = review([over("db", told=trouble, history=history), over("web")]).wrong
    (point,) = wrong
    assert point.name == "db"
    assert point.sentence == (
        "Tue 24 Nov 2026 12:00 UTC: Instance 4 did not come back. And 1 more notice after that. Paused for 1 hour 30 minutes in all."
    )


def test_missed_scale_sets_come_first_and_of_very_many_the_rest_are_counted():
    bad = (notice(2, Kind.TROUBLE, Urgency.ACT),)
    runs = [over(f"set{number:02}", told=bad) for number in range(MOST + 3)]
    runs.append(over("zz", told=bad, state=RunState.MISSED))
    first, *_, rest = review(runs).wrong
    assert first.name == "zz"
    assert rest.where == "4 scale sets"


def test_time_in_a_state_counts_to_the_runs_end_where_it_never_left():
    one = over("db", history=(said("running -> paused", "", NOW),))
    one = replace(one, ended_at=NOW + HOUR)
    assert spent(one, RunState.PAUSED) == HOUR
    assert spent(one, RunState.AWAITING_APPROVAL) == timedelta(0)


WAITED = (
    said("left_to_azure -> awaiting_approval", "", NOW),
    said("awaiting_approval -> scheduled", "", NOW + 40 * HOUR),
)
MISSED = domain(0, InstanceProgress("0", state=InstanceState.MISSED))
PAGED = (notice(2, Kind.PAUSED, Urgency.PAGE),)


@pytest.mark.parametrize(
    ("one", "title", "words"),
    [
        (over("db", MISSED, state=RunState.MISSED), "More time", "The self-service window closed on 1 instance."),
        (over("db", domain(0, done("0", 5)), history=WAITED), "Approval", "The plan waited up to 1 day 16 hours for it."),
        (
            over("db", MISSED, state=RunState.MISSED, history=WAITED),
            "Approval",
            "waited up to 1 day 16 hours for it; the window closed on db.",
        ),
        (over("db", domain(0, done("0", 75))), "Recovery", "Back after up to 1 hour 15 minutes, later than `recover-within` (1 hour)."),
        (
            over("db", told=PAGED, history=(said("acknowledge", "On it.", NOW + 50 * MINUTE, "x"),)),
            "On call",
            "A page stood for 50 minutes before somebody acknowledged it.",
        ),
        (over("db", raised={"soak": "10m"}), "Raised", "People raised `soak 10m` (1 scale set)."),
        (
            over("db", history=(said("hold", "Release week.", NOW, "x"),)),
            "Held",
            "People held it, first because: Release week. What can be known before",
        ),
        (replace(followed("db"), ended_at=NOW), "Left to Azure", "Azure had several domains down at once: 2 of 3 of db."),
    ],
)  # fmt: skip
def test_each_advice_comes_with_what_the_records_show(one: Run, title: str, words: str):
    found = advice(one, over("web", domain(0, done("0", 5))))
    assert list(found) == [title]
    where, sentence = found[title]
    assert where == "db"
    assert words in sentence


def test_a_command_without_effect_and_a_page_that_was_taken_soon_are_no_advice():
    in_vain = said("hold", "Not applied: It is held already.", NOW, "x")
    soon = said("acknowledge", "On it.", NOW + 5 * MINUTE, "y")
    one = over("db", domain(0, done("0", 5)), told=PAGED, history=(in_vain, soon))
    assert list(advice(one)) == ["Policy"]
    assert advice(one)["Policy"] == ("as it is", "Nothing stands out that should change.")


def test_what_stood_still_with_something_down_is_not_taken_for_a_lack_of_time():
    failed = InstanceProgress("0", state=InstanceState.MISSED, proof_at=NOW)
    assert "More time" not in advice(over("db", domain(0, failed), state=RunState.MISSED))


PLAIN = Clock(UTC, NOW)


def test_the_review_is_parts_of_the_last_message_and_of_no_other():
    assert review_parts((), PLAIN) == ()
    headings = [part.heading for part in review_parts([over("web", domain(0, done("0", 8)))], PLAIN)]
    assert headings == ["How long each domain was down", "For the next wave"]
    nothing = altered(run("quiet", state=RunState.NOT_IMPACTED), reason="Not hit.")
    assert review_parts([nothing], PLAIN) == ()
