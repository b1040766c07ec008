"""What a message is called, what its first sentence says, and how a wave stands in one sentence."""

from collections.abc import Sequence
from datetime import datetime

from handlers.render import announced, why_now
from handlers.render.announced import Groups, first_names
from handlers.render.headline import Headline, headline
from handlers.render.letter import Letter, Story
from handlers.render.moments import Clock
from handlers.render.vocabulary import ANNOUNCED, EMERGENCY, ENDS, FINISHED, KINDS, OF_MANY, waiting
from planner.notices.digest import Overview, outcomes
from planner.places.outlook import Outlook
from planner.record.notice import LOUD_FIRST, Kind, Notice, Urgency
from planner.record.run import Run
from planner.record.states import ENDED, RunState
from planner.text.phrases import many, say_how_far

ORDER = LOUD_FIRST
_RANK = tuple(KINDS)

type Items = Sequence[tuple[Run, Notice]]


def headed(story: Story, groups: Groups, others: Items, clock: Clock) -> Letter:
    """The letter with its head alone, named by what is most urgent.

    That is an emergency, a notice of one scale set, the wave's end, or its beginning. `groups` are the scale
    sets whose plan is told, `others` the notices that are not plans.
    """
    emergency = any(notice.emergency for _, notice in story.items)
    urgencies = (
        Urgency.KNOW if notice.emergency and story.paged else notice.urgency for _, notice in story.items
    )
    urgency = min(urgencies, key=ORDER.index, default=Urgency.KNOW)
    pages = emergency and not story.paged and all(notice.urgency is not Urgency.PAGE for _, notice in others)
    asks = any(notice.urgency is not Urgency.KNOW for _, notice in others)
    if others and not pages and (asks or not (story.ended or emergency)):
        _, leading = min(others, key=_weight)
        plans = announced.lines(groups, clock) if groups else ""
        sentence = f"The wave {story.tracking_id} is announced, too: {plans}" if plans else ""
        called, kind, name = together(others, clock), leading.kind.value, KINDS[leading.kind]
        why = ""  # each of the notices says it
    elif story.ended:
        ended = endings(story.ended)
        called = Headline(
            f"{story.tracking_id} is over for your {many(len(story.ended), 'scale set')}", ended
        )
        kind, name, sentence, why = "finished", FINISHED, f"{ended}.", why_now.FINISHED
    else:
        called = announced.announced(story.tracking_id, groups, clock, emergency=emergency)
        kind, name = "announced", EMERGENCY if emergency else ANNOUNCED
        sentence, why = announced.lines(groups, clock), why_now.EMERGENCY if emergency else why_now.ANNOUNCED
    return Letter(
        tracking_id=story.tracking_id,
        kind=kind,
        urgency=urgency,
        symbol=name[0],
        word=name[1],
        title=called.what,
        sentence=sentence,
        subject=called.subject(story.tracking_id),
        by=called.by,
        why=why,
    )


def together(others: Items, clock: Clock) -> Headline:
    """The headline of all these notices: that of one scale set, or how many there are and what they ask."""
    latest = {run.target.id: (run, notice) for run, notice in sorted(others, key=lambda item: item[1].number)}
    for run, notice in sorted(others, key=_weight, reverse=True):
        if run.needs_person and notice.urgency is not Urgency.KNOW:
            latest[run.target.id] = run, notice  # what it still asks is not overtaken by later news
    asking = [item for item in latest.values() if item[1].urgency is not Urgency.KNOW]
    about = sorted(asking or latest.values(), key=_weight)
    if len(about) == 1:
        return headline(*about[0], clock)
    named = [run.target.name for run, _ in about]
    names = first_names(named if asking else sorted(named, key=str.lower))
    if asking:
        wanted = {notice.kind for _, notice in asking}
        number = len(asking)
        what = (
            f"Approve rebooting {number} scale sets" if wanted == {Kind.APPROVAL}
            else f"{number} scale sets need your action"
        )  # fmt: skip
        last = min((notice.answer_by for _, notice in asking if notice.answer_by is not None), default=None)
        by = f"answer by {clock.at(last)}" if last is not None and last >= clock.now else ""
        return Headline(what, names, by)
    kinds = {notice.kind for _, notice in latest.values()}
    if len(kinds) == 1:
        return Headline(f"{len(latest)} scale sets {OF_MANY[kinds.pop()]}", names)
    return Headline(f"News of {len(latest)} scale sets", names)


def endings(runs: Sequence[Run]) -> str:
    """How the runs' instances ended: `6 instances: 4 rebooted by us, 2 by Azure`."""
    ends = outcomes(runs)
    if not ends:
        return "no instance was touched"
    parts = ", ".join(f"{number} {ENDS[state]}" for state, number in ends.items())
    return f"{many(sum(ends.values()), 'instance')}: {parts}"


def wave_sentence(seen: Overview, asking: Sequence[str], now: datetime) -> str:
    """How the wave stands: `db-prod needs your action; 2 of 3 scale sets are done; next deadline ...`.

    `asking` are the names of those that need a person, which come first.
    """
    if not seen.total:
        if seen.planning:
            return f"{many(seen.planning, 'scale set')} found; their plans are being made."
        return "No scale set of yours is in this wave: nothing to do."
    if set(seen.counts) == {RunState.NOT_IMPACTED} and not seen.planning:
        return f"None of your {many(seen.total, 'scale set')} is affected: nothing to do."
    over = sum(seen.counts.get(state, 0) for state in (*ENDED, RunState.NOT_IMPACTED))
    every = many(seen.total + seen.planning, "scale set")
    one = 1 in {over, seen.total + seen.planning}
    parts = [f"{first_names(asking)} {'needs' if len(asking) == 1 else 'need'} your action"] if asking else []
    parts.append(f"{over} of {every} {'is' if one else 'are'} done")
    if seen.waits:
        parts.append(waiting(seen.waits))
    if running := seen.counts.get(RunState.RUNNING):
        parts.append(f"{running} under way")
    if left := seen.counts.get(RunState.LEFT_TO_AZURE):
        parts.append(f"{left} left to Azure")
    if seen.planning:
        parts.append(f"{seen.planning} still being planned")
    if seen.deadline:
        passed = "a deadline passed" if seen.deadline < now else "next deadline"
        parts.append(f"{passed} {say_how_far(seen.deadline, now)}")
    return "; ".join(parts) + "."


def places(outlooks: Sequence[Outlook]) -> str:
    """Who has a place in time, by subscription where there are several."""
    if len(outlooks) == 1:
        return outlooks[0].sentence
    return " ".join(f"Subscription {each.subscription}: {each.sentence}" for each in outlooks)


def _weight(item: tuple[Run, Notice]) -> tuple[int, int, int]:
    """The most urgent first, then the most telling, then the latest."""
    _, notice = item
    return ORDER.index(notice.urgency), _RANK.index(notice.kind), -notice.number
