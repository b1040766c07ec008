"""The report as a page: one HTML file that works offline, prints, and needs no script."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from handlers.render import bounded, environment, facts
from handlers.render.addresses import ANSWERS, Addresses, portal, run_path, service_health, wave_path
from handlers.render.contract import announcements, in_order, self_service, stage
from handlers.render.letter import STOP
from handlers.render.vocabulary import BATCHES, INSTANCES, OUTCOMES, STATES, VERDICTS, counted, waiting
from handlers.render.words import count, one_line, when_and_how_far
from planner.azure.wave import Wave
from planner.notices.delivery import Delivery
from planner.notices.digest import Overview, outcomes
from planner.record.batch import Batch
from planner.record.notice import Notice
from planner.record.run import Run, Target, Verdict
from planner.record.states import ACTIVE, BatchState, InstanceState, RunState
from planner.state.notices import LET_PASS
from planner.state.unanswered import if_nobody_answers

SECTIONS = 30
"""Scale sets told in full on the wave's page, two printed sheets each; beyond them each has its own page."""

ASKING = 30
"""Scale sets whose questions are put on the wave's page."""

MOST_DOWN = 100
"""Instances that are named when many are down."""


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


def wave_page(report: Report, addresses: Addresses, now: datetime) -> str:
    """The wave's page."""
    runs = in_order(report.runs)
    heard = announcements(report.waves)
    return _render(
        "wave.html.j2",
        report=report,
        title=f"{report.tracking_id} {one_line(heard[-1].title, 150) if heard else ''}".strip(),
        sentence=state_sentence(report, now),
        stage=stage(report.waves),
        runs=runs,
        asking=[run for run in runs if _asks(run)][:ASKING],
        unasked=[run for run in runs if _asks(run)][ASKING:],
        room=AMONG_OTHERS,
        told=runs[:SECTIONS],
        untold=len(runs) - len(runs[:SECTIONS]),
        announcements=heard[::-1],
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
        room=OWN,
        health=[(run.target.subscription, service_health(tracking_id, run.target.subscription))],
        addresses=addresses,
        now=now,
    )


def waves_page(rows: Sequence[Mapping[str, Any]], addresses: Addresses, now: datetime) -> str:
    """Every wave, the ones that need a person first."""
    return _render(
        "waves.html.j2",
        title="Planned maintenance waves",
        rows=[
            {
                **row,
                "counts": counted(row["counts"]),
                "deadline": datetime.fromisoformat(row["deadline"]) if row["deadline"] else None,
            }
            for row in rows
        ],
        addresses=addresses,
        now=now,
    )


def missing_page(sentence: str, now: datetime) -> str:
    """What is not there, in a sentence."""
    return _render("missing.html.j2", title="Not found", sentence=sentence, addresses=Addresses(), now=now)


def state_sentence(report: Report, now: datetime) -> str:
    """How the wave stands: `2 of 3 scale sets are over; db-prod needs a person until ...`."""
    seen = report.overview
    if not seen.total:
        if seen.planning:
            return f"{count(seen.planning, 'scale set')} found; their plans are being made."
        return "No scale set of yours was found in this wave: nothing to do."
    if set(seen.counts) == {RunState.NOT_IMPACTED.value} and not seen.planning:
        return f"None of {count(seen.total, 'scale set')} is hit: nothing to do."
    over = sum(seen.counts.get(state, 0) for state in ("completed", "cancelled", "missed", "not_impacted"))
    parts = [
        f"{over} of {count(seen.total + seen.planning, 'scale set')} {'is' if over == 1 else 'are'} over"
    ]
    asking = [run.target.name for run in in_order(report.runs) if run.needs_person]
    if asking:
        names = ", ".join(one_line(name, 60) for name in asking[:3]) + (
            " and others" if len(asking) > 3 else ""
        )
        parts.append(f"{names} {'needs' if len(asking) == 1 else 'need'} a person")
    if seen.waits:
        parts.append(waiting(seen.waits))
    if seen.counts.get("running"):
        parts.append(f"{seen.counts['running']} running")
    if seen.counts.get("left_to_azure"):
        parts.append(f"{seen.counts['left_to_azure']} left to Azure")
    if seen.planning:
        parts.append(f"{seen.planning} still being planned")
    if seen.deadline:
        passed = "a deadline passed" if seen.deadline < now else "next deadline"
        parts.append(f"{passed} {when_and_how_far(seen.deadline, now)}")
    return "; ".join(parts) + "."


def _asks(run: Run) -> bool:
    """Whether somebody should choose: the run needs a person, is held up, or its time is short."""
    return run.needs_person or _told_itself(run) is not None


def _told_itself(run: Run) -> Notice | None:
    """The notice that says what the run's state does not: that its time is short, or that it is held up."""
    return facts.short(run) or facts.held(run)


