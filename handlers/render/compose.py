"""From the notices of a wave to the words of one message."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from handlers.render import facts
from handlers.render.addresses import ANSWERS, Addresses, service_health
from handlers.render.heading import ORDER, Groups, endings, heading
from handlers.render.letter import STOP, Answer, Event, Letter, Line, Option, Part, Story
from handlers.render.vocabulary import KINDS, STATES, counted, waiting
from handlers.render.words import count, one_line, when, when_and_how_far
from planner.notices.digest import Group, grouped
from planner.record import instance
from planner.record.notice import Down, Kind, Notice, Urgency
from planner.record.run import Run
from planner.record.skip_reasons import skip_reasons
from planner.record.states import ACTIVE, RunState

MOST_DOWN = 40
"""Instances that are named when many are down."""

LISTED = frozenset({Kind.STARTED, Kind.COMPLETED, Kind.CANCELLED, Kind.REPLANNED})
"""Notices that share lines when many scale sets send them at once."""


def compose(story: Story, addresses: Addresses, now: datetime) -> Letter:
    """The message of a story; the most urgent notice gives it its name."""
    planned = tuple(run for run, notice in story.items if notice.kind is Kind.PLANNED)
    others = tuple((run, notice) for run, notice in story.items if notice.kind is not Kind.PLANNED)
    groups = grouped({run.target.id: run for run in planned}.values())
    head = heading(story, groups, others)
    needs_stop = not {Group.OURS, Group.WAITS}.isdisjoint(groups) or any(
        notice.urgency is not Urgency.KNOW or notice.kind in {Kind.STARTED, Kind.RESUMED}
        for _, notice in others
    )
    subscription = _subscription(story)
    return Letter(
        tracking_id=story.tracking_id,
        kind=head.kind,
        urgency=head.urgency,
        word=head.word,
        symbol=head.symbol,
        title=head.title,
        sentence=head.sentence,
        facts=_facts(story, now),
        events=_events(story, others, addresses, now),
        parts=(*_parts(groups, {run.target.id for run, _ in others}, now), *_over_parts(story.ended)),
        remarks=_remarks(story),
        stop=STOP if needs_stop else "",
        report=addresses.wave(story.tracking_id),
        health=service_health(story.tracking_id, subscription) if subscription else "",
    )


def _subscription(story: Story) -> str:
    named = [run.target.subscription for run, _ in story.items] + [wave.subscription for wave in story.waves]
    return named[0] if named else ""


def _facts(story: Story, now: datetime) -> tuple[tuple[str, str], ...]:
    seen = story.overview
    latest = max(
        (wave.current for wave in story.waves if wave.announcements), key=lambda one: one.order, default=None
    )
    facts = [("Wave", story.tracking_id)]
    if latest is not None:
        facts[0] = ("Wave", f"{story.tracking_id} {one_line(latest.title, 120)}".strip())
        facts.append(("Stage", latest.stage.value))
    if seen.total:
        sets = f"{count(seen.total, 'scale set')}: {counted(seen.counts)}"
        facts.append(("Whole wave", sets))
    if seen.total and seen.needs_person:
        asks = count(seen.needs_person, "scale set needs a person", "scale sets need a person")
        facts[-1] = ("Whole wave", f"{facts[-1][1]}; {asks}")
    if seen.waits:
        facts.append(("Waiting", waiting(seen.waits)))
    if seen.deadline is not None:
        term = "Next deadline" if seen.deadline >= now else "Deadline passed"
        facts.append((term, when_and_how_far(seen.deadline, now)))
    return tuple(facts)


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
    # As they are now: what was offered counts no longer once the run goes on.
    choices = facts.choices(run) if offers and notice.choices else ()
    chosen = {choice.word for choice in choices if not choice.to}
    return Event(
        word=word,
        symbol=symbol,
        name=run.target.name,
        where=_where(run),
        at=when(notice.at),
        sentence=notice.sentence,
        down=_all_down(notice),
        serving=notice.serving,
        otherwise=_otherwise(notice.otherwise) if offers else "",
        facts=_plan_facts(run, notice, now) if offers else (),
        checks=facts.sentences(run) if offers and _held_up(run, notice) else (),
        choices=tuple(
            Option(
                choice.sentence,
                choice.word,
                dict(choice.to),
                addresses.choose(story.tracking_id, run, choice),
                "" if choice.to else addresses.act(story.tracking_id, run, choice.word),
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
            if action not in chosen
        )
        if offers
        else (),
        page=addresses.run(story.tracking_id, run.target),
        brief=_brief(run, notice),
    )


def _held_up(run: Run, notice: Notice) -> bool:
    """Whether the checks matter to the reader: they say what keeps a run from going on."""
    return notice.urgency is not Urgency.KNOW and run.state in ACTIVE


def _brief(run: Run, notice: Notice) -> str:
    """What a list says of a notice that asks for nothing and comes from many scale sets at once."""
    if notice.urgency is not Urgency.KNOW or notice.kind not in LISTED:
        return ""
    if notice.kind is Kind.COMPLETED and run.state is RunState.LEFT_TO_AZURE:
        return f"Left to Azure, and it is over: {instance.counted(run.instances)}."
    return notice.sentence


def _otherwise(sentence: str) -> str:
    if not sentence or sentence.lower().startswith(("if nobody", "no answer")):
        return sentence
    return f"If nobody answers: {sentence}"


def _plan_facts(run: Run, notice: Notice, now: datetime) -> tuple[tuple[str, str], ...]:
    """The plan in figures, without what the notice says itself."""
    return tuple((term, text) for term, text in facts.facts(run, now) if text not in notice.sentence)


def _all_down(notice: Notice) -> tuple[str, ...]:
    left = len(notice.down) - MOST_DOWN
    named = (_down(one, notice.sentence) for one in notice.down[:MOST_DOWN])
    return (*named, *((facts.more_down(left),) if left > 0 else ()))


def _down(one: Down, told: str) -> str:
    """An instance that is down, with its error unless the notice tells it."""
    zone = f"zone {one.zone}" if one.zone and "zone" not in one.domain else ""
    place = ", ".join(part for part in (zone, one.domain) if part)
    said = f" {one.error}" if one.error and one.error not in told else ""
    return f"Instance {one.instance}{f' ({place})' if place else ''}: {one.seen}.{said}"


def _where(run: Run) -> str:
    return f"{run.target.resource_group}, {run.target.location}"


def _parts(groups: Groups, told: Collection[str], now: datetime) -> tuple[Part, ...]:
    """The digest; of scale sets that a notice of their own tells about, only their plan."""
    headings = {
        Group.PERSON: "Needs a person",
        Group.WAITS: "Waits, though it may start",
        Group.OURS: "Maintained by us",
        Group.AZURE: "Left to Azure",
        Group.OVER: "Over already",
        Group.NOT_HIT: "Not hit",
    }
    return tuple(
        Part(
            f"{headings[one]} ({len(members)})",
            tuple(_line(one, run, now, told=run.target.id in told) for run in members),
        )
        for one, members in groups.items()
    )


def _line(place: Group, run: Run, now: datetime, *, told: bool) -> Line:
    return Line(
        run.target.name,
        _where(run),
        f"See above. {facts.plan(run, now)}".strip() if told else _what_happens(place, run, now),
        f"Checks: {facts.checked(run)}." if run.checks else "",
        () if told else facts.sentences(run),
    )


def _what_happens(place: Group, run: Run, now: datetime) -> str:
    said = [run.reason]
    if place in {Group.OURS, Group.PERSON, Group.WAITS}:
        said += _in_figures(run, now)
    if place is Group.AZURE and run.times.scheduled is not None:
        said.append(
            f"Azure does it between {when(run.times.scheduled.start)} and {when(run.times.scheduled.end)}."
        )
    if run.repairs is not None:
        said.append(f"Automatic repairs: {facts.repairs(run)}")
    said.append(run.story.again)
    return " ".join(one for one in said if one)


def _in_figures(run: Run, now: datetime) -> Iterator[str]:
    yield facts.plan(run, now)
    if run.times.deadline is not None and run.batches:
        slack = facts.slack(run)
        yield f"Must be done by {when(run.times.deadline)}{f', {slack}' if slack else ''}."
    first_start = facts.start_by(run)
    if first_start is not None:
        yield f"To meet that, the first start must go by {when(first_start)}."
    yield facts.capacity(run)


def _over_parts(ended: Sequence[Run]) -> tuple[Part, ...]:
    if not ended:
        return ()
    ordered = sorted(ended, key=lambda run: run.target.name.lower())
    lines = tuple(
        Line(
            run.target.name,
            _where(run),
            f"{STATES[run.state][1]}; {endings((run,))}. {_how(run)}".strip(),
        )
        for run in ordered
    )
    return (Part(f"How it ended ({len(lines)})", lines),)


def _how(run: Run) -> str:
    """What the counts do not say of a run's end."""
    if run.state in {RunState.COMPLETED, RunState.LEFT_TO_AZURE} and run.instances:
        return skip_reasons(run) if run.settled else ""
    return run.reason


def _remarks(story: Story) -> tuple[str, ...]:
    planning = story.overview.planning
    if not planning or not any(notice.kind is Kind.PLANNED for _, notice in story.items):
        return ()
    are = "is" if planning == 1 else "are"
    return (f"{count(planning, 'scale set')} of this wave {are} still being planned.",)
