"""The JSON that outside tools rely on (docs/report.md). Field names here are promises."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

from handlers.render import asked, buttons, clock, facts
from handlers.render.azure_html import plain
from handlers.render.azure_names import properties
from handlers.render.moments import Clock
from handlers.render.vocabulary import STATES
from planner.azure.drill import is_drill, is_drill_wave
from planner.azure.fleet import natural
from planner.azure.wave import Announcement, Wave
from planner.notices.digest import Overview
from planner.record.batch import Batch
from planner.record.run import Run
from planner.record.states import RunState

_ORDER = list(STATES)

MOST_DOWN = 100
"""Instances that are named when many are down."""


def overview_row(
    tracking_id: str, stage: str, subscriptions: Iterable[str], seen: Overview
) -> dict[str, Any]:
    """A wave in `GET /api/waves.json`; `needs_person` is how many of its scale sets do."""
    return {
        "tracking_id": tracking_id,
        "stage": stage,
        "drill": is_drill_wave(tracking_id),
        "subscriptions": list(subscriptions),
        **_figures(seen),
    }


def wave_document(
    tracking_id: str,
    waves: Sequence[Wave],
    seen: Overview,
    runs: Iterable[Run],
    now: datetime,
    further: str | None = None,
) -> dict[str, Any]:
    """`GET /api/waves/<tracking id>.json`: the wave with these of its runs, and where there are more."""
    return {
        "tracking_id": tracking_id,
        "stage": stage(waves),
        "drill": is_drill_wave(tracking_id),
        "announcements": [_announcement(announcement) for announcement in announcements(waves)],
        **_figures(seen),
        "runs": [run_document(run, now) for run in in_order(runs)],
        "next": further,
    }


def _figures(seen: Overview) -> dict[str, Any]:
    return {
        "counts": dict(seen.counts),
        "planning": seen.planning,
        "needs_person": seen.needs_person,
        "waits": dict(seen.waits),
        "deadline": instant(seen.deadline),
    }


def run_document(run: Run, now: datetime) -> dict[str, Any]:
    """One run, inside a wave's document and at its own address; `now` (aware UTC) is when it is read."""
    target = run.target
    return {
        "scale_set": target.id,
        "subscription": target.subscription,
        "resource_group": target.resource_group,
        "name": target.name,
        "location": target.location,
        "drill": is_drill(target.subscription),
        "state": run.state.value,
        "reason": run.reason,
        "verdict": run.verdict.value,
        "mode": run.terms.mode.value,
        "zone": clock.zone_of(run),
        "checksum": run.people.checksum,
        "self_service": self_service(run),
        "deadline": instant(run.times.deadline),
        "slack_seconds": None if run.times.slack is None else int(run.times.slack.total_seconds()),
        "forecast_end": instant(run.times.forecast_end),
        "start_by": instant(facts.start_by(run)),
        "serving": run.fleet.serving,
        "capacity": facts.capacity(run),
        "choices": [
            {"name": choice.name, "sentence": choice.sentence, "word": choice.word, "to": dict(choice.to)}
            for choice in facts.choices(run)
        ],
        "asks": _asks(run, now),
        "commands": list(buttons.commands(run)),
        "waits": _waits(run),
        "holds_up": _holds_up(run),
        "raised": dict(run.terms.raised),
        "again": run.story.again,
        "repairs": facts.repairs(run),
        "waves": list(run.waves),
        "checks": [
            {
                "name": check.name,
                "outcome": check.outcome.value,
                "reason": check.reason,
                "evidence": list(check.evidence),
                "instances": list(check.instances),
            }
            for check in run.checks
        ],
        "maintenance": _maintenance(run),
        "maintenance_read_at": instant(run.fleet.shown_at),
        "batches": [_batch(batch, run) for batch in run.batches],
        "history": [
            {
                "at": instant(entry.at),
                "actor": entry.actor,
                "event": entry.what,
                "reason": entry.reason,
                "id": entry.id,
            }
            for entry in run.story.history
        ],
    }


