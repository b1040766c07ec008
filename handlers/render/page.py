"""The report as a page: one HTML file that works offline, prints, and needs no script."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from handlers.render import buttons, clock, environment, facts, plan_drawing
from handlers.render.addresses import Addresses, Place
from handlers.render.confirmation import Confirmation
from handlers.render.contract import announcements, stage
from handlers.render.heading import places, wave_sentence
from handlers.render.nothing_found import reasons
from handlers.render.outside_text import one_line
from handlers.render.page_tools import messages, pieces, tools
from handlers.render.report_model import AMONG_OTHERS, Form, Part, Report
from handlers.render.vocabulary import DRILL, counted
from handlers.render.wave_choices import wave_choices
from handlers.wire.link_token import Link
from planner.azure.drill import is_drill_wave
from planner.azure.wave import Wave
from planner.record.run import Run
from planner.record.states import RunState
from planner.words.drills import PLAYED

SECTIONS, SECTIONS_ROOM = 30, 160_000
"""Scale sets told in full on the wave's page, and their bytes; beyond them each has its own page."""

ASKING, ASKING_ROOM = 30, 100_000
"""Scale sets whose questions are put on the wave's page, and the bytes of these."""

OPEN = 3
"""Up to so many questions stand open one below the other; of more of them each unfolds on a click."""

DRAWN_OPEN = 14
"""Up to so many rows the wave's drawing stands open; a longer one unfolds."""


def wave_page(report: Report, addresses: Addresses, now: datetime) -> str:
    """The wave's page, or a further part of its table."""
    heard = announcements(report.waves)
    shown = report.part or Part(total=len(report.runs))
    zone = clock.common_zone(report.runs)
    page = tools(addresses, now, report.tracking_id, AMONG_OTHERS, zone)
    asking = [run for run in report.runs if facts.asks(run)] if shown.whole else []
    asked = pieces("ask.html.j2", asking[:ASKING], ASKING_ROOM, page, folded=len(asking) > OPEN)
    # Of a wave that takes several pages the first one stays short: every scale set has a page of its own.
    alone = shown.whole and shown.pages == 1
    told = pieces("set.html.j2", report.runs[:SECTIONS], SECTIONS_ROOM, page) if alone else ()
    put = {_place(run) for run in asking[: len(asked)]}
    unasked = dict.fromkeys((*map(_place, asking), *report.asking)) if shown.whole else {}
    nothing = not report.overview.planning and set(report.overview.counts) <= {RunState.NOT_IMPACTED}
    return _render(
        "wave.html.j2",
        page,
        report=report,
        shown=shown,
        paged=shown.pages > 1 or not shown.whole,
        title=f"{report.tracking_id} {one_line(heard[-1].title, 150) if heard else ''}".strip(),
        sentence=wave_sentence(report.overview, [place.name for place in report.asking], now),
        stage=stage(report.waves),
        places=places(report.outlooks),
        choices=wave_choices(report.outlooks, report.tracking_id, addresses),
        asked=asked,
        unasked=[place for place in unasked if place not in put],
        told=told,
        untold=shown.total - len(told),
        picture=plan_drawing.of_wave(report.runs, now),
        drawn_open=DRAWN_OPEN,
        nothing=reasons(report.waves, report.runs, zone) if nothing and shown.whole else (),
        announcements=heard[::-1],
        messages=messages(report.deliveries),
        health=buttons.of_health(report.tracking_id, [wave.subscription for wave in report.waves], addresses),
    )


def _place(run: Run) -> Place:
    return Place(run.target.subscription, run.target.resource_group, run.target.name)


def run_page(
    tracking_id: str, run: Run, addresses: Addresses, now: datetime, waves: Sequence[Wave] = ()
) -> str:
    """One scale set's page inside a wave; `waves` are the wave's records, for what Azure said."""
    zone = clock.zone_of(run)
    nothing = run.state is RunState.NOT_IMPACTED
    mine = [wave for wave in waves if wave.subscription.lower() == run.target.subscription.lower()]
    return _render(
        "run.html.j2",
        tools(addresses, now, tracking_id, zone=zone),
        title=f"{one_line(run.target.name, 100)} in {tracking_id}",
        run=run,
        nothing=reasons(mine, (run,), zone) if nothing else (),
        announcements=announcements(mine)[::-1],
        health=buttons.of_health(tracking_id, [run.target.subscription], addresses),
    )


def waves_page(rows: Sequence[Mapping[str, Any]], addresses: Addresses, now: datetime) -> str:
    """Every wave, the ones that need a person first."""
    shown = [
        {
            **row,
            "said": counted(row["counts"]),
            "deadline": datetime.fromisoformat(row["deadline"]) if row["deadline"] else None,
            "health": buttons.of_health(row["tracking_id"], row["subscriptions"], addresses),
        }
        for row in rows
    ]
    deadlines = [row["deadline"] for row in shown if row["deadline"] and row["deadline"] >= now]
    return _render(
        "waves.html.j2",
        tools(addresses, now),
        title="Planned maintenance waves",
        rows=shown,
        asking=[row for row in shown if row["needs_person"]],
        next_deadline=min(deadlines, default=None),
    )


def missing_page(sentence: str, addresses: Addresses, now: datetime) -> str:
    """What is not there, in a sentence."""
    return _render("missing.html.j2", tools(addresses, now), title="Not found", sentence=sentence)


def confirm_page(
    link: Link, run: Run, asked: Confirmation, form: Form, addresses: Addresses, now: datetime
) -> str:
    """What a link would do to a run, and the form that does it."""
    tracking_id = link.place[0]
    page = tools(addresses, now, tracking_id, zone=clock.zone_of(run))
    return _render(
        "confirm.html.j2",
        page,
        title=f"{asked.label}: {one_line(run.target.name, 100)} in {tracking_id}",
        link=link,
        run=run,
        asked=asked,
        form=form,
        about=run.target.name,
        back=page.href(tracking_id, run.target),
    )


def confirm_wave_page(
    link: Link, asked: Confirmation, form: Form, addresses: Addresses, now: datetime
) -> str:
    """What a link would do to a whole wave, and the form that does it."""
    tracking_id = link.place[0]
    page = tools(addresses, now, tracking_id)
    return _render(
        "confirm.html.j2",
        page,
        title=f"{asked.label} in {tracking_id}",
        link=link,
        run=None,
        asked=asked,
        form=form,
        about=tracking_id,
        back=page.href(tracking_id),
    )


def said_page(
    title: str, sentences: Iterable[str], now: datetime, *, address: str = "", words: str = ""
) -> str:
    """What came of a link, and where to go on."""
    page = tools(Addresses(), now)
    return _render("said.html.j2", page, title=title, sentences=sentences, address=address, words=words)


def _render(template: str, page: SimpleNamespace, **given: Any) -> str:
    """The template with the page and what it is given."""
    found = environment.html().get_template(template)
    played = is_drill_wave(page.tracking_id)
    given |= {"title": f"{DRILL if played else ''}{given['title']}", "drill": PLAYED if played else ""}
    return found.render(page=page, now=page.now, tracking_id=page.tracking_id, **given)
