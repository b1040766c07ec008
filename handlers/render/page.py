"""The report as a page: one HTML file that works offline, prints, and needs no script."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from types import SimpleNamespace
from typing import Any

from handlers.render import bounded, environment, facts, vocabulary
from handlers.render.addresses import Addresses, portal, run_path, service_health, wave_path
from handlers.render.contract import announcements, in_order, self_service, stage
from handlers.render.heading import places, wave_sentence
from handlers.render.outside_text import one_line
from handlers.render.vocabulary import BATCH_OVER, BATCHES, INSTANCES, counted
from planner.azure.wave import Wave
from planner.notices.delivery import Delivery
from planner.notices.digest import Overview, outcomes
from planner.places.outlook import Outlook
from planner.record.batch import Batch
from planner.record.run import Run, Target
from planner.record.states import BatchState, InstanceState

SECTIONS = 30
"""Scale sets told in full on the wave's page, two printed sheets each; beyond them each has its own page."""

ASKING = 30
"""Scale sets whose questions are put on the wave's page."""

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
class Report:
    """Everything a wave's page shows."""

    tracking_id: str
    waves: tuple[Wave, ...]
    runs: tuple[Run, ...]
    overview: Overview
    deliveries: tuple[Delivery, ...]
    outlooks: tuple[Outlook, ...] = ()


def wave_page(report: Report, addresses: Addresses, now: datetime) -> str:
    """The wave's page."""
    runs = in_order(report.runs)
    heard = announcements(report.waves)
    asking = [run for run in runs if facts.asks(run)]
    return _render(
        "wave.html.j2",
        report=report,
        title=f"{report.tracking_id} {one_line(heard[-1].title, 150) if heard else ''}".strip(),
        sentence=wave_sentence(report.overview, report.runs, now),
        stage=stage(report.waves),
        places=places(report.outlooks),
        runs=runs,
        asking=asking[:ASKING],
        unasked=asking[ASKING:],
        room=AMONG_OTHERS,
        told=runs[:SECTIONS],
        untold=len(runs[SECTIONS:]),
        announcements=heard[::-1],
        messages=_messages(report.deliveries),
        health=[
            (wave.subscription, service_health(report.tracking_id, wave.subscription))
            for wave in report.waves
        ],
        addresses=addresses,
        now=now,
        tracking_id=report.tracking_id,
    )


def run_page(tracking_id: str, run: Run, addresses: Addresses, now: datetime) -> str:
    """One scale set's page inside a wave."""
    return _render(
        "run.html.j2",
        tracking_id=tracking_id,
        title=f"{one_line(run.target.name, 100)} in {tracking_id}",
        run=run,
        health=[(run.target.subscription, service_health(tracking_id, run.target.subscription))],
        addresses=addresses,
        now=now,
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
    return _render(
        "waves.html.j2", title="Planned maintenance waves", rows=shown, addresses=addresses, now=now
    )


def missing_page(sentence: str, now: datetime) -> str:
    """What is not there, in a sentence."""
    return _render("missing.html.j2", title="Not found", sentence=sentence, addresses=Addresses(), now=now)


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


def _render(
    template: str,
    *,
    addresses: Addresses,
    now: datetime,
    tracking_id: str = "",
    room: Room = OWN,
    **given: Any,
) -> str:
    """The template with what it is given, and as `page` what every part of a page may ask for."""

    def href(tracking_id: str, target: Target | None = None) -> str:
        """An absolute link where the app's address is known, else one below this host."""
        if target is None:
            return addresses.wave(tracking_id) or f"/api/{wave_path(tracking_id)}"
        return addresses.run(tracking_id, target) or f"/api/{run_path(tracking_id, target)}"

    page = SimpleNamespace(
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
        run_path=run_path,
        portal=portal,
        self_service=self_service,
    )
    found = environment.html().get_template(template)
    return found.render(page=page, now=now, tracking_id=tracking_id, **given)
