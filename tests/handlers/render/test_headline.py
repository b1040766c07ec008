"""The first line of a message: what, about what, by when; and the subject that is made of it in whole parts."""

from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.render import asked, facts
from handlers.render.heading import together
from handlers.render.headline import LONGEST_SUBJECT, Headline, headline
from handlers.render.moments import Clock, zone_of
from planner.policy.weekly import parse_windows
from planner.record.instance import InstanceProgress
from planner.record.notice import Kind, Urgency
from planner.record.states import InstanceState, RunState
from planner.text.phrases import first_sentences, say, shortened
from tests.altered import altered
from tests.notices import HOUR, NOW, batch, misfit, notice, run

BERLIN = Clock(ZoneInfo("Europe/Berlin"), NOW)
PLAIN = Clock(UTC, NOW)


def test_an_approval_is_asked_for_by_name_with_the_plan_and_until_when():
    one = altered(
        run("web", state=RunState.AWAITING_APPROVAL),
        serving=5,
        batches=(batch(1, "1"), batch(2, "2"), batch(3, "3")),
    )
    asks = notice(1, Kind.APPROVAL, Urgency.ACT, answers=("approve", "skip"), answer_by=NOW + 20 * HOUR)

    said = headline(one, asks, BERLIN)

    assert said == Headline(
        "Approve rebooting web",
        "3 instances, one at a time, Wed 25 Nov 14:00-19:00 CET",
        "answer by Wed 25 Nov 09:00 CET",
    )
    assert asked.at_most_down(one) == "At most 1 of 5 is down at a time."
    assert [facts.label(one, word) for word in asked.answers(one, asks)] == [
        "Approve",
        "Leave to Azure",
        "Not now",
    ]


@pytest.mark.parametrize(
    ("instance", "words"),
    [
        (InstanceProgress("7", state=InstanceState.FAILED, proof_at=NOW), "instance 7 did not come back"),
        (InstanceProgress("7", state=InstanceState.FAILED), "instance 7 did not reboot as asked"),
        (
            InstanceProgress("7", state=InstanceState.FAILED, proof_at=NOW, finished_at=NOW),
            "instance 7 stopped serving after its reboot",
        ),
    ],
)
def test_a_paused_run_says_which_instance_and_what_went_wrong(instance, words):
    one = run("db", state=RunState.PAUSED, batches=(altered_batch(instance),))
    said = notice(1, Kind.PAUSED, Urgency.PAGE, serving="2 of 3 instances are running and healthy")

    assert headline(one, said, PLAIN) == Headline(f"db: {words}", "", "2 of 3 serving, paused")


def altered_batch(instance: InstanceProgress):
    return batch(1).__class__(1, "domain 0", (instance,))


def test_a_plan_that_does_not_fit_is_called_so():
    one = misfit("db")

    assert headline(one, one.story.notices[-1], PLAIN).what == "db: the plan does not fit"


def test_until_when_to_answer_is_not_said_once_it_is_past_or_nothing_is_asked():
    late = notice(1, Kind.APPROVAL, Urgency.ACT, answers=("approve",), answer_by=NOW - HOUR)
    silent = notice(1, Kind.TROUBLE, Urgency.ACT, answer_by=NOW + HOUR)

    assert headline(run("web"), late, PLAIN).by == ""
    assert headline(run("web"), silent, PLAIN).by == ""


def test_a_run_that_ends_well_says_so_in_its_headline():
    done = run(
        "web", state=RunState.COMPLETED, batches=(batch(1, "1", "2", "3", state=InstanceState.MAINTAINED),)
    )

    assert (
        headline(done, notice(1, Kind.COMPLETED), PLAIN).what == "web: all 3 instances rebooted and healthy"
    )


@given(st.text(max_size=300), st.text(max_size=200), st.text(max_size=100), st.sampled_from(["", "VM8T-1Q8"]))
def test_a_subject_is_never_longer_than_it_may_be_and_drops_whole_parts(what, how, by, wave):
    subject = Headline(what, how, by).subject(wave)

    assert len(subject) <= LONGEST_SUBJECT
    assert "\n" not in subject


