"""A rehearsal as a page with drawings, to look at in a browser or to send around."""

from collections.abc import Iterator
from types import SimpleNamespace

from handlers.cli import rehearsal_heard
from handlers.cli.rehearsal_shown import (
    STATES,
    Shown,
    avoided_by,
    began,
    off_words,
    taken,
)
from handlers.cli.troubles import premises
from handlers.render import clock as clocks
from handlers.render import environment, plan_drawing
from handlers.render.addresses import Addresses
from handlers.render.page_tools import tools
from handlers.render.vocabulary import STATES as MARKS
from planner.record.notice import Urgency
from planner.rehearsal.story import Played
from planner.text.phrases import many, some

DRAWN = 60
"""Scale sets with drawings of their own: with more, a page of megabytes would be slow to open."""

OPEN, LOUD = 3, 100
"""Drawings that stand open, and notices that are listed."""


def page(shown: Shown) -> str:
    """The page, complete in itself."""
    story = shown.story
    played = shown.played()
    zone = clocks.common_zone([each.run for each in played])
    tool = tools(Addresses(), story.until, "", zone=zone)
    rows = list(_rows(shown))
    loud, unheard = rehearsal_heard.loud(story), rehearsal_heard.unheard(story)
    ours = [each.run for each in played if began(each.run) is not None]
    return (
        environment.html()
        .get_template("rehearsal.html.j2")
        .render(
            page=tool,
            now=story.until,
            drill="",
            title=f"Rehearsal from {shown.clock.at(story.start)}, seed {shown.seed}",
            counts=f"{shown.counts()}.",
            premises=premises(shown.trouble, as_if=shown.as_if),
            misses=list(_misses(shown)),
            rows=rows,
            whole=plan_drawing.of_wave(ours[:DRAWN], story.until),
            open=OPEN,
            undrawn=max(0, len(ours) - DRAWN),
            heard=[
                SimpleNamespace(
                    receiver=each.receiver,
                    messages=each.messages,
                    notices=each.notices,
                    pages=each.by_urgency.get(Urgency.PAGE, 0),
                    asks=each.by_urgency.get(Urgency.ACT, 0),
                    busiest=each.busiest_day,
                )
                for each in rehearsal_heard.heard(story, shown.clock.zone)
            ],
            azure=[
                SimpleNamespace(
                    name=shown.name(each.run),
                    instances=many(one.instances, "instance"),
                    first=shown.clock.at(one.first),
                    last=shown.clock.at(one.last) if one.last is not None else "not all come back",
                    most=one.most,
                )
                for each in played
                if (one := taken(each)) is not None
            ],
            nobody=len(unheard),
            loud=[
                SimpleNamespace(
                    at=shown.clock.at(told.at),
                    who=f"{told.notice.urgency.value} for {told.receiver or 'nobody'}",
                    name=told.scale_set.rpartition("/")[2],
                    sentence=shown.clock.said(told.notice.sentence),
                    again=rehearsal_heard.how_again(told, shown.clock.at(told.last)),
                )
                for told in loud[:LOUD]
            ],
            unlisted=max(0, len(loud) - LOUD),
        )
    )


def _misses(shown: Shown) -> Iterator[SimpleNamespace]:
    for each in shown.played():
        for miss in each.misses:
            yield SimpleNamespace(
                name=shown.name(each.run),
                anchor=_anchor(each),
                instances=f"{many(len(miss.instances), 'instance')} ({some(miss.instances)})",
                why=shown.clock.said(miss.why),
                choices=[shown.clock.said(way) for way in avoided_by(each, miss)],
            )


def _rows(shown: Shown) -> Iterator[SimpleNamespace]:
    drawn = 0
    for each in shown.played():
        run, clock = each.run, shown.clock
        begins, ends = began(run), run.ended_at
        mine = begins is not None and drawn < DRAWN
        drawn += mine
        yield SimpleNamespace(
            name=run.target.name,
            where=f"{run.target.resource_group}, {run.target.location}",
            anchor=_anchor(each),
            mark=(MARKS[run.state][0], STATES.get(run.state, MARKS[run.state][1]), *MARKS[run.state][2:]),
            start=clock.at(begins) if begins else "-",
            end=clock.at(ends) if ends else "-",
            forecast=off_words(each, clock),
            most_down=f"{each.most_down} of {each.size}",
            drawn=mine,
            pictures=plan_drawing.of_run(run, shown.story.until)[:1] if mine else (),
        )


def _anchor(played: Played) -> str:
    target = played.run.target
    return f"{target.subscription[:8]}-{target.resource_group}-{target.name}".lower().replace(" ", "-")
