"""A run's page: what to choose and what to type, the plan in figures, why, and no list without an end."""

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape

from handlers.render import page
from handlers.render.addresses import Addresses
from planner.notices.digest import Overview
from planner.record.check import Check, Outcome
from planner.record.run import Entry, Repairs, Run
from planner.record.states import BatchState, InstanceState
from tests.notices import (
    CAPACITY,
    CHOICES,
    NOW,
    TRACKING,
    batch,
    followed,
    misfit,
    run,
    short_of_time,
    wave,
)  # fmt: skip

ADDRESSES = Addresses("https://breakwater.example")


def report_of(*runs: Run) -> page.Report:
    return page.Report(TRACKING, (wave(*runs),), runs, Overview({"paused": len(runs)}), ())


def text_of(one: Run) -> str:
    """What a reader sees of a run's page, in one line, a space between elements."""
    return words_of(page.run_page(TRACKING, one, ADDRESSES, NOW))


def words_of(page_html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page_html.partition("</style>")[2])).split())


def test_each_choice_stands_on_the_page_with_exactly_what_to_type():
    text = text_of(misfit("db"))

    for choice in CHOICES:
        sentence = text.index(choice.sentence)
        typed = text[sentence : text.index("}'", sentence)]
        assert f"/shop/db/{choice.word}" in typed
        for key, value in choice.to.items():
            assert f'"{key}": "{value}"' in typed
    assert text.count("/shop/db/resume") == 1, "a word among the choices is not offered twice"
    assert "/shop/db/skip" in text
    assert "2 d too late" in text
    assert CAPACITY in text


def test_a_run_whose_time_is_short_is_asked_about_although_it_goes_on():
    late = short_of_time("db")
    report = report_of(late)

    for text in (text_of(late), words_of(page.wave_page(report, ADDRESSES, NOW))):
        assert "Time is short. The plan does not fit" in text
        assert '"soak": "22m"' in text
        assert "/shop/db/hold" in text
    assert "Time is short" not in text_of(replace(late, times=replace(late.times, slack=timedelta(hours=1))))


def test_why_a_run_is_due_again_and_what_is_suspended_are_on_its_page():
    text = text_of(
        run(
            "db",
            again="Instance 4 is scheduled for the second time: it was stopped.",
            repairs=Repairs(NOW, resuming_since=NOW),
            raised={"soak": "10m"},
            start_by=NOW,
        )
    )

    assert "Second time Instance 4 is scheduled for the second time: it was stopped." in text
    assert (
        "Automatic repairs Suspended by this run since Tue 24 Nov 2026 12:00 UTC, being switched back on"
        in text
    )
    assert "Raised for this run soak 10m" in text
    assert "Start by Tue 24 Nov 2026 12:00 UTC (in 0 s), to make the deadline" in text


def test_a_checks_evidence_is_on_the_page():
    seen = Check("short-lived", Outcome.BLOCK, "Autoscale removed 9.", ("4",), ("activity log", "autoscale"))

    assert "Autoscale removed 9. Read: activity log; autoscale. 1 instance: 4" in text_of(
        run("db", checks=(seen,))
    )


def test_what_azure_does_is_told_in_the_order_it_was_seen():
    text = text_of(followed("db", over=False))

    assert [text.index(f"domain {number}") for number in "021"] == sorted(
        text.index(f"domain {number}") for number in "021"
    )
    assert "domain 1 · waiting 1 Not down so far." in text
    assert "not before" not in text


def test_the_states_word_is_not_said_twice():
    assert "db in VM8T-1Q8 - Azure is done with it" in text_of(followed("db"))
    assert "db in VM8T-1Q8 - Left to Azure: nobody declared a need" in text_of(followed("db", over=False))


def test_a_thousand_instances_leave_a_page_that_can_be_read():
    batches = tuple(
        replace(
            batch(number, *(f"{number}-{place}" for place in range(100)), state=InstanceState.MAINTAINED),
            state=BatchState.DONE if number <= 100 else BatchState.PENDING,
        )
        for number in range(1, 201)
    )
    line = Entry(NOW, "breakwater", "batch started", "A batch.")
    huge = run("db", batches=batches, history=(line,) * 400)
    html = page.run_page(TRACKING, huge, ADDRESSES, NOW)
    text = text_of(huge)

    assert len(html) < 60_000
    assert "96 earlier batches with 9600 instances left out here; the JSON has them all." in text
    assert "88 later batches with 8800 instances left out here" in text
    assert "97. domain 0" in text
    assert "101. domain 0" in text
    assert "and 60 more" in text
    assert "280 lines left out here" in text


def test_instances_that_ended_alike_at_the_same_moment_are_one_line_of_history():
    lines = (
        Entry(NOW, "azure", "by Azure", "Maintained.", instances=("1", "2", "3")),
        Entry(NOW, "azure", "by Azure", "Otherwise.", instances=("4",)),
    )
    text = text_of(run("db", history=lines))

    assert "instances 1, 2, 3 by Azure: Maintained." in text
    assert "instance 4 by Azure: Otherwise." in text


def test_of_many_that_ask_the_rest_are_named_with_links():
    runs = tuple(misfit(f"set-{number:03}") for number in range(40))
    html = page.wave_page(report_of(*runs), ADDRESSES, NOW)

    asked = html.count('class="asks short"')
    assert 20 <= asked <= page.ASKING
    assert f"{40 - asked} more scale sets ask, each on its own page" in html


def test_a_batch_of_which_nothing_was_maintained_is_over_and_not_done():
    for state, word in ((InstanceState.MISSED, "over"), (InstanceState.MAINTAINED, "done")):
        ended = replace(batch(1, "1", state=state), state=BatchState.DONE)
        assert f"{word} " in text_of(run("web", batches=(ended,))).partition("Takes away")[2][:60]


def test_what_azure_has_finished_reads_as_a_sentence_beside_its_state():
    text = words_of(page.wave_page(report_of(followed("web")), ADDRESSES, NOW))
    assert "- Left to Azure Azure is done with it: 3 by Azure." in text
