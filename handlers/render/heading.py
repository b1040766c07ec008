"""What a message is called, what its first sentence says, and how a wave stands in one sentence."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from handlers.render.letter import Letter, Story
from handlers.render.outside_text import one_line
from handlers.render.vocabulary import ANNOUNCED, EMERGENCY, ENDS, FINISHED, KINDS, waiting
from planner.notices.digest import Group, Overview, outcomes
from planner.places.outlook import Outlook
from planner.record.cause import FOR, Cause
from planner.record.notice import LOUD_FIRST, Notice, Urgency
from planner.record.run import Run
from planner.record.states import ENDED, RunState
from planner.text.phrases import many, say_how_far

ORDER = LOUD_FIRST
_RANK = tuple(KINDS)

type Groups = Mapping[Group, tuple[Run, ...]]
type Items = Sequence[tuple[Run, Notice]]


def headed(story: Story, groups: Groups, others: Items) -> Letter:
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
        run, leading = min(others, key=_weight)
        # The notices below say the rest.
        planned = _planned(groups, emergency=emergency) if groups else ""
        title = _notice_title(run, leading, others)
        return Letter(story.tracking_id, leading.kind.value, urgency, *KINDS[leading.kind], title, planned)
    if story.ended:
        ended = endings(story.ended)
        sentence = f"The wave is over for your {many(len(story.ended), 'scale set')}: {ended}."
        return Letter(story.tracking_id, "finished", urgency, *FINISHED, ended, sentence)
    name, sentence = EMERGENCY if emergency else ANNOUNCED, _planned(groups, emergency=emergency)
    return Letter(story.tracking_id, "announced", urgency, *name, _announced(groups), sentence)


def endings(runs: Sequence[Run]) -> str:
    """How the runs' instances ended: `6 instances: 4 maintained by us, 2 by Azure`."""
    ends = outcomes(runs)
    if not ends:
        return "no instance was touched"
    parts = ", ".join(f"{number} {ENDS[state]}" for state, number in ends.items())
    return f"{many(sum(ends.values()), 'instance')}: {parts}"


def wave_sentence(seen: Overview, asking: Sequence[str], now: datetime) -> str:
    """How the wave stands: `2 of 3 scale sets are over; db-prod needs a person; next deadline ...`.

    `asking` are the names of those that need a person.
    """
    if not seen.total:
        if seen.planning:
            return f"{many(seen.planning, 'scale set')} found; their plans are being made."
        return "No scale set of yours was found in this wave: nothing to do."
    if set(seen.counts) == {RunState.NOT_IMPACTED} and not seen.planning:
        return f"None of {many(seen.total, 'scale set')} is hit: nothing to do."
    over = sum(seen.counts.get(state, 0) for state in (*ENDED, RunState.NOT_IMPACTED))
    every = many(seen.total + seen.planning, "scale set")
    parts = [f"{over} of {every} {'is' if over == 1 else 'are'} over"]
    if asking:
        parts.append(f"{_first_names(asking)} {'needs' if len(asking) == 1 else 'need'} a person")
    if seen.waits:
        parts.append(waiting(seen.waits))
    if running := seen.counts.get(RunState.RUNNING):
        parts.append(f"{running} running")
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


def _notice_title(run: Run, notice: Notice, others: Items) -> str:
    more = len({other.target.id for other, _ in others}) - 1
    if more:
        return f"{run.target.name} and {many(more, 'more scale set')}"
    return f"{run.target.name}: {one_line(notice.sentence, 90)}"


def _planned(groups: Groups, *, emergency: bool) -> str:
    what = "emergency maintenance (level Warning)" if emergency else "maintenance"
    if set(groups) == {Group.NOT_HIT}:
        members = many(len(groups[Group.NOT_HIT]), "scale set")
        return f"Azure announces {what}; none of your {members} in its regions is hit."
    return f"Azure announces {what} that hits your scale sets: {_announced(groups)}."


def _announced(groups: Groups) -> str:
    said = {
        Group.PERSON: "needs a person" if len(groups.get(Group.PERSON, ())) == 1 else "need a person",
        Group.OURS: "maintained by us",
        Group.AZURE: "left to Azure",
        Group.OVER: "over already",
        Group.NOT_HIT: "not hit",
    }
    parts = (
        _waiting(members) if group is Group.WAITS else f"{len(members)} {said[group]}"
        for group, members in groups.items()
    )
    return ", ".join(parts) or "none of yours"


def _waiting(runs: Sequence[Run]) -> str:
    """By cause, with names: `2 wait for a limit in flight (api, web)`."""
    by: dict[Cause, list[str]] = {}
    for run in runs:
        if run.waits is not None:
            by.setdefault(run.waits.cause, []).append(run.target.name)
    return ", ".join(
        f"{len(names)} {'waits' if len(names) == 1 else 'wait'} for {FOR[cause]} ({_first_names(names)})"
        for cause, names in by.items()
    )


def _first_names(names: Sequence[str]) -> str:
    return ", ".join(one_line(name, 60) for name in names[:3]) + (" and others" if len(names) > 3 else "")
