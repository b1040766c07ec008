"""The report as a page: one HTML file that works offline, prints, and needs no script."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup

from handlers.render import bounded, environment, facts, vocabulary
from handlers.render.addresses import (
    Addresses,
    Place,
    Placed,
    portal,
    service_health,
)
from handlers.render.confirmation import Confirmation
from handlers.render.contract import announcements, self_service, stage
from handlers.render.heading import places, wave_sentence
from handlers.render.outside_text import one_line
from handlers.render.vocabulary import BATCH_OVER, BATCHES, INSTANCES, counted
from handlers.render.wave_choices import wave_choices
from handlers.wire.link_token import Link
from planner.azure.wave import Wave
from planner.notices.delivery import Delivery
from planner.notices.digest import Overview, outcomes
from planner.places.outlook import Outlook
from planner.record.batch import Batch
from planner.record.run import Run
from planner.record.states import BatchState, InstanceState, RunState

SECTIONS, SECTIONS_ROOM = 30, 200_000
"""Scale sets told in full on the wave's page, and their bytes; beyond them each has its own page."""

ASKING, ASKING_ROOM = 30, 100_000
"""Scale sets whose questions are put on the wave's page, and the bytes of these."""

OPEN = 10
"""Up to so many questions stand open one below the other; of more of them each unfolds on a click."""

MOST_DOWN = 100
"""Instances that are named when many are down."""

MESSAGES = 100
"""The latest messages that are listed."""


@dataclass(frozen=True, slots=True)
class Room:
    """How much of a run is shown: more on its own page than among a hundred others.

    `batches` and `lines` (of history) at the most; `folded`: what to type for a choice unfolds on a click.
    """

    batches: int
    lines: int
    folded: bool


OWN, AMONG_OTHERS = Room(60, 120, folded=False), Room(16, 12, folded=True)


@dataclass(frozen=True, slots=True)
class Part:
    """Which of a wave's scale sets a page shows: page `number` of `pages`, whose first row is number `first`.

    `total` are the scale sets of all these pages: those in `state` (None: in any).
    """

    number: int = 1
    pages: int = 1
    first: int = 1
    total: int = 0
    state: RunState | None = None

    @property
    def whole(self) -> bool:
        """Whether it is the page that tells everything about the wave."""
        return self.number == 1 and self.state is None


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a wave's page shows. `runs` are those of its part, all of them where none is given.

    `asking` is where the scale sets of the whole wave are that need a person, in order.
    """

    tracking_id: str
    waves: tuple[Wave, ...]
    runs: tuple[Run, ...]
    overview: Overview
    deliveries: tuple[Delivery, ...]
    outlooks: tuple[Outlook, ...] = ()
    asking: tuple[Place, ...] = ()
    part: Part | None = None


def wave_page(report: Report, addresses: Addresses, now: datetime) -> str:
    """The wave's page, or a further part of its table."""
    heard = announcements(report.waves)
    shown = report.part or Part(total=len(report.runs))
    page = _page(addresses, now, report.tracking_id, AMONG_OTHERS)
    asking = [run for run in report.runs if facts.asks(run)] if shown.whole else []
    folded = len(asking) > OPEN
    asked = _pieces("ask.html.j2", asking[:ASKING], ASKING_ROOM, page, folded=folded)
    # Of a wave that takes several pages the first one stays short: every scale set has a page of its own.
    alone = shown.whole and shown.pages == 1
    told = _pieces("set.html.j2", report.runs[:SECTIONS], SECTIONS_ROOM, page) if alone else ()
    put = {_place(run) for run in asking[: len(asked)]}
    unasked = dict.fromkeys((*map(_place, asking), *report.asking)) if shown.whole else {}
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
        announcements=heard[::-1],
        messages=_messages(report.deliveries),
        health=[
            (wave.subscription, service_health(report.tracking_id, wave.subscription))
            for wave in report.waves
        ],
    )


def _pieces(
    template: str, runs: Iterable[Run], room: int, page: SimpleNamespace, **given: Any
) -> tuple[Markup, ...]:
    """A piece of the page for each run, as many as fit."""
    found = environment.html().get_template(template)
    # Jinja has escaped them: they are pieces of a page already.
    made = (Markup(found.render(run=run, page=page, **given)) for run in runs)  # noqa: S704
    return bounded.as_many_as_fit(made, room)


def _place(run: Run) -> Place:
    return Place(run.target.subscription, run.target.resource_group, run.target.name)


def run_page(tracking_id: str, run: Run, addresses: Addresses, now: datetime) -> str:
    """One scale set's page inside a wave."""
    return _render(
        "run.html.j2",
        _page(addresses, now, tracking_id),
        title=f"{one_line(run.target.name, 100)} in {tracking_id}",
        run=run,
        health=[(run.target.subscription, service_health(tracking_id, run.target.subscription))],
    )


