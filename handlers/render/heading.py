"""What a message is called and what its first sentence says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from handlers.render.letter import Story
from handlers.render.vocabulary import KINDS, WORDS
from handlers.render.words import count, one_line
from planner.notices.digest import Group, outcomes
from planner.record.cause import FOR, Cause
from planner.record.notice import Notice, Urgency
from planner.record.run import Run
from planner.record.states import InstanceState

ORDER = (Urgency.PAGE, Urgency.ACT, Urgency.KNOW)
_RANK = tuple(KINDS)

type Groups = Mapping[Group, tuple[Run, ...]]
type Items = Sequence[tuple[Run, Notice]]


@dataclass(frozen=True, slots=True)
class Heading:
    """The head of a message; `kind` is for machines, `urgency` for whoever may sleep."""

    kind: str
    symbol: str
    word: str
    title: str
    sentence: str
    urgency: Urgency


def heading(story: Story, groups: Groups, others: Items) -> Heading:
    """Named by what is most urgent: an emergency, a notice of one scale set, the wave's end, its beginning.

    `groups` are the scale sets whose plan is told, `others` the notices that are not plans.
    """
    emergency = any(notice.emergency for _, notice in story.items)
    urgency = min(
        (_urgency(story, notice) for _, notice in story.items), key=ORDER.index, default=Urgency.KNOW
    )
    pages = emergency and not story.paged and all(one.urgency is not Urgency.PAGE for _, one in others)
    asks = any(notice.urgency is not Urgency.KNOW for _, notice in others)
    if others and not pages and (asks or not (story.ended or emergency)):
        run, leading = min(others, key=lambda item: (*_weight(item[1]), -item[1].number))
        symbol, word = KINDS[leading.kind]
        # The notices below say the rest.
        planned = _planned(groups, emergency=emergency) if groups else ""
        return Heading(leading.kind.value, symbol, word, _told_of(run, leading, others), planned, urgency)
    if story.ended:
        symbol, word = WORDS["finished"]
        ended = endings(story.ended)
        sentence = f"The wave is over for your {count(len(story.ended), 'scale set')}: {ended}."
        return Heading("finished", symbol, word, ended, sentence, urgency)
    symbol, word = WORDS["emergency" if emergency else "announced"]
    sentence = _planned(groups, emergency=emergency)
    return Heading("announced", symbol, word, _announced(groups), sentence, urgency)


def endings(runs: Sequence[Run]) -> str:
    """How the runs' instances ended: `6 instances: 4 maintained by us, 2 by Azure`."""
    said = {
        InstanceState.MAINTAINED: "maintained by us",
        InstanceState.BY_AZURE: "by Azure",
        InstanceState.SKIPPED: "skipped",
        InstanceState.CANCELLED: "cancelled",
        InstanceState.MISSED: "missed",
        InstanceState.PENDING: "never due",
    }
    ends = outcomes(runs)
    parts = [f"{number} {said[state]}" for state, number in ends.items()]
    return (
        f"{count(sum(ends.values()), 'instance')}: {', '.join(parts)}" if parts else "no instance was touched"
    )


def _urgency(story: Story, notice: Notice) -> Urgency:
    return Urgency.KNOW if notice.emergency and story.paged else notice.urgency


def _weight(notice: Notice) -> tuple[int, int]:
    return ORDER.index(notice.urgency), _RANK.index(notice.kind)


def _told_of(run: Run, notice: Notice, others: Items) -> str:
    scale_sets = {one.target.id for one, _ in others}
    if len(scale_sets) > 1:
        return f"{run.target.name} and {count(len(scale_sets) - 1, 'more scale set')}"
    return f"{run.target.name}: {one_line(notice.sentence, 90)}"


def _planned(groups: Groups, *, emergency: bool) -> str:
    what = "emergency maintenance (level Warning)" if emergency else "maintenance"
    if set(groups) == {Group.NOT_HIT}:
        members = count(len(groups[Group.NOT_HIT]), "scale set")
        return f"Azure announces {what}; none of your {members} in its regions is hit."
    return f"Azure announces {what} that hits your scale sets: {_announced(groups)}."


def _announced(groups: Groups) -> str:
    said = {
        Group.PERSON: "{} needs a person" if len(groups.get(Group.PERSON, ())) == 1 else "{} need a person",
        Group.OURS: "{} maintained by us",
        Group.AZURE: "{} left to Azure",
        Group.OVER: "{} over already",
        Group.NOT_HIT: "{} not hit",
    }
    parts = (
        _waiting(members) if one is Group.WAITS else said[one].format(len(members))
        for one, members in groups.items()
    )
    return ", ".join(parts) or "none of yours"


def _waiting(runs: Sequence[Run]) -> str:
    """By cause, with names: `2 wait for a limit in flight (api, web)`."""
    by: dict[Cause, list[str]] = {}
    for run in runs:
        if run.waits is not None:
            by.setdefault(run.waits.cause, []).append(one_line(run.target.name, 60))
    return ", ".join(
        f"{len(names)} {'waits' if len(names) == 1 else 'wait'} for {FOR[cause]} "
        f"({', '.join(names[:3])}{' and others' if len(names) > 3 else ''})"
        for cause, names in by.items()
    )
