"""What a claimed message about a wave says: the same, however often it is tried."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from handlers.cloud.rights import RIGHTS
from handlers.delivery import calendars
from handlers.delivery.fallback_receiver import remarks
from handlers.delivery.seen import Seen
from handlers.render.compose import compose
from handlers.render.letter import Letter, Story
from handlers.render.moments import Clock, zone_of
from handlers.runs import queue
from handlers.waves import rights_probe
from handlers.wiring import Wiring
from handlers.words.trouble import lacks_rights, not_heard_by
from planner.notices.contents import contents
from planner.notices.delivery import EMERGENCY, FINISHED, Delivery
from planner.notices.digest import HELD
from planner.record.cause import Cause
from planner.record.notice import Notice
from planner.record.run import Run
from planner.record.states import ACTIVE

type Item = tuple[Run, Notice]


async def letter(delivery: Delivery, channel: str, seen: Seen, wiring: Wiring) -> Letter | None:
    """What the message says; None when there is nothing left to tell: another run has taken the place."""
    state = delivery.channels[channel]
    sending = state.sending
    assert sending is not None
    known = seen.known
    about = {key: known.runs[key] for key in sending.runs if key in known.runs}
    runs = await queue.in_place(about, wiring)
    found = contents(delivery, channel, known)
    items: list[Item] = [(runs[told.key], told.notice) for told in found.all]
    ended: tuple[Run, ...] = ()
    if FINISHED in sending.kinds:
        told_runs = state.told.keys() | sending.upto.keys()
        lines = [line for path, line in seen.listed.items() if path in told_runs]
        ended = tuple((await wiring.runs.read_listed(lines)).values())
    if not items and not ended:
        return None
    # Where the wave's places stand is told with its plans, and again when a scale set has lost its own.
    placed = any(notice.kind in HELD for _, notice in items) or any(map(_lost_its_place, about.values()))
    whose = {seen.listed[key].metadata.get("receiver") for key in about}
    theirs = [line for line in seen.listed.values() if line.metadata.get("receiver") in whose]
    outlooks = await queue.outlooks(theirs if placed else [], wiring)
    story = Story(
        seen.message.tracking_id,
        seen.waves,
        tuple(items),
        known.overview,
        ended,
        EMERGENCY in state.wave_told,
        outlooks,
    )
    made = compose(story, wiring.addresses(delivery.receiver), known.now)
    again = {
        runs[told.key].target.id: _said_at(told.why, runs[told.key], known.now)
        for told in found.pages
        if told.why
    }
    return replace(
        made,
        events=tuple(replace(event, why=again.get(event.scale_set, event.why)) for event in made.events),
        remarks=(
            *_in_place_of(runs[told.key] for told in found.borrowed),
            *made.remarks,
            *(await _lacking(seen, wiring) if placed else ()),
            *remarks(delivery, channel, known.now),
        ),
        calendar=await calendars.attached(channel, story, delivery.receiver, wiring),
    )


async def _lacking(seen: Seen, wiring: Wiring) -> tuple[str, ...]:
    """The rights that Breakwater lacks in the subscriptions of a wave, a sentence each."""
    known = await rights_probe.every(wiring)
    return tuple(
        lacks_rights(
            subscription, [(action, RIGHTS.get(action, "")) for action in known[subscription].missing]
        )
        for subscription in dict.fromkeys(wave.subscription for wave in seen.waves)
        if subscription in known and known[subscription].missing
    )


def _said_at(sentence: str, run: Run, now: datetime) -> str:
    return Clock(zone_of((run,)), now).said(sentence)


def _in_place_of(borrowed: Iterable[Run]) -> tuple[str, ...]:
    names = dict.fromkeys(run.terms.receiver for run in borrowed)
    return tuple(not_heard_by(name) for name in names)


def _lost_its_place(run: Run) -> bool:
    limited = run.waits is not None and run.waits.cause is Cause.LIMIT
    return not run.begun and run.state in ACTIVE and bool(run.people.misfit or limited)
