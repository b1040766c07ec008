"""What many scale sets say alike is read once; machines get every notice."""

from dataclasses import replace
from datetime import timedelta

from handlers.render.addresses import Addresses
from handlers.render.compose import compose
from handlers.render.folding import folded
from handlers.render.forms import render
from handlers.render.letter import Letter, Story
from planner.notices.digest import Overview
from planner.record.instance import InstanceProgress
from planner.record.notice import Kind, Notice, Urgency
from planner.record.run import Run
from planner.record.states import InstanceState, RunState
from tests.altered import altered
from tests.notices import NOW, TRACKING, batch, followed, notice, paused, run, wave

SENTENCE = "Azure is done with it: 3 by Azure. Azure rebooted 3 instances between {} and later."


def letter(*items: tuple[Run, Notice], **more: object) -> Letter:
    runs = [one for one, _ in items]
    story = Story(TRACKING, (wave(*runs),), items, Overview({"completed": len(runs)}), **more)  # type: ignore[arg-type]
    return compose(story, Addresses("https://breakwater.example"), NOW)


def over(number: int) -> tuple[Run, Notice]:
    """Left to Azure and over, like the others but for the moment."""
    said = notice(2, Kind.COMPLETED, sentence=SENTENCE.format(NOW + timedelta(seconds=number)))
    one = followed(f"set{number:03}")
    return replace(one, story=replace(one.story, notices=(said,))), said


def planned(number: int) -> tuple[Run, Notice]:
    one = run(f"set{number:03}", notice(), state=RunState.LEFT_TO_AZURE, reason="Left to Azure: no need.")
    return one, one.story.notices[0]


def test_two_hundred_that_azure_has_finished_are_one_line():
    message = render(letter(*map(over, range(200))), "0" * 32, "wave")
    assert message.text.count("by Azure") == 1
    assert "Completed (200)" in message.text
    assert "set000, set001, set002, " in message.text
    assert " more (shop, westeurope): In each: Azure is done with it: 3 by Azure." in message.text
    assert len(message.text) < 2500
    assert message.subject == f"200 scale sets are done: set000, set001, set002 and 197 more [{TRACKING}]"


def test_a_machine_gets_every_notice_that_people_read_in_one_line():
    message = render(letter(*map(over, range(200))), "0" * 32, "wave")
    assert len(message.payload["events"]) == 200


def test_three_are_told_one_by_one_with_all_they_have_to_say():
    text = render(letter(*map(over, range(3))), "0" * 32, "wave").text
    assert text.count("Azure rebooted 3 instances between") == 3


def test_what_asks_for_something_is_never_folded():
    asking = tuple((run, run.story.notices[-1]) for run in (paused(f"set{number}") for number in range(9)))
    assert len(folded(letter(*asking)).events) == 9


def test_a_scale_set_with_more_than_one_notice_tells_them_both():
    items = tuple(over(number) for number in range(8))
    first = items[0][0]
    also = notice(1, Kind.TROUBLE, Urgency.KNOW)
    shown = folded(letter((first, also), *items))
    assert [event.name for event in shown.events] == ["set000", "set000"]
    assert len(shown.parts[0].lines) == 1


def test_a_digest_says_once_what_holds_for_many():
    text = render(letter(*map(planned, range(60))), "0" * 32, "wave").text
    assert text.count("Left to Azure: no need.") + text.count("left to Azure: no need.") == 1
    assert all(f"set{number:03}" in text for number in range(60))


def test_the_waves_end_does_not_say_twice_how_a_scale_set_ended():
    done = replace(
        run("web", state=RunState.COMPLETED, reason="Both instances rebooted and healthy."),
        batches=(batch(1, "1", "2", state=InstanceState.MAINTAINED),),
    )
    skipped = InstanceProgress("1", state=InstanceState.SKIPPED, reason="Skipped by Ana.")
    left = replace(done, target=replace(done.target, name="db"), reason="Every instance: 1 skipped.")
    left = replace(left, batches=(replace(done.batches[0], instances=(skipped,)),))
    text = render(letter(ended=(done, left)), "0" * 32, "wave").text
    assert "web (shop, westeurope): Completed; 2 instances: 2 rebooted by us.\n" in text
    assert "db (shop, westeurope): Completed; 1 instance: 1 skipped. Instance 1: skipped by Ana.\n" in text


def test_the_first_lines_of_a_digest_say_how_many_need_action_and_which():
    asking = [altered(paused(f"set{number}"), notices=(notice(),)) for number in range(11)]
    many = letter(*((run, run.story.notices[0]) for run in asking))
    assert many.title == f"{TRACKING}: 11 scale sets in westeurope"
    assert many.sentence == "11 need you: set0, set1, set10 and 8 more."
    assert letter((asking[0], asking[0].story.notices[0])).sentence == "1 needs you: set0."


def test_an_announcement_that_hits_nobody_does_not_say_that_it_hits():
    spared = run("web", notice(), state=RunState.NOT_IMPACTED)
    said = letter((spared, spared.story.notices[0]))
    assert (said.title, said.by) == (f"{TRACKING}: your scale set is not affected", "nothing to do")


def test_a_digest_that_comes_with_a_question_still_says_that_a_wave_is_announced():
    asks = paused("web")
    said = letter(*((asks, notice) for notice in asks.story.notices))
    assert said.word == "Paused"
    assert said.sentence == f"The wave {TRACKING} is announced, too: 1 needs you: web."


def test_a_deadline_that_has_passed_is_not_the_next_one():
    one, said = over(1)
    for deadline, term in ((NOW - timedelta(hours=1), "Deadline passed"), (NOW, "Next deadline")):
        story = Story(TRACKING, (wave(one),), ((one, said),), Overview({"running": 1}, deadline=deadline))
        assert term in dict(compose(story, Addresses(), NOW).facts)


def test_numbers_of_the_whole_wave_are_not_taken_for_those_of_the_receiver():
    one, said = planned(1)
    seen = Overview({"paused": 1, "scheduled": 11}, needs_person=1)
    facts = dict(compose(Story(TRACKING, (wave(one),), ((one, said),), seen), Addresses(), NOW).facts)
    assert facts["Whole wave"] == "12 scale sets: 1 paused, 11 scheduled"
