"""A letter as a card for Teams, as mail, and as JSON."""

import json
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

import css_inline

from handlers.render import environment, webhook
from handlers.render.folding import folded
from handlers.render.letter import Event, Letter, Part, each_text
from planner.record.notice import Urgency
from planner.text.phrases import shortened

CARD_BYTES = 24 * 1024
"""Teams loses a message above about 28 KB; the rest is left to the report."""

MOST = 150
"""Items that are tried at all: 24 KB hold fewer of the shortest."""

LONG = 700
"""Characters of one text when even a card of a single item is too large."""

LIMITS = {"name": 100, "where": 200, "title": 200, "headline": 200}
"""Of these fields, then, fewer."""

LONGEST_COMMAND = 900
"""Characters that can be typed from a card; a longer command is in the mail and on the page."""

BUTTONS = 4
"""Answers among the buttons of a scale set; the page has them all."""

ROW = 40
"""Letters of a row of buttons on a phone, `EDGES` more for each: what is wider is cut, not wrapped."""

EDGES = 4

UNSENT = datetime(1970, 1, 1, tzinfo=UTC)
"""The time of a message that is only looked at."""

MOST_CHECKS = 6
"""Checks that stand out, told on a card with their sentence."""

COLOURS = {Urgency.PAGE: "Attention", Urgency.ACT: "Accent", Urgency.KNOW: "Default"}
"""Of the line that says by when, by how much it asks. Teams' Warning is yellow: unreadable on white."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message ready for every channel. `thread` is the same for all messages of a wave.

    `kind`, `about` and `at` (aware UTC) say to machines what it is, about what and of when; `calendar` is
    what a mail brings along (iCalendar), empty where nothing of it changes.
    """

    message_id: str
    thread: str
    urgency: str
    subject: str
    text: str
    html: str
    card: Mapping[str, Any]
    payload: Mapping[str, Any]
    kind: str
    about: str
    at: datetime
    calendar: bytes = b""


def render(letter: Letter, message_id: str, thread: str, at: datetime = UNSENT) -> Rendered:
    """The letter in every form; the same letter gives the same bytes. `at` is when it was first to be sent.

    People read what is alike once; a machine gets every notice and every scale set.
    """
    read = folded(letter)
    return Rendered(
        message_id=message_id,
        thread=thread,
        urgency=letter.urgency.value,
        subject=letter.subject,
        text=environment.text().get_template("mail.txt.j2").render(letter=read),
        html=_inliner().inline(environment.html().get_template("mail.html.j2").render(letter=read)),
        card=card(read),
        payload=webhook.data(letter),
        kind=letter.kind,
        about=webhook.about(letter),
        at=at,
        calendar=letter.calendar,
    )


def card(letter: Letter) -> dict[str, Any]:
    """An Adaptive Card of at most 24 KB: what comes last is dropped and counted.

    Version 1.4, with nothing newer in it: Workflows render no later one in some tenants and answer 202 all
    the same (AdaptiveCards#8965, #9378, msteams-docs#9801).
    """
    most = min(_items(letter.events, letter.parts), MOST)
    whole = _card(letter, most)
    if _fits(whole):
        return whole
    keep = bisect_left(range(1, most + 1), x=True, key=lambda keep: not _fits(_card(letter, keep)))
    if keep or not most:
        return _card(letter, keep)
    short = _card(_shortened(letter), 1)
    return short if _fits(short) else _card(_shortened(letter), 0)


def _card(letter: Letter, keep: int) -> dict[str, Any]:
    events, parts = _first(letter, keep)
    text = (
        environment.card()
        .get_template("card.json.j2")
        .render(
            letter=letter,
            events=events,
            parts=parts,
            more=_items(letter.events, letter.parts) - _items(events, parts),
            rows=_rows(
                ("Open the wave", letter.report),
                ("Calendar", letter.feed),
                ("Service Health", letter.health),
            ),
            rows_of=_rows_of,
            longest=LONGEST_COMMAND,
            checks=MOST_CHECKS,
            colour=COLOURS[letter.urgency],
        )
    )
    made: dict[str, Any] = json.loads(text)
    return made


def _items(events: Sequence[Event], parts: Sequence[Part]) -> int:
    return len(events) + sum(len(part.lines) for part in parts)


def _first(letter: Letter, keep: int) -> tuple[tuple[Event, ...], tuple[Part, ...]]:
    """Events come before scale sets that merely have a plan."""
    events = letter.events[:keep]
    left = keep - len(events)
    parts: list[Part] = []
    for part in letter.parts:
        if left <= 0:
            break
        parts.append(replace(part, lines=part.lines[:left]))
        left -= len(part.lines)
    return events, tuple(parts)


def _rows_of(event: Event) -> list[list[tuple[str, str]]]:
    """At most six buttons: what can be answered, then the scale set's page and the portal's."""
    answers = [(answer.label, answer.link) for answer in event.answers if answer.link]
    return [*_rows(*answers[:BUTTONS]), *_rows(("Open", event.page), ("Portal", event.portal))]


def _rows(*buttons: tuple[str, str]) -> list[list[tuple[str, str]]]:
    """Labels and addresses, those without an address left out, in rows that a phone shows whole."""
    rows: list[list[tuple[str, str]]] = []
    for button in buttons:
        if not button[1]:
            continue
        if rows and sum(len(label) + EDGES for label, _ in (*rows[-1], button)) <= ROW:
            rows[-1].append(button)
        else:
            rows.append([button])
    return rows


def _shortened(letter: Letter) -> Letter:
    """For texts of absurd length: the first sentences of each, the rest is in the report."""
    events = tuple(
        replace(
            event,
            down=event.down[:5],
            checks=event.checks[:2],
            choices=tuple(choice for choice in event.choices if len(choice.command) <= LONG),
            answers=tuple(answer for answer in event.answers if len(answer.command) <= LONG),
        )
        for event in letter.events
    )
    choices = tuple(choice for choice in letter.choices if len(choice.command) <= LONG)
    made: Letter = each_text(
        replace(letter, events=events, choices=choices),
        lambda name, text: shortened(text, LIMITS.get(name, LONG)),
    )
    return made


def _fits(card_json: Mapping[str, Any]) -> bool:
    """Whether it is small enough on the wire, in the envelope that Workflows expect."""
    return len(json.dumps(card_json).encode()) + 200 <= CARD_BYTES


@cache
def _inliner() -> css_inline.CSSInliner:
    # Mail programs drop style sheets; the at-rules stay for those that know dark mode.
    return css_inline.CSSInliner(keep_style_tags=False, keep_at_rules=True, load_remote_stylesheets=False)
