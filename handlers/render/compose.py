"""From the notices of a wave to the text of one message."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from operator import attrgetter

from handlers.render import facts
from handlers.render.addresses import Addresses, portal, service_health
from handlers.render.heading import ORDER, Groups, endings, headed, places
from handlers.render.letter import Answer, Event, Letter, Line, Option, Part, Story
from handlers.render.outside_text import one_line
from handlers.render.review_parts import review_parts
from handlers.render.vocabulary import ANSWERS, GROUPS, KINDS, STANDALONE, STATES, STOP, counted, waiting
from handlers.render.wave_choices import wave_choices
from planner.notices.digest import Group, grouped
from planner.notices.feed import CHANGES
from planner.record import instance
from planner.record.command import CommandKind
from planner.record.notice import Kind, Notice, Urgency
from planner.record.run import Run
from planner.record.skip_reasons import skip_reasons
from planner.record.states import ACTIVE, RunState
from planner.text.phrases import many, say_how_far, to_the_minute

MOST_DOWN = 40
"""Instances that are named when many are down."""

LISTED = frozenset(
    {Kind.STALLED, Kind.STARTING, Kind.STARTED, Kind.COMPLETED, Kind.CANCELLED, Kind.REPLANNED}
)
"""Notices that share lines when many scale sets send them at once."""

OF_A_WAVE = frozenset({"empty_wave", "unknown_wave", "unread", "channel"})
"""Messages about no scale set that are about a wave, where they name one."""


def compose(story: Story, addresses: Addresses, now: datetime) -> Letter:
    """The message of a story; the most urgent notice gives it its name."""
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
    return replace(
        headed(story, groups, others),
        facts=_facts(story, now),
        choices=wave_choices(story.outlooks, story.tracking_id, addresses),
        events=_events(story, others, addresses, now),
        parts=(
            *_parts(groups, {run.target.id for run, _ in others}, now),
            *_over_parts(story.ended),
            *review_parts(story.ended),
        ),
        remarks=_remarks(story) if planned else (),
        stop=STOP if needs_stop else "",
        report=addresses.wave(story.tracking_id),
        feed=addresses.own_calendar() if any(each.kind in CHANGES for _, each in story.items) else "",
        health=service_health(story.tracking_id, subscriptions[0]) if subscriptions else "",
    )


def standalone(kind: str, tracking_id: str, text: str, addresses: Addresses) -> Letter:
    """A message about no scale set; `text` is what the stage that sent it adds. KeyError for other kinds."""
    return Letter(
        tracking_id,
        kind,
        *STANDALONE[kind],
        remarks=(one_line(text, 1500),) if text else (),
        report=addresses.wave(tracking_id) if tracking_id and kind in OF_A_WAVE else "",
    )


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
    if seen.total and seen.needs_person:
        asks = many(seen.needs_person, "scale set needs a person", "scale sets need a person")
        facts["Whole wave"] += f"; {asks}"
    if seen.waits:
        facts["Waiting"] = waiting(seen.waits)
    if story.outlooks:
        facts["Places"] = places(story.outlooks)
    if seen.deadline is not None:
        term = "Next deadline" if seen.deadline >= now else "Deadline passed"
        facts[term] = say_how_far(seen.deadline, now)
    return tuple(facts.items())


def _events(
    story: Story, others: Sequence[tuple[Run, Notice]], addresses: Addresses, now: datetime
) -> tuple[Event, ...]:
    """Most urgent first; only the last notice of a scale set offers answers, the earlier ones are history."""
    last = {run.target.id: notice.number for run, notice in others}
    ordered = sorted(others, key=lambda item: (ORDER.index(item[1].urgency), item[1].at, item[0].target.name))
    return tuple(
        _event(story, run, notice, addresses, now, offers=last[run.target.id] == notice.number)
        for run, notice in ordered
    )


def _event(
    story: Story, run: Run, notice: Notice, addresses: Addresses, now: datetime, *, offers: bool
) -> Event:
    symbol, word = KINDS[notice.kind]
    told = Event(
        word=word,
        symbol=symbol,
        name=run.target.name,
        where=_where(run),
        at=to_the_minute(notice.at),
        sentence=notice.sentence,
        down=facts.down(notice, MOST_DOWN),
        serving=notice.serving,
        page=addresses.run(story.tracking_id, run.target),
        portal=portal(run.target.id),
        brief=_brief(run, notice),
        kind=notice.kind.value,
        urgency=notice.urgency.value,
        scale_set=run.target.id,
    )
    if not offers:
        return told
    # As they are now: what was offered counts no longer once the run goes on.
    choices = facts.choices(run) if notice.choices else ()
    chosen = {choice.word for choice in choices if not choice.to}
    # Checks say what keeps a run from going on.
    held_up = notice.urgency is not Urgency.KNOW and run.state in ACTIVE
    return replace(
        told,
        otherwise=notice.otherwise,
        # The plan in figures, without what the notice says itself.
        facts=tuple((term, text) for term, text in facts.facts(run, now) if text not in notice.sentence),
        checks=facts.sentences(run) if held_up else (),
        choices=tuple(
            Option(
                choice.sentence,
                choice.word,
                dict(choice.to),
                addresses.choose(story.tracking_id, run, choice),
                addresses.act(story.tracking_id, run, choice.word, choice.to),
            )
            for choice in choices
        ),
        answers=tuple(
            Answer(
                ANSWERS.get(action, action),
                addresses.command(story.tracking_id, run, action),
                addresses.act(story.tracking_id, run, action),
            )
            for action in notice.answers
            if action not in chosen and (action is not CommandKind.ACKNOWLEDGE or run.ringing is not None)
        ),
    )


def _brief(run: Run, notice: Notice) -> str:
    """What a list says of a notice that asks for nothing and comes from many scale sets at once."""
    if notice.urgency is not Urgency.KNOW or notice.kind not in LISTED:
        return ""
    if notice.kind is Kind.COMPLETED and run.state is RunState.LEFT_TO_AZURE:
        return f"Left to Azure, and it is over: {instance.counted(run.instances)}."
    return notice.sentence


def _where(run: Run) -> str:
    return f"{run.target.resource_group}, {run.target.location}"


def _parts(groups: Groups, told: Collection[str], now: datetime) -> tuple[Part, ...]:
    """The digest; of scale sets that a notice of their own tells about, only their plan."""
    return tuple(
        Part(
            f"{GROUPS[group]} ({len(members)})",
            tuple(_line(group, run, now, told=run.target.id in told) for run in members),
        )
        for group, members in groups.items()
    )


def _line(group: Group, run: Run, now: datetime, *, told: bool) -> Line:
    ours = group in {Group.OURS, Group.PERSON, Group.WAITS} and run.batches
    return Line(
        run.target.name,
        _where(run),
        f"See above. {facts.batches(run)}".strip() if told else _what_happens(group, run),
        f"Checks: {facts.checked(run)}." if run.checks else "",
        () if told else facts.sentences(run),
        facts.times(run, now) if ours else "",
        facts.begins(run),
        run.times.forecast_end,
    )


def _what_happens(group: Group, run: Run) -> str:
    said = [run.reason]
    times = run.times
    if group in {Group.OURS, Group.PERSON, Group.WAITS}:
        said += [facts.batches(run), facts.capacity(run)]
    if group is Group.AZURE and times.scheduled is not None:
        start, end = to_the_minute(times.scheduled.start), to_the_minute(times.scheduled.end)
        said.append(f"Azure does it between {start} and {end}.")
    if run.repairs is not None:
        said.append(f"Automatic repairs: {facts.repairs(run)}")
    said.append(run.story.again)
    return " ".join(filter(None, said))


def _over_parts(ended: Sequence[Run]) -> tuple[Part, ...]:
    if not ended:
        return ()
    lines = tuple(
        Line(
            run.target.name,
            _where(run),
            f"{STATES[run.state][1]}; {endings((run,))}. {_how(run)}".strip(),
        )
        for run in sorted(ended, key=lambda run: run.target.name.lower())
    )
    return (Part(f"How it ended ({len(lines)})", lines),)


def _how(run: Run) -> str:
    """What the counts do not say of a run's end."""
    if run.state in {RunState.COMPLETED, RunState.LEFT_TO_AZURE} and run.instances:
        return skip_reasons(run) if run.settled else ""
    return run.reason


def _remarks(story: Story) -> tuple[str, ...]:
    planning = story.overview.planning
    are = "is" if planning == 1 else "are"
    return (f"{many(planning, 'scale set')} of this wave {are} still being planned.",) if planning else ()
