"""The first lines of a wave's digest: how many scale sets, until when, what becomes of them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from handlers.render import facts
from handlers.render.headline import Headline
from handlers.render.moments import Clock
from handlers.render.outside_text import one_line
from planner.notices.digest import Group
from planner.record.cause import Cause
from planner.record.run import Run
from planner.text.phrases import inner, many
from planner.words.standing_still import CAUSES

type Groups = Mapping[Group, tuple[Run, ...]]

NAMED = 3
"""Scale sets that a line names."""

SHORT = 80
"""Characters of a reason that still fits into the line."""

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_LEFT = "Left to Azure: "


def announced(tracking_id: str, groups: Groups, clock: Clock, *, emergency: bool) -> Headline:
    """The headline of the digest of a wave."""
    runs = [run for members in groups.values() for run in members]
    what = f"Emergency maintenance {tracking_id}" if emergency else tracking_id
    if set(groups) == {Group.NOT_HIT}:
        which = "your scale set is not" if len(runs) == 1 else f"none of your {len(runs)} scale sets is"
        return Headline(f"{what}: {which} affected", "", "nothing to do")
    headline = f"{what}: {many(len(runs), 'scale set')} in {_regions(runs)}"
    return Headline(headline, ", ".join(_counts(groups)), _until(runs, clock))


def lines(groups: Groups, clock: Clock) -> str:
    """What becomes of them, in one line: how many are rebooted by us and when, left to Azure and why."""
    if set(groups) == {Group.NOT_HIT}:
        return "No instance of yours shows maintenance."
    said = []
    for group, members in groups.items():
        if group is Group.PERSON:
            continue
        said.append(f"{_count(group, members)}{_more(group, members, clock)}")
    if asking := groups.get(Group.PERSON):
        said.append(_count(Group.PERSON, asking) + f": {first_names([run.target.name for run in asking])}")
    return f"{' · '.join(said)}."


def first_names(names: Sequence[str]) -> str:
    """The first of the names, and how many more."""
    shown = ", ".join(one_line(name, 60) for name in names[:NAMED])
    return f"{shown} and {len(names) - NAMED} more" if len(names) > NAMED else shown


def _counts(groups: Groups) -> Iterable[str]:
    return (_count(group, members) for group, members in groups.items())


def _count(group: Group, members: Sequence[Run]) -> str:
    one = len(members) == 1
    if group is Group.WAITS:
        return _waiting(members)
    words = {
        Group.PERSON: "needs you" if one else "need you",
        Group.OURS: "rebooted by us",
        Group.AZURE: "left to Azure",
        Group.OVER: "over already",
        Group.NOT_HIT: "not affected",
    }
    return f"{len(members)} {words[group]}"


def _more(group: Group, members: Sequence[Run], clock: Clock) -> str:
    if group is Group.OURS:
        return _times(members, clock)
    if group is Group.AZURE:
        reasons = {run.reason.removeprefix(_LEFT) for run in members}
        shared = reasons.pop() if len(reasons) == 1 else ""
        return f" ({inner(shared)})" if shared and len(shared) <= SHORT else " (why: below)"
    return ""


def _times(members: Sequence[Run], clock: Clock) -> str:
    begin = min(filter(None, map(facts.begins, members)), default=None)
    ends = [run.times.forecast_end for run in members if run.times.forecast_end is not None]
    first = f" from {clock.at(begin)}" if begin is not None else ""
    every = "all " if len(members) > 1 else ""
    return first + (f" ({every}done by {clock.at(max(ends))})" if ends else "")


def _waiting(members: Sequence[Run]) -> str:
    """By cause, with names: `2 held up by the limits (api, web)`."""
    by: dict[Cause, list[str]] = {}
    for run in members:
        if run.waits is not None:
            by.setdefault(run.waits.cause, []).append(run.target.name)
    return ", ".join(
        f"{len(names)} held up by {CAUSES[cause]} ({first_names(names)})" for cause, names in by.items()
    )


def _regions(runs: Sequence[Run]) -> str:
    found = sorted({run.target.location for run in runs})
    if len(found) == 1:
        return one_line(found[0], 60)
    return f"{_NUMBERS[len(found)] if len(found) < len(_NUMBERS) else len(found)} regions"


def _until(runs: Sequence[Run], clock: Clock) -> str:
    """Until when we can reboot them; after that Azure does."""
    ends: list[datetime] = [run.times.self_service.end for run in runs if run.times.self_service is not None]
    last = min((end for end in ends if end > clock.now), default=None)
    return f"reboots until {clock.day(last)}, then at a time Azure chooses" if last is not None else ""