def _maintenance(run: Run) -> list[dict[str, Any]]:
    """What instances showed of their maintenance, those that showed the same together."""
    return [
        {
            "instances": list(shown.instances),
            **{
                name: instant(value) if isinstance(value, datetime) else value
                for name, value in properties(shown.status).items()
            },
        }
        for shown in run.fleet.shown
    ]


def _asks(run: Run, now: datetime) -> dict[str, Any] | None:
    """What it asks a person, in the words of its page; None where it asks nothing."""
    if not facts.asks(run):
        return None
    notice = facts.asked(run)
    ringing = run.ringing
    return {
        "question": asked.question(run, Clock(ZoneInfo(clock.zone_of(run)), now)),
        "reason": notice.sentence if notice is not None and facts.warning(run) is not None else run.reason,
        "down": list(facts.down(notice, MOST_DOWN)) if notice is not None else [],
        "serving": notice.serving if notice is not None else "",
        "otherwise": facts.if_nobody_answers(run, notice, now) if notice is not None else "",
        "answers": list(facts.answers(run)),
        "notice": ringing.number if ringing is not None else None,
    }


def _waits(run: Run) -> dict[str, Any] | None:
    """What keeps it back although it may start by its times."""
    held = run.waits
    if held is None:
        return None
    return {
        "cause": held.cause.value,
        "what": held.what,
        "since": instant(held.since),
        "seconds": int(held.spent.total_seconds()),
        "told": held.told,
    }


def _holds_up(run: Run) -> dict[str, Any] | None:
    """Whom it holds up while it is paused."""
    others = facts.holding_up(run)
    if others is None:
        return None
    return {"scale_sets": others.sets, "regions": list(others.regions), "until": instant(others.until)}


def self_service(run: Run) -> str:
    """The portal's column: `Yes` when any instance may be started, `No` when none, `-` without data."""
    column = run.facts.get("self_service")
    return column if column in {"Yes", "No"} else "-"


def in_order(runs: Iterable[Run]) -> list[Run]:
    """What needs a person first, then what runs, waits and is over; by name among equals."""
    return sorted(runs, key=lambda run: ordered(run.state, run.target.name, run.target.id))


def ordered(state: RunState, name: str, key: str) -> tuple[Any, ...]:
    """The place of a run in a report, to sort by."""
    return _ORDER.index(state), natural(name.lower()), key.lower()


def announcements(waves: Iterable[Wave]) -> list[Announcement]:
    """Every announcement of every subscription, in order."""
    return sorted(
        (announcement for wave in waves for announcement in wave.announcements), key=attrgetter("order")
    )


def stage(waves: Iterable[Wave]) -> str:
    """The stage of the announcement that counts, the newest of all subscriptions."""
    found = announcements(waves)
    return found[-1].stage.value if found else "unknown"


def _announcement(announcement: Announcement) -> dict[str, Any]:
    return {
        "subscription": announcement.subscription,
        "communication_id": announcement.communication_id,
        "stage": announcement.stage.value,
        "level": announcement.level,
        "title": announcement.title,
        "text": plain(announcement.text),
        "services": list(announcement.services),
        "regions": list(announcement.regions),
        "event_time": instant(announcement.event_time),
        "submitted_at": instant(announcement.submitted_at),
        "received_at": instant(announcement.received_at),
        "impact_start": instant(announcement.impact_start),
        "impact_end": instant(announcement.impact_end),
        "found_by_search": announcement.found_by_search,
    }


def _batch(batch: Batch, run: Run) -> dict[str, Any]:
    return {
        "domain": batch.domain,
        "state": batch.state.value,
        "share_percent": facts.takes_away(run, batch),
        "not_before": instant(batch.not_before),
        "started_at": instant(batch.started_at),
        "verified_at": instant(batch.verified_at),
        "finished_at": instant(batch.finished_at),
        "instances": [
            {"id": instance.id, "state": instance.state.value, "reason": instance.reason}
            for instance in batch.instances
        ],
    }


def instant(at: datetime | None) -> str | None:
    """A moment for machines: ISO 8601, UTC, to the second."""
    return None if at is None else at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
