"""A letter as a card for Teams, as mail, and as JSON."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any

import css_inline

from handlers.render import environment
from handlers.render.folding import folded
from handlers.render.letter import Event, Letter, Part

CARD_BYTES = 24 * 1024
"""Teams loses a message above about 28 KB; the rest is left to the report."""

MOST = 150
"""Items that are tried at all: 24 KB hold fewer of the shortest."""

LONG = 700
"""Characters of one text when even a card of a single item is too large."""


LONGEST_COMMAND = 900
"""Characters that can be typed from a card; a longer command is in the mail and on the page."""

MOST_CHECKS = 6
"""Checks that stand out, told on a card with their sentence."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message ready for every channel. `thread` is the same for all messages of a wave."""

    message_id: str
    thread: str
    urgency: str
    subject: str
    text: str
    html: str
    card: Mapping[str, Any]
    payload: Mapping[str, Any]


def render(letter: Letter, message_id: str, thread: str) -> Rendered:
    """The letter in every form; the same letter gives the same bytes.

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
        payload={"v": 1, "message_id": message_id, "subject": letter.subject, **asdict(letter)},
    )


def card(letter: Letter) -> dict[str, Any]:
    """An Adaptive Card of at most 24 KB: what comes last is dropped and counted.

    Version 1.4, with nothing newer in it: Workflows render no later one in some tenants and answer 202 all
    the same (AdaptiveCards#8965, #9378, msteams-docs#9801).
    """
    everything = len(letter.events) + sum(len(part.lines) for part in letter.parts)
    most = min(everything, MOST)
    whole = _card(letter, most)
    if _size(whole) <= CARD_BYTES:
        return whole
    few, many = 0, most  # the largest number of items that fits lies between them
    best = _card(letter, 0)
    while few < many:
        middle = (few + many + 1) // 2
        tried = _card(letter, middle)
        if _size(tried) <= CARD_BYTES:
            few, best = middle, tried
        else:
            many = middle - 1
    if few == 0 and everything:
        short = _card(_shortened(letter), 1)
        return short if _size(short) <= CARD_BYTES else _card(_shortened(letter), 0)
    return best


def _card(letter: Letter, keep: int) -> dict[str, Any]:
    events, parts = _first(letter, keep)
    kept = len(events) + sum(len(part.lines) for part in parts)
    everything = len(letter.events) + sum(len(part.lines) for part in letter.parts)
    text = (
        environment.card()
        .get_template("card.json.j2")
        .render(
            letter=letter,
            events=events,
            parts=parts,
            more=everything - kept,
            buttons=_buttons(letter, events),
            longest=LONGEST_COMMAND,
            checks=MOST_CHECKS,
        )
    )
    made: dict[str, Any] = json.loads(text)
    return made


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


def _buttons(letter: Letter, events: tuple[Event, ...]) -> list[tuple[str, str]]:
    """At most six, Teams shows no more: answers of a single scale set, then the report and Azure's page."""
    asking = [event for event in events if event.answers]
    answers = asking[0].answers if len(asking) == 1 else ()
    buttons = [(answer.label, answer.link) for answer in answers if answer.link][:4]
    if letter.report:
        buttons.append(("Report", letter.report))
    if letter.health:
        buttons.append(("Service Health", letter.health))
    return buttons


def _shortened(letter: Letter) -> Letter:
    """For texts of absurd length: the first words of each, the rest is in the report."""

    def cut(text: str) -> str:
        return text if len(text) <= LONG else text[: LONG - 1] + "…"

    events = tuple(
        replace(
            event,
            name=cut(event.name)[:100],
            where=cut(event.where)[:200],
            sentence=cut(event.sentence),
            serving=cut(event.serving),
            otherwise=cut(event.otherwise),
            down=tuple(cut(one) for one in event.down[:5]),
            facts=tuple((term, cut(value)) for term, value in event.facts),
            checks=tuple(cut(check) for check in event.checks[:2]),
            choices=tuple(
                replace(choice, sentence=cut(choice.sentence))
                for choice in event.choices
                if len(choice.command) <= LONG
            ),
            answers=tuple(result for result in event.answers if len(result.command) <= LONG),
        )
        for event in letter.events
    )
    parts = tuple(
        replace(
            part,
            lines=tuple(
                replace(
                    line,
                    name=line.name[:100],
                    where=line.where[:200],
                    text=cut(line.text),
                    checked=cut(line.checked),
                )
                for line in part.lines
            ),
        )
        for part in letter.parts
    )
    facts = tuple((name, cut(value)) for name, value in letter.facts)
    return replace(
        letter,
        title=cut(letter.title),
        sentence=cut(letter.sentence),
        facts=facts,
        events=events,
        parts=parts,
    )


def _size(card_json: Mapping[str, Any]) -> int:
    """Bytes on the wire, in the envelope that Workflows expect."""
    return len(json.dumps(card_json).encode()) + 200


@cache
def _inliner() -> css_inline.CSSInliner:
    # Mail programs drop style sheets; the at-rules stay for those that know dark mode.
    return css_inline.CSSInliner(keep_style_tags=False, keep_at_rules=True, load_remote_stylesheets=False)