def waves_page(rows: Sequence[Mapping[str, Any]], addresses: Addresses, now: datetime) -> str:
    """Every wave, the ones that need a person first."""
    shown = [
        {
            **row,
            "counts": counted(row["counts"]),
            "deadline": datetime.fromisoformat(row["deadline"]) if row["deadline"] else None,
        }
        for row in rows
    ]
    return _render("waves.html.j2", _page(addresses, now), title="Planned maintenance waves", rows=shown)


def missing_page(sentence: str, addresses: Addresses, now: datetime) -> str:
    """What is not there, in a sentence."""
    return _render("missing.html.j2", _page(addresses, now), title="Not found", sentence=sentence)


@dataclass(frozen=True, slots=True)
class Form:
    """What a link's form is filled with: who signed in or typed a name, why, and what was wrong with it.

    `sign_in` is why nobody can act here before signing in.
    """

    signed_in: str = ""
    actor: str = ""
    comment: str = ""
    problem: str = ""
    sign_in: str = ""


def confirm_page(
    link: Link, run: Run, asked: Confirmation, form: Form, addresses: Addresses, now: datetime
) -> str:
    """What a link would do, and the form that does it."""
    tracking_id = link.place[0]
    return _render(
        "confirm.html.j2",
        _page(addresses, now, tracking_id),
        title=f"{asked.label}: {one_line(run.target.name, 100)} in {tracking_id}",
        link=link,
        run=run,
        asked=asked,
        via=link.via,
        problem=form.problem,
        sign_in=form.sign_in,
        signed_in=form.signed_in,
        actor=form.actor,
        comment=form.comment,
    )


def said_page(
    title: str, sentences: Iterable[str], now: datetime, *, address: str = "", words: str = ""
) -> str:
    """What came of a link, and where to go on."""
    page = _page(Addresses(), now)
    return _render("said.html.j2", page, title=title, sentences=sentences, address=address, words=words)


def _batch(batch: Batch) -> tuple[str, str, str]:
    """How a batch stands; one that is over and of which nothing was maintained is not called done."""
    maintained = {InstanceState.MAINTAINED, InstanceState.BY_AZURE} & {
        instance.state for instance in batch.instances
    }
    return BATCHES[batch.state] if maintained or batch.state is not BatchState.DONE else BATCH_OVER


def _progress(run: Run) -> str:
    settled = sum(instance.settled for instance in run.instances)
    return f"{settled} of {len(run.instances)}" if run.instances else "no plan"


def _ends(run: Run) -> str:
    return ", ".join(f"{number} {INSTANCES[state][1]}" for state, number in outcomes((run,)).items())


def _anchor(run: Run) -> str:
    name = re.sub("[^a-z0-9]", "-", run.target.name.lower())
    return f"{run.target.subscription[:8]}-{run.target.resource_group.lower()}-{name}".replace(" ", "-")


def _messages(deliveries: Iterable[Delivery]) -> list[tuple[datetime, str, str, str, str]]:
    """Messages, the newest first: when, receiver, channel, subject, trouble."""
    lines = [
        (sent.at, delivery.receiver, sent.channel, sent.subject, sent.trouble)
        for delivery in deliveries
        for sent in delivery.messages
    ]
    lines += [
        (state.sending.since, delivery.receiver, name, "on its way", state.trouble)
        for delivery in deliveries
        for name, state in delivery.channels.items()
        if state.sending is not None
    ]
    return sorted(lines, key=itemgetter(0), reverse=True)[:MESSAGES]


def _page(addresses: Addresses, now: datetime, tracking_id: str = "", room: Room = OWN) -> SimpleNamespace:
    """What every part of a page may ask for, in templates as `page`."""

    def href(
        tracking_id: str, target: Placed | None = None, state: RunState | None = None, number: int = 1
    ) -> str:
        """Where the page goes on; empty for what is outside of the link that it was opened by."""
        if target is not None:
            return addresses.run(tracking_id, target)
        wave = addresses.wave(tracking_id)
        asked = {"state": state, "page": number if number > 1 else None}
        query = urlencode({name: value for name, value in asked.items() if value})
        return f"{wave}?{query}" if wave and query else wave

    return SimpleNamespace(
        addresses=addresses,
        now=now,
        tracking_id=tracking_id,
        room=room,
        words=vocabulary,
        facts=facts,
        bounded=bounded,
        batch=_batch,
        most_down=MOST_DOWN,
        progress=_progress,
        ends=_ends,
        anchor=_anchor,
        href=href,
        portal=portal,
        self_service=self_service,
    )


def _render(template: str, page: SimpleNamespace, **given: Any) -> str:
    """The template with the page and what it is given."""
    found = environment.html().get_template(template)
    return found.render(page=page, now=page.now, tracking_id=page.tracking_id, **given)
