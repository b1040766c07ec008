"""From the notices of a wave to the text of one message."""

from dataclasses import replace
from datetime import datetime
from operator import attrgetter

from handlers.render import parts
from handlers.render.addresses import Addresses
from handlers.render.event import events
from handlers.render.heading import headed, places
from handlers.render.headline import LONGEST_SUBJECT, Headline
from handlers.render.letter import Letter, Story
from handlers.render.moments import Clock, zone_of
from handlers.render.outside_text import one_line
from handlers.render.review_parts import review_parts
from handlers.render.vocabulary import DRILL, STANDALONE, STOP, counted, waiting
from handlers.render.wave_choices import wave_choices
from planner.azure.drill import is_drill_wave
from planner.notices.digest import Group, grouped
from planner.notices.feed import CHANGES
from planner.record.notice import Kind, Urgency
from planner.text.phrases import many, say_how_far
from planner.words.drills import PLAYED

OF_A_WAVE = frozenset({"empty_wave", "unknown_wave", "unread", "channel"})
"""Messages about no scale set that are about a wave, where they name one."""


def compose(story: Story, addresses: Addresses, now: datetime) -> Letter:
    """The message of a story; the most urgent notice gives it its name.

    Times are in the zone of the windows of the scale set that they are about, else in UTC.
    """
    clock = Clock(zone_of([*(run for run, _ in story.items), *story.ended]), now)
    planned = tuple(run for run, notice in story.items if notice.kind is Kind.PLANNED)
    others = tuple((run, notice) for run, notice in story.items if notice.kind is not Kind.PLANNED)
    groups = grouped({run.target.id: run for run in planned}.values())
    needs_stop = not {Group.OURS, Group.WAITS}.isdisjoint(groups) or any(
        notice.urgency is not Urgency.KNOW or notice.kind in {Kind.STARTED, Kind.RESUMED}
        for _, notice in others
    )
    subscriptions = [run.target.subscription for run, _ in story.items] + [
        wave.subscription for wave in story.waves
    ]
    facts = tuple((term, clock.said(text)) for term, text in _facts(story, now))
    made = replace(
        headed(story, groups, others, clock),
        facts=facts,
        choices=wave_choices(story.outlooks, story.tracking_id, addresses),
        events=events(story.tracking_id, others, addresses, clock),
        parts=(
            *parts.digest(groups, {run.target.id for run, _ in others}, clock),
            *parts.over(story.ended, clock),
            *review_parts(story.ended, clock),
        ),
        remarks=_remarks(story) if planned else (),
        stop=STOP if needs_stop else "",
        report=addresses.wave(story.tracking_id),
        feed=addresses.own_calendar() if any(each.kind in CHANGES for _, each in story.items) else "",
        health=addresses.service_health(story.tracking_id, subscriptions[0]) if subscriptions else "",
    )
    return marked(made) if is_drill_wave(story.tracking_id) else made


def marked(letter: Letter) -> Letter:
    """The message of a drill: whoever reads no more than its subject knows that it is one."""
    return replace(
        letter,
        title=f"{DRILL}{letter.title}",
        subject=one_line(f"{DRILL}{letter.subject}", LONGEST_SUBJECT),
        sentence=f"{PLAYED} {letter.sentence}".strip(),
    )


def standalone(kind: str, tracking_id: str, text: str, addresses: Addresses) -> Letter:
    """A message about no scale set; `text` is what the stage that sent it adds. KeyError for other kinds."""
    urgency, symbol, word, title, sentence = STANDALONE[kind]
    made = Letter(
        tracking_id,
        kind,
        urgency,
        symbol,
        word,
        title,
        sentence,
        subject=Headline(title).subject(tracking_id),
        remarks=(one_line(text, 1500),) if text else (),
        report=addresses.wave(tracking_id) if tracking_id and kind in OF_A_WAVE else "",
    )
    return marked(made) if is_drill_wave(tracking_id) else made


def _facts(story: Story, now: datetime) -> tuple[tuple[str, str], ...]:
    seen = story.overview
    heard = [wave.current for wave in story.waves if wave.announcements]
    facts = {"Wave": story.tracking_id}
    if heard:
        latest = max(heard, key=attrgetter("order"))
        facts = {
            "Wave": f"{story.tracking_id} {one_line(latest.title, 120)}".strip(),
            "Stage": latest.stage.value,
        }
    if seen.total:
        facts["Whole wave"] = f"{many(seen.total, 'scale set')}: {counted(seen.counts)}"
    if seen.waits:
        facts["Waiting"] = waiting(seen.waits)
    if story.outlooks:
        facts["Places"] = places(story.outlooks)
    if seen.deadline is not None:
        term = "Next deadline" if seen.deadline >= now else "Deadline passed"
        facts[term] = say_how_far(seen.deadline, now)
    return tuple(facts.items())


def _remarks(story: Story) -> tuple[str, ...]:
    planning = story.overview.planning
    are = "is" if planning == 1 else "are"
    return (f"{many(planning, 'scale set')} of this wave {are} still being planned.",) if planning else ()