def _asked(run: Run) -> Notice | None:
    """The notice whose words belong to what the run asks now."""
    return _told_itself(run) or next(
        (notice for notice in reversed(run.story.notices) if notice.answers), None
    )


def _answers(run: Run) -> tuple[str, ...]:
    """What a person may say now; an approval is asked for by the state, whatever was told before.

    A word that stands among the choices is not offered twice.
    """
    asked = _asked(run)
    if run.state is RunState.AWAITING_APPROVAL:
        return ("approve", "skip")
    words = asked.answers if asked and "approve" not in asked.answers else ("resume", "skip")
    if facts.holding_up(run) is not None:
        words = tuple(dict.fromkeys((*words, LET_PASS)))
    elif LET_PASS in words:
        words = tuple(word for word in words if word != LET_PASS)
    chosen = {one.word for one in facts.choices(run) if not one.to}
    return tuple(word for word in words if word not in chosen)


def _otherwise(run: Run, notice: Notice, now: datetime) -> str:
    """What happens if nobody answers, as of now: what the notice said may be past."""
    return if_nobody_answers(run, now) if notice.otherwise and run.state in ACTIVE else notice.otherwise


def _sentence(run: Run) -> str:
    """What follows the state's word: `: why`, or the rest of a reason that begins with the word itself."""
    word = STATES[run.state][1]
    return run.reason.removeprefix(word) if run.reason.startswith(word) else f": {run.reason}"


def _why(run: Run) -> str:
    """The run's reason where the state stands in a column of its own."""
    said = _sentence(run).lstrip(":, ").removeprefix("and ")
    return said[:1].upper() + said[1:]


def _batch(batch: Batch) -> tuple[str, str, str]:
    """How a batch stands; one that is over and of which nothing was maintained is not called done."""
    kept = {InstanceState.MAINTAINED, InstanceState.BY_AZURE} & {
        instance.state for instance in batch.instances
    }
    return BATCHES[batch.state] if kept or batch.state is not BatchState.DONE else ("-", "over", "calm")


def _progress(run: Run) -> str:
    done = sum(progress.settled for progress in run.instances)
    return f"{done} of {len(run.instances)}" if run.instances else "no plan"


def _ends(run: Run) -> str:
    return ", ".join(f"{number} {INSTANCES[state][1]}" for state, number in outcomes((run,)).items())


def _anchor(run: Run) -> str:
    name = "".join(
        letter if letter.isascii() and letter.isalnum() else "-" for letter in run.target.name.lower()
    )
    return f"{run.target.subscription[:8]}-{run.target.resource_group.lower()}-{name}".replace(" ", "-")


def _href(addresses: Addresses, tracking_id: str, target: Target | None = None) -> str:
    """An absolute link where the app's address is known, else one below this host."""
    if target is None:
        return addresses.wave(tracking_id) or f"/api/{wave_path(tracking_id)}"
    return addresses.run(tracking_id, target) or f"/api/{run_path(tracking_id, target)}"


def _reached(deliveries: Iterable[Delivery]) -> list[tuple[str, str, str, datetime, str]]:
    """Messages, the newest first: receiver, channel, subject, when, trouble."""
    lines = [
        (one.receiver, sent.channel, sent.subject, sent.at, sent.trouble)
        for one in deliveries
        for sent in one.messages
    ]
    lines += [
        (one.receiver, name, "on its way", state.sending.since, state.trouble)
        for one in deliveries
        for name, state in one.channels.items()
        if state.sending is not None
    ]
    return sorted(lines, key=lambda line: line[3], reverse=True)[:100]


def _json_of(tracking_id: str, run: Run) -> str:
    return f"/api/{run_path(tracking_id, run.target)}.json"


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
    page = SimpleNamespace(
        addresses=addresses,
        now=now,
        tracking_id=tracking_id,
        room=room,
        states=STATES,
        verdicts=VERDICTS,
        outcomes=OUTCOMES,
        batch=_batch,
        instances=INSTANCES,
        answers=ANSWERS,
        stop=STOP,
        asks=_asks,
        asked=_asked,
        told_itself=_told_itself,
        otherwise=_otherwise,
        may_say=_answers,
        state_words=_sentence,
        why=_why,
        facts=facts,
        bounded=bounded,
        most_down=MOST_DOWN,
        left_to_azure=Verdict.LEAVE_TO_AZURE,
        progress=_progress,
        ends=_ends,
        anchor=_anchor,
        href=_href,
        json_of=_json_of,
        portal=portal,
        reached=_reached,
        self_service=self_service,
    )
    found = environment.html().get_template(template)
    return found.render(page=page, now=now, tracking_id=tracking_id, **given)
