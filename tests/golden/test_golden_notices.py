"""Every kind of message as card, mail and text is what was looked at last; `python -m tests.golden` writes it anew."""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from planner.record.notice import Kind
from tests.golden.files import FOLDER, forms, kept, names
from tests.golden.scenes import ALONE, ASKING, SCENES

HOSTILE = [name for name in SCENES if "hostile" in name]
PLAIN = [name for name in SCENES if name not in HOSTILE]


@cache
def made(name: str) -> dict[str, str]:
    return forms(SCENES[name]())


def title(name: str) -> str:
    return next(_texts(json.loads(made(name)["card.json"])))


def lines(name: str) -> list[str]:
    """Of the mail's text, without its subject and what is empty."""
    return [line for line in made(name)["txt"].splitlines() if line][1:]


@pytest.mark.parametrize("name", SCENES)
def test_a_message_is_what_was_looked_at(name):
    for suffix, text in made(name).items():
        assert kept(FOLDER, f"{name}.{suffix}") == text, "python -m tests.golden writes it anew: look at it"


def test_there_is_no_file_of_a_message_that_is_none():
    assert names(FOLDER) == {f"{name}.{suffix}" for name in SCENES for suffix in ("card.json", "html", "txt")}


def test_every_kind_of_notice_has_its_message():
    told = {SCENES[name]().kind for name in SCENES}

    assert {kind.value for kind in Kind} - {"planned"} <= told


def _texts(part: Any) -> Iterator[str]:
    """The texts of a card, the title first, without the values of facts."""
    if isinstance(part, dict):
        if part.get("type") in {"TextBlock", "TextRun"}:
            yield part["text"]
        for value in part.values():
            yield from _texts(value)
    elif isinstance(part, list):
        for one in part:
            yield from _texts(one)


@pytest.mark.parametrize("name", PLAIN)
def test_nothing_is_cut(name):
    assert not any("\N{HORIZONTAL ELLIPSIS}" in text for text in made(name).values())


def test_of_what_is_endless_whole_sentences_are_kept_and_the_others_are_counted():
    texts = [text for name in HOSTILE for text in _texts(json.loads(made(name)["card.json"]))]
    long = [text for text in texts if "somebody wrote again" in text]

    assert long
    for text in long:
        assert re.search(r"sentences left out here\.\)", text), text[-200:]
        assert "\N{HORIZONTAL ELLIPSIS}" not in text


@pytest.mark.parametrize("name", ASKING)
def test_what_asks_says_what_about_what_by_when_and_what_happens_otherwise_before_anything_else(name):
    head = made(name)["txt"].split("\n  https://")[0]

    assert lines(name)[0] == title(name)
    assert "If nobody answers" in head or "too late to answer" in head


def test_where_azure_cannot_be_read_the_first_lines_say_what_to_check():
    head = made("trouble")["txt"].split("\n  https://")[0]

    assert "Check that Azure answers and its identity still has its role." in head


@pytest.mark.parametrize("name", [name for name in SCENES if name not in {*ALONE, "unread", "paused-again"}])
def test_every_message_says_why_it_comes(name):
    assert "You get this now because" in made(name)["txt"]


def test_a_page_that_comes_again_says_that_nobody_has_acknowledged_it():
    assert "\nNobody has acknowledged it since Mon 23 Nov 09:00 UTC." in made("paused-again")["txt"]
    assert "You get this now" not in made("paused-again")["txt"]


def test_of_a_scale_set_that_was_deleted_nothing_is_said_to_serve():
    assert lines("completed-deleted")[0] == "web-5: over, the scale set was deleted"
    assert "0 of 0" not in made("completed-deleted")["txt"]


def test_checks_of_which_the_same_is_said_share_a_sentence():
    assert made("announced")["txt"].count("Azure had not answered about it") == 3


@pytest.mark.parametrize("name", ALONE)
def test_a_message_about_no_wave_says_what_has_made_somebody_send_it(name):
    assert ALONE[name].text.replace("`", "") in " ".join(made(name)["txt"].split()).replace("`", "")


@pytest.mark.parametrize("name", SCENES)
def test_a_subject_is_one_line_in_whole_parts(name):
    subject = SCENES[name]().subject

    assert len(subject) <= 150
    assert "\n" not in subject
    assert subject.startswith(title(name))


@pytest.mark.parametrize("name", PLAIN)
def test_every_time_names_its_zone(name):
    times = re.findall(
        r"\b\d\d:\d\d\b(?!-)(?! [A-Z]{3,4}\b)(?! Europe/)(?! to )[^\n]{0,12}", made(name)["txt"]
    )

    assert not times
