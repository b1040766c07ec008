"""Every card against the published schema, against Teams' limits and against text from outside."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

import pytest
from jsonschema import Draft6Validator
from jsonschema.exceptions import best_match
from markdown_it import MarkdownIt

from handlers.render.addresses import Addresses
from handlers.render.compose import compose, standalone
from handlers.render.forms import CARD_BYTES, EDGES, ROW, card, render
from handlers.render.letter import Letter, Story
from planner.notices.digest import Overview
from planner.record.check import Check, Outcome
from planner.record.notice import Choice, Down, Kind, Urgency
from planner.record.run import Repairs, Run
from planner.record.states import InstanceState, RunState
from tests.notices import (
    CHOICES,
    NOW,
    TRACKING,
    batch,
    followed,
    misfit,
    notice,
    paused,
    repairing,
    run,
    short_of_time,
    wave,
)  # fmt: skip

ADDRESSES = Addresses(
    "https://breakwater.example",
    lambda place, action, checksum, to: f"{action}.{len(place)}.{checksum[:4]}{'.'.join(to)}",
)
PLAIN = Addresses("https://breakwater.example")
HOSTILE = (
    "<script>alert(1)</script>",
    "[Click here](https://evil.example/steal)",
    "![pixel](https://evil.example/p.png)",
    "**urgent** _now_ ~~old~~ `code`",
    "https://evil.example/ and www.evil.example and javascript:alert(1)",
    "<at>everyone</at> <https://evil.example>",
    'quote " backslash \\ brace {{ 7*7 }} ${x} {% raw %}',
    "line one\nline two\r\n# heading\n- item\n1. item\n> quote\n---\n===\n| a | b |",
    "\u202egnirts desrever\u202c \u0000 \u0007 \ud800",
    "&lt;b&gt;bold&lt;/b&gt; &#60;i&#62;",
    "[ref]: https://evil.example\n[ref]",
    "x" * 5000,
    "[" * 2500 + "](" + ")" * 2400,
    "",
)


@cache
def _schema() -> Draft6Validator:
    text = (files("adaptive_cards") / "schemas" / "schema-1.4.json").read_text(encoding="utf-8")
    return Draft6Validator(json.loads(text), format_checker=Draft6Validator.FORMAT_CHECKER)


def _check(made: dict[str, Any]) -> None:
    """What the schema says, and what it forgets to say."""
    shown = {
        key: value for key, value in made.items() if key != "msteams"
    }  # Teams' own, unknown to the schema
    error = best_match(_schema().iter_errors(shown))
    assert error is None, f"{error.message[:500]} at {list(error.absolute_path)}"
    assert made["version"] == "1.4"
    assert made["msteams"] == {"width": "Full"}
    assert made["fallbackText"]
    assert len(json.dumps(made)) <= CARD_BYTES
    for action in (one for row in _buttons(made) for one in row):
        assert action["type"] == "Action.OpenUrl"
        parts = urlsplit(action["url"])
        assert parts.scheme == "https"
        assert parts.hostname in {"breakwater.example", "app.azure.com", "portal.azure.com"}


def _texts(part: Any) -> Iterator[str]:
    """Every text that Teams reads markdown in: text blocks and facts, not the runs of a rich text block."""
    if isinstance(part, dict):
        if part.get("type") == "TextBlock":
            yield part["text"]
        if part.get("type") == "FactSet":
            yield from (fact["value"] for fact in part["facts"])
        for value in part.values():
            yield from _texts(value)
    elif isinstance(part, list):
        for one in part:
            yield from _texts(one)


def _runs(part: Any) -> Iterator[str]:
    """Every text in which nothing reads markdown, the commands to type apart."""
    if isinstance(part, dict):
        if part.get("type") == "TextRun" and part.get("fontType") != "Monospace":
            yield part["text"]
        for value in part.values():
            yield from _runs(value)
    elif isinstance(part, list):
        for one in part:
            yield from _runs(one)


def _buttons(made: dict[str, Any]) -> list[list[dict[str, str]]]:
    """The rows of buttons, those of the whole card last."""
    parts = [one for part in made["body"] for one in (part, *part.get("items", ()))]
    return [one["actions"] for one in parts if one["type"] == "ActionSet"]


def _titles(made: dict[str, Any]) -> list[list[str]]:
    return [[one["title"] for one in row] for row in _buttons(made)]


def _letter(
    *runs: Run,
    ended: tuple[Run, ...] = (),
    planning: int = 0,
    title: str = "Planned",
    addresses: Addresses = ADDRESSES,
) -> Letter:
    items = tuple((one, said) for one in runs for said in one.story.notices)
    counts: dict[str, int] = {}
    for one in runs:
        counts[one.state.value] = counts.get(one.state.value, 0) + 1
    seen = Overview(counts, sum(one.needs_person for one in runs), NOW + timedelta(days=1), planning)
    return compose(Story(TRACKING, (wave(*runs, title=title),), items, seen, ended), addresses, NOW)


def _of_kind(kind: Kind, urgency: Urgency) -> Letter:
    return _letter(run("web", notice(1, kind, urgency, answers=("approve", "hold", "resume", "skip"))))


DONE = run("web", state=RunState.COMPLETED, batches=(batch(1, "1", state=InstanceState.MAINTAINED),))
LETTERS = {
    **{f"{kind.value}-{urgency.value}": _of_kind(kind, urgency) for kind in Kind for urgency in Urgency},
    "announced": _letter(
        run("web", notice()),
        paused("db"),
        run("batch", notice(), state=RunState.LEFT_TO_AZURE),
        run("calm", notice(), state=RunState.NOT_IMPACTED),
        planning=12,
    ),
    "does not fit": _letter(misfit("db")),
    "time is short": _letter(short_of_time("db")),
    "repairs": _letter(repairing("db")),
    "left to Azure": _letter(followed("db"), ended=(followed("db"),)),
    "finished": _letter(ended=(DONE,)),
    "test": standalone("test", "", "", ADDRESSES),
    "wired": standalone("wired", "TEST-TTT", "", ADDRESSES),
    "quarantined": standalone("quarantined", "", "Something odd.", ADDRESSES),
    "empty_wave": standalone("empty_wave", TRACKING, "No scale set in uksouth.", ADDRESSES),
    "unknown_wave": standalone("unknown_wave", TRACKING, "Seen by a search.", ADDRESSES),
}


@pytest.mark.parametrize("name", LETTERS)
def test_every_card_follows_the_schema(name):
    _check(card(LETTERS[name]))


@pytest.mark.parametrize("name", LETTERS)
def test_every_card_opens_with_what_is_asked_or_happened_and_by_when(name):
    letter = LETTERS[name]
    first, second = card(letter)["body"][:2]

    assert (first["size"], first["weight"]) == ("Large", "Bolder")
    assert first["text"] == letter.title
    assert not letter.by or second["text"].lower() == letter.by.lower()


def test_what_asks_comes_before_everything_else_with_its_buttons():
    (container, *_) = [part for part in card(_letter(paused("db")))["body"] if part["type"] == "Container"]
    kinds = [one["type"] for one in container["items"]]

    assert "FactSet" in kinds
    assert kinds.index("ActionSet") < kinds.index("FactSet")
    assert kinds.index("ActionSet") <= 5


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_text_from_outside_stays_text(text):
    hostile = notice(
        1,
        Kind.PAUSED,
        Urgency.PAGE,
        sentence=text,
        serving=text,
        otherwise=text,
        down=(Down(text, text, text, text, text),),
        answers=("resume",),
        choices=(Choice("soak", text, "raise", {"windows": text}),),
    )
    odd = Check("protection", Outcome.UNKNOWN, text or "-", (text,), (text,))
    one = run(
        "web", notice(), hostile, state=RunState.PAUSED, reason=text, mode=text, misfit="It does not fit.",
        choices=hostile.choices, checks=(odd,), capacity=text, again=text, raised={"windows": text},
        repairs=Repairs(NOW, error=text),
    )  # fmt: skip
    strange = replace(one, target=replace(one.target, name=text, resource_group=text, location=text))
    made = card(_letter(strange, ended=(strange,), title=text))

    _check(made)
    for shown in _texts(made):
        html = MarkdownIt("gfm-like", {"linkify": False}).render(shown)
        for tag in (
            "<a",
            "<img",
            "<strong",
            "<em",
            "<s>",
            "<code",
            "<pre",
            "<h1",
            "<ul",
            "<ol",
            "<hr",
            "<table",
        ):
            assert tag not in html, (tag, shown[:200])
        assert "<blockquote" not in html
        assert "\\" not in shown
    for shown in (*_texts(made), *_runs(made)):
        assert "://" not in shown
        assert "www." not in shown


@pytest.mark.parametrize(
    "text", ["a*b*c", "web [blue]", "C:\\temp\\new", "<5 min", "_private_", "~~old~~", "x | y", "`code`"]
)
def test_what_markdown_would_change_is_shown_letter_by_letter(text):
    made = card(_letter(run("web", notice(1, Kind.PAUSED, Urgency.PAGE, sentence=text)), title=text))

    assert text in set(_runs(made))
    assert any(text in one for one in _runs(made) if one.startswith("Wave: "))
    assert not any("\\" in shown for shown in _texts(made))


@pytest.mark.parametrize(
    ("newer", "where"),
    [
        ({"type": "TextBlock", "text": "x", "style": "heading"}, "body"),
        ({"type": "Table", "columns": [], "rows": []}, "body"),
        ({"type": "Action.OpenUrl", "url": "https://x.example", "tooltip": "x"}, "actions"),
        ({"type": "Action.OpenUrl", "url": "https://x.example", "mode": "secondary"}, "actions"),
    ],
)
def test_what_came_after_version_1_4_is_found_by_this_schema(newer, where):
    made = {key: value for key, value in card(LETTERS["announced"]).items() if key != "msteams"}
    assert not list(_schema().iter_errors(made))
    assert list(_schema().iter_errors({**made, where: [newer]}))


def test_ordinary_names_are_shown_without_a_single_backslash():
    made = card(
        _letter(
            run("db_prod-01.west", notice(1, Kind.STARTED, sentence="Started 2 of 18 (zone 1, domain 0)."))
        )
    )

    assert not any("\\" in text for text in _texts(made))


def test_five_hundred_scale_sets_fit_and_the_rest_is_counted():
    letter = _letter(*(run(f"set-{number:03}", notice()) for number in range(500)))
    made = card(letter)
    lines = [text for text in _texts(made) if text.startswith("set-") and "(shop" in text]
    (more,) = [text for text in _texts(made) if text.endswith("more in the report.")]

    _check(made)
    assert len(lines) > 20
    assert int(more.split()[0]) == 500 - len(lines)


def test_what_needs_an_answer_is_kept_when_a_card_grows_too_large():
    letter = _letter(*(run(f"set-{number:03}", notice()) for number in range(500)), paused("zz-db"))

    assert "zz-db" in json.dumps(card(letter))


def test_a_single_scale_set_can_be_answered_with_a_button():
    assert _titles(card(_letter(paused("db")))) == [
        ["Resume", "Leave to Azure"],
        ["Open", "Portal"],
        ["Open the wave", "Calendar"],
        ["Service Health"],
    ]


def test_each_of_several_scale_sets_has_its_own_buttons_and_no_command_to_type():
    made = card(_letter(paused("db"), paused("web")))

    assert _titles(made)[:4] == [["Resume", "Leave to Azure"], ["Open", "Portal"]] * 2
    assert "curl" not in json.dumps(made)


def test_a_button_opens_a_link_for_its_answer_and_a_scale_set_has_no_more_than_six():
    every = ("approve", "hold", "resume", "skip", "let-pass")
    made = card(_letter(run("web", notice(1, Kind.PAUSED, Urgency.PAGE, answers=every))))
    (event,) = [part for part in made["body"] if part["type"] == "Container"]
    own = [one["url"] for row in _buttons({"body": [event]}) for one in row]

    assert [url.partition("/api/links/")[2].split(".")[0] for url in own[:4]] == list(every[:4])
    assert own[4].startswith("https://breakwater.example/api/links/view.")
    assert own[5].startswith("https://portal.azure.com/#resource/")
    assert len(own) == 6


def test_a_row_of_buttons_is_no_wider_than_a_phone():
    every = ("let-pass", "skip", "acknowledge", "resume")
    made = card(_letter(run("web", notice(1, Kind.PAUSED, Urgency.PAGE, answers=every))))

    assert len(_titles(made)) > 3
    assert all(sum(len(title) + EDGES for title in row) <= ROW for row in _titles(made))


def test_what_can_be_chosen_stands_on_the_card_each_with_its_button():
    made = card(LETTERS["does not fit"])
    text = json.dumps(made, ensure_ascii=False)

    places = [text.index(one.sentence) for one in CHOICES]
    assert places == sorted(places)
    chosen = [row[0] for row in _buttons(made) if row[0]["title"] == "Choose this"]
    assert len(chosen) == len(CHOICES)
    links = [button["url"].rpartition("/")[2] for button in chosen]
    assert [link.split(".")[0] for link in links] == [one.word for one in CHOICES]
    assert len(set(links)) == len(CHOICES)


def test_without_links_it_stands_there_with_what_to_type():
    made = json.dumps(card(_letter(misfit("db"), addresses=PLAIN)), ensure_ascii=False)

    assert [made.count(f"/shop/db/{word}") for word in ("raise", "resume")] == [2, 1]


def test_what_is_too_long_to_type_from_a_card_is_left_to_the_mail():
    many = Choice(
        "leave", "Fewer instances: leave 500 to Azure.", "skip", {"domains": ";".join(map(str, range(500)))}
    )
    one = misfit("db", choices=(many, CHOICES[0]))
    made = card(_letter(one, addresses=PLAIN))

    _check(made)
    assert many.sentence in json.dumps(made)
    assert "it is in the mail" in json.dumps(made)
    assert many.to["domains"] in render(_letter(one), "id", "thread").text


def test_a_link_too_long_for_mail_programs_is_none():
    long = Addresses("https://breakwater.example", lambda *_: "x" * 1501)
    made = card(_letter(misfit("db"), addresses=long))

    assert "Choose this" not in json.dumps(made)
    assert "/shop/db/raise" in json.dumps(made)


def test_a_hundred_plans_that_do_not_fit_stay_within_a_card():
    made = card(_letter(*(misfit(f"set-{number:03}") for number in range(100))))

    _check(made)
    assert "more in the report." in json.dumps(made)


def test_without_a_public_address_there_are_no_links_to_us():
    one = paused("db")
    story = Story(TRACKING, (wave(one),), ((one, one.story.notices[-1]),), Overview({"paused": 1}))
    made = card(compose(story, Addresses(), NOW))

    assert _titles(made) == [["Portal"], ["Service Health"]]
    assert "$BREAKWATER_URL/api/waves/" in json.dumps(made)


def test_the_same_letter_gives_the_same_bytes():
    letter = LETTERS["announced"]

    assert render(letter, "id", "thread") == render(letter, "id", "thread")


def test_the_payload_of_a_webhook_is_json_with_words_and_ids():
    payload = json.loads(json.dumps(render(LETTERS["paused-page"], "id", "thread").payload))

    assert payload["v"] == 1
    assert (payload["kind"], payload["urgency"], payload["tracking_id"]) == ("paused", "page", TRACKING)
    assert payload["events"][0]["name"] == "web"
