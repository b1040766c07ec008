"""Every kind of message as card, mail and text is what was looked at last; `python -m tests.golden` writes it anew."""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from handlers.render.letter import Letter
from planner.record.notice import Kind
from tests.golden.files import FOLDER, forms
from tests.golden.scenes import ASKING, SCENES

HOSTILE = "paused-hostile"


@cache
def letter(name: str) -> Letter:
    return SCENES[name]()


@cache
def made(name: str) -> dict[str, str]:
    return forms(letter(name))


@pytest.mark.parametrize("name", SCENES)
def test_a_message_is_what_was_looked_at(name):
    for suffix, text in made(name).items():
        path = FOLDER / f"{name}.{suffix}"
        assert path.read_text(encoding="utf-8") == text, "python -m tests.golden writes it anew: look at it"


def test_there_is_no_file_of_a_message_that_is_none():
    names = {f"{name}.{suffix}" for name in SCENES for suffix in ("card.json", "html", "txt")}

    assert {path.name for path in FOLDER.iterdir()} == names


def test_every_kind_of_notice_has_its_message():
    told = {letter(name).kind for name in SCENES}

    assert {kind.value for kind in Kind} - {"planned"} <= told


def _blocks(part: Any) -> Iterator[str]:
    """The texts of a card that are sentences: neither headings nor values of facts."""
    if isinstance(part, dict):
        if part.get("type") in {"TextBlock", "TextRun"} and part.get("weight") != "Bolder":
            yield part["text"]
        for value in part.values():
            yield from _blocks(value)
    elif isinstance(part, list):
        for one in part:
            yield from _blocks(one)


@pytest.mark.parametrize("name", [name for name in SCENES if name != HOSTILE])
def test_nothing_is_cut(name):
    assert not any("\N{HORIZONTAL ELLIPSIS}" in text for text in made(name).values())


def test_of_what_is_endless_whole_sentences_are_kept_and_the_others_are_counted():
    texts = list(_blocks(json.loads(made(HOSTILE)["card.json"])))
    long = [text for text in texts if "somebody wrote again" in text]

    assert long
    for text in long:
        assert re.search(r"sentences left out here\.\)", text), text[-200:]
        assert "\N{HORIZONTAL ELLIPSIS}" not in text


@pytest.mark.parametrize("name", ASKING)
def test_what_asks_says_what_about_what_by_when_and_what_happens_otherwise_before_anything_else(name):
    asks = letter(name)
    (first, *_) = [line for line in made(name)["txt"].splitlines() if line][1:]
    head = made(name)["txt"].split("\n  https://")[0]

    assert first == asks.title
    assert "If nobody answers" in head or "too late to answer" in head
    assert asks.events[0].otherwise
    assert asks.title in asks.subject


def test_where_azure_cannot_be_read_the_first_lines_say_what_to_check():
    head = made("trouble")["txt"].split("\n  https://")[0]

    assert "Check that Azure answers and its identity still has its role." in head


@pytest.mark.parametrize("name", SCENES)
def test_every_message_says_why_it_comes(name):
    asks = letter(name)
    every = [asks.why, *(event.why for event in asks.events)]

    # A message about no scale set begins with what has made somebody send it.
    assert (
        any(why.startswith("You get this now because") for why in every)
        or not asks.tracking_id
        or asks.sentence
    )


@pytest.mark.parametrize("name", SCENES)
def test_a_subject_is_one_line_in_whole_parts(name):
    subject = letter(name).subject

    assert len(subject) <= 150
    assert "\n" not in subject
    if name != HOSTILE:
        assert subject.startswith(letter(name).title)


@pytest.mark.parametrize("name", [name for name in SCENES if "hostile" not in name])
def test_every_time_names_its_zone(name):
    times = re.findall(
        r"\b\d\d:\d\d\b(?!-)(?! [A-Z]{3,4}\b)(?! Europe/)(?! to )[^\n]{0,12}", made(name)["txt"]
    )

    assert not times