def test_what_does_not_fit_into_a_subject_is_left_out_whole():
    said = Headline("Approve rebooting web", "x" * 140, "answer by Wed 25 Nov 09:00 CET")

    assert said.subject("VM8T-1Q8") == "Approve rebooting web; answer by Wed 25 Nov 09:00 CET [VM8T-1Q8]"


@given(st.integers(-100_000, 100_000))
def test_a_stored_moment_is_the_same_moment_in_the_teams_zone(hours):
    at = NOW + hours * HOUR
    said = Clock(ZoneInfo("America/New_York"), at).said(f"Started at {say(at)}.")

    local = at.astimezone(ZoneInfo("America/New_York"))
    assert f"{local:%H:%M} {local.tzname()}" in said
    assert "UTC" not in said


def test_a_moment_far_away_has_its_year_and_a_zone_without_letters_its_distance():
    assert Clock(UTC, NOW).at(NOW + timedelta(days=400)) == "Wed 29 Dec 2027 12:00 UTC"
    assert Clock(ZoneInfo("America/Sao_Paulo"), NOW).at(NOW) == "Tue 24 Nov 09:00 UTC-03"


def test_what_only_looks_like_a_moment_stays_as_it_is():
    assert PLAIN.said("Mon 31 Feb 2026 12:00 UTC") == "Mon 31 Feb 2026 12:00 UTC"


def test_the_zone_is_that_of_the_windows_where_they_have_one_only():
    berlin, tokyo = (parse_windows(f"Sun 02:00-05:00 {zone}") for zone in ("Europe/Berlin", "Asia/Tokyo"))

    assert zone_of((altered(run("web"), windows=(berlin,)), run("db"))) == ZoneInfo("Europe/Berlin")
    assert zone_of((altered(run("web"), windows=(berlin, tokyo)),)) is UTC
    assert zone_of((run("web"),), ZoneInfo("Asia/Tokyo")) == ZoneInfo("Asia/Tokyo")


@given(
    st.lists(st.sampled_from(["One. ", "Two is longer! ", "And three? "]), max_size=40), st.integers(60, 200)
)
def test_what_is_shortened_ends_with_a_whole_sentence_and_counts_the_others(sentences, limit):
    text = "".join(sentences).strip()
    said = shortened(text, limit)

    assert len(said) <= limit
    assert said == text or said.endswith(("sentence left out here.)", "sentences left out here.)"))


@given(st.integers(81, 900), st.integers(160, 600), st.sampled_from([" ", "x", "ordinary words "]))
def test_a_sentence_longer_than_its_room_is_quoted_and_what_is_missing_counted(length, limit, filling):
    text = ("It broke" + filling * length)[:length].strip()
    said = shortened(text, limit)

    assert len(said) <= limit
    if said != text:
        kept, _, more = said.removeprefix('"').partition('" and ')
        assert text.startswith(kept)
        assert int(more.removesuffix(" more characters.").replace(",", "")) == len(text) - len(kept)


def test_a_table_has_the_first_sentence_whole_although_it_is_long():
    long_one = f"Instance 4 {'of the batch ' * 20}is down."
    more = "Resume it when it serves again, or leave the rest to Azure."
    note = "(1 more sentence left out here.)"
    assert first_sentences(f"{long_one} {more}", 160, 640) == f"{long_one} {note}"
    assert first_sentences("It waits. It is Sunday.", 160, 640) == "It waits. It is Sunday."


def test_a_name_too_long_for_its_place_ends_in_an_ellipsis():
    assert shortened("payments-prod-in-the-north", 12) == "payments-pr…"


def test_what_a_run_still_asks_is_the_headline_whatever_has_been_said_since():
    asks = notice(1, Kind.PAUSED, Urgency.PAGE, answers=("resume",))
    news = notice(2, Kind.TROUBLE)
    still, goes_on = (run("db", state=state) for state in (RunState.PAUSED, RunState.RUNNING))

    assert together(((still, asks), (still, news)), PLAIN).what == "db needs your action"
    assert together(((goes_on, asks), (goes_on, news)), PLAIN).what == "db: Azure refused a start"
