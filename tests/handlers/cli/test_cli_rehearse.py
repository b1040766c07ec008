"""`breakwater rehearse`: the coming wave played on a snapshot, as a user types it."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from handlers.cli.troubles import Asked, trouble
from planner.rehearsal.trouble import Moved, Span, Throttling

TIGHT = "defaults: {self-service: always, windows: 'Sat 02:00-03:00 Europe/Berlin', soak: 2h}\n"


def story(said: str) -> dict:
    return json.loads(said)


def test_the_same_seed_tells_the_same_story_and_another_one_another(typed, fleet, policy_file):
    asked = ("rehearse", "--from", fleet, "--policy", policy_file, "--fail", "30%", "-o", "json")
    (_, first, _), (_, again, _), (_, other, _) = (typed(*asked, "--seed", seed) for seed in ("1", "1", "2"))
    assert first == again
    assert story(first)["scale_sets"] != story(other)["scale_sets"]


def test_it_starts_and_ends_what_the_plan_says_where_nothing_fails(typed, fleet, policy_file):
    _, planned, _ = typed("plan", "--from", fleet, "--policy", policy_file, "-o", "json")
    _, played, _ = typed("rehearse", "--from", fleet, "--policy", policy_file, "-o", "json")
    wanted = {one["scale_set"]: one for one in story(planned)["scale_sets"]}
    for one in story(played)["scale_sets"]:
        assert one["verdict"] == wanted[one["scale_set"]]["verdict"]
        if one["verdict"] == "self_service":
            assert one["state"] == "completed"


def test_instances_that_do_not_come_back_page_and_show_in_the_curve(typed, fleet, policy_file):
    code, said, _ = typed(
        "rehearse", "--from", fleet, "--policy", policy_file, "--fail", "100%", "-o", "json"
    )
    told = story(said)["told"]
    assert [one for one in told if one["urgency"] == "page"]
    ours = [one for one in story(said)["scale_sets"] if one["by_azure"] is None]
    assert max(one["most_down"] for one in ours) == 1, "one at a time all the same"
    assert code in {0, 2}


def test_what_is_missed_ends_with_2_and_says_what_would_avoid_it(typed, fleet, tmp_path):
    file = tmp_path / "tight.yaml"
    file.write_text(TIGHT)
    code, said, _ = typed("rehearse", "--from", fleet, "--policy", file)
    assert code == 2
    assert "Missed (" in said
    assert "What would have avoided it:" in said


def test_nobody_who_approves_leaves_it_to_azure(typed, fleet, policy_file):
    never = ("--approve-after", "never")
    _, said, _ = typed("rehearse", "--from", fleet, "--policy", policy_file, *never, "-o", "json")
    ends = {one["name"]: one["state"] for one in story(said)["scale_sets"]}
    assert ends["payments-prod"] != "completed"


def test_a_cancelled_wave_ends_what_has_not_begun(typed, fleet, policy_file):
    _, said, _ = typed(
        "rehearse", "--from", fleet, "--policy", policy_file, "--cancel-after", "2d", "-o", "json"
    )
    ends = {one["state"] for one in story(said)["scale_sets"] if one["verdict"] == "self_service"}
    assert ends == {"cancelled"}


def test_without_a_wave_everything_counts_as_due_from_the_start_that_is_named(typed, fleet, policy_file):
    seen = json.loads(fleet.read_text())
    for subscription in seen["subscriptions"]:
        subscription["maintenance"] = []
    fleet.write_text(json.dumps(seen))
    start = ("--start", "2027-02-01")
    _, said, _ = typed("rehearse", "--from", fleet, "--policy", policy_file, *start, "-o", "json")
    assert story(said)["as_if"] is True
    assert story(said)["start"] == "2027-02-01T00:00:00Z"


def test_the_page_is_one_file_that_opens_by_itself_and_says_that_it_is_made_up(
    typed, fleet, policy_file, tmp_path
):
    page = tmp_path / "wave.html"
    _, _, noted = typed("rehearse", "--from", fleet, "--policy", policy_file, "--html", page)
    assert "The story as a page" in noted
    written = page.read_text()
    assert "<svg" in written
    assert "nothing was started, and nobody was told" in written
    assert "http://" not in written.replace("http://www.w3.org", "")


def test_a_page_that_cannot_be_written_is_named(typed, fleet, policy_file, tmp_path):
    code, _, noted = typed(
        "rehearse", "--from", fleet, "--policy", policy_file, "--html", tmp_path / "no" / "x.html"
    )
    assert code == 1
    assert "cannot be written" in noted


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--fail", "lots", "write a share such as 3%"),
        ("--fail", "300%", "write a share such as 3%"),
        ("--throttle", "2h", "write two durations such as 2h:30m"),
        ("--move", "3d:soon", "is not a duration"),
        ("--cancel-after", "soon", "is not a duration"),
        ("--start", "soon", "is not a date"),
    ],
)
def test_an_option_that_cannot_be_read_says_how_it_is_written(typed, option, value, says):
    code, said, noted = typed("rehearse", option, value)
    assert (code, said) == (64, "")
    assert option in noted
    assert says in noted


def test_the_options_say_what_goes_wrong():
    h, d = timedelta(hours=1), timedelta(days=1)
    made = trouble(Asked("3%", "10%", "20h", "never", "20m", ["2h:30m"], ["1h:10m"], ["3d:2d"], "5d"))
    assert (made.lost, made.slow, made.cancelled) == (0.03, 0.1, 5 * d)
    assert (made.approves, made.resumes) == (Span(20 * h, 20 * h), None)
    assert made.unread == (Throttling(h, h / 6),)
    assert made.acknowledges == Span(h / 3, h / 3)
    assert (made.throttled, made.moved) == ((Throttling(2 * h, h / 2),), (Moved(3 * d, 2 * d),))


def test_no_policy_is_said(typed, fleet):
    _, _, noted = typed("rehearse", "--from", fleet)
    assert "No policy file" in noted


def test_a_fleet_without_scale_sets_cannot_be_rehearsed(typed, fleet):
    seen = json.loads(Path(fleet).read_text())
    for subscription in seen["subscriptions"]:
        subscription |= {"scale_sets": [], "instances": {}, "maintenance": []}
    fleet.write_text(json.dumps(seen))
    code, _, noted = typed("rehearse", "--from", fleet)
    assert code == 1
    assert "nothing to rehearse" in noted


def test_what_a_rehearsal_ends_with_can_be_rendered_like_the_app_s_own_records(
    typed, fleet, policy_file, tmp_path
):
    records, page = tmp_path / "runs.jsonl", tmp_path / "wave.html"
    typed("rehearse", "--from", fleet, "--policy", policy_file, "--records", records)
    code, _, _ = typed("render", records, "--as", "page", "--at", "2027-01-02T00:00:00Z", "-o", page)
    assert code == 0
    assert "web-prod" in page.read_text()
    assert "Completed" in page.read_text()
