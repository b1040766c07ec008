"""What a claimed message about a wave says: the same, however often it is tried."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from handlers.delivery import calendars
from handlers.delivery.fallback_receiver import remarks
from handlers.delivery.seen import Seen
from handlers.render.compose import compose
from handlers.render.letter import Letter, Story
from handlers.render.moments import Clock, zone_of
from handlers.runs import queue
from handlers.wiring import Wiring
from handlers.words.trouble import not_heard_by
from planner.notices import ears
from planner.notices.alarms import stood_down, why_again
from planner.notices.delivery import EMERGENCY, FINISHED, ChannelState, Delivery
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
    elsewhere, lent = known.reached_by_others(delivery.receiver), known.lent()
    items: list[Item] = []
    for key, upto in sending.upto.items():
        if (run := about.get(key)) is not None:
            told = max(state.told.get(key, 0), elsewhere.get(key, 0))
            fresh = ears.in_letter(
                run, told, upto, lent.get(key, 0), known.owner(run), known.policy, known.now
            )
            items += [(runs[key], notice) for notice in fresh]
    borrowed = [
        (runs[key], notice)
        for key, upto in sending.lent.items()
        if key in about
        for notice in known.borrowed(key, state, delivery.receiver)
        if notice.number <= upto
    ]
    paged = list(_pages(state, runs))
    ended: tuple[Run, ...] = ()
    if FINISHED in sending.kinds:
        told_runs = state.told.keys() | sending.upto.keys()
        lines = [line for path, line in seen.listed.items() if path in told_runs]
        ended = tuple((await wiring.runs.read_listed(lines)).values())
    items += [*borrowed, *(item for item, _ in paged)]
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
    again = {run.target.id: _said_at(why, run, known.now) for (run, _), why in paged if why}
    return replace(
        made,
        events=tuple(replace(event, why=again.get(event.scale_set, event.why)) for event in made.events),
        remarks=(
            *_in_place_of(borrowed),
            *made.remarks,
            *remarks(delivery, channel, known.now),
        ),
        calendar=await calendars.attached(channel, story, delivery.receiver, wiring),
    )


def _pages(state: ChannelState, runs: Mapping[str, Run]) -> Iterable[tuple[Item, str]]:
    """What pages again, or as another receiver's, and what no longer does; with why it comes."""
    sending = state.sending
    assert sending is not None
    for key, number in sending.pages.items():
        run = runs.get(key)
        if run is None or key in sending.upto:
            continue
        if not number:
            yield (run, stood_down(run)), ""
            continue
        alarm = run.ringing
        notice = next((each for each in run.story.notices if each.number == number), None)
        if alarm is not None and alarm.number == number and notice is not None:
            others = key not in state.told
            yield (run, notice), why_again(alarm, run.terms.receiver if others else "")


def _said_at(sentence: str, run: Run, now: datetime) -> str:
    return Clock(zone_of((run,)), now).said(sentence)


def _in_place_of(borrowed: Iterable[Item]) -> tuple[str, ...]:
    names = dict.fromkeys(run.terms.receiver for run, _ in borrowed)
    return tuple(not_heard_by(name) for name in names)


def _lost_its_place(run: Run) -> bool:
    limited = run.waits is not None and run.waits.cause is Cause.LIMIT
    return not run.begun and run.state in ACTIVE and bool(run.people.misfit or limited)
