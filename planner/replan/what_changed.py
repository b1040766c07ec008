"""What a new plan does differently: for people who know the old one, and want to read nothing else."""

from collections.abc import Callable
from datetime import datetime

from planner.azure.fleet import natural
from planner.record.run import Run
from planner.schedule.timing import earliest
from planner.text.phrases import say
from planner.words import replans as words


def what_changed(old: Run, new: Run, now: datetime) -> str:
    """The differences between two plans of a run in sentences; empty where times, instances and pace stay."""
    said = [
        _members(old, new),
        _number(words.pace, _pace(old), _pace(new)),
        _moment(words.starts, _first(old, now), _first(new, now)),
        _moment(words.ends, old.times.forecast_end, new.times.forecast_end),
        _moment(words.deadline, old.times.deadline, new.times.deadline),
    ]
    return " ".join(filter(None, said))


def _members(old: Run, new: Run) -> str:
    before, after = ({each.id for each in run.instances if each.waiting} for run in (old, new))
    joined, left = sorted(after - before, key=natural), sorted(before - after, key=natural)
    said = [words.joined(joined)] if joined else []
    said += [words.left(left)] if left else []
    return " ".join(said)


def _pace(run: Run) -> int:
    return max((sum(each.waiting for each in batch.instances) for batch in run.batches), default=0)


def _first(run: Run, now: datetime) -> datetime | None:
    """When the next batch may start."""
    first = next((batch.not_before for batch in run.batches if batch.waiting), None)
    return max(first, earliest(run, now)) if first is not None else None


def _number(sentence: Callable[[int, int], str], old: int, new: int) -> str:
    return sentence(new, old) if old and new and old != new else ""


def _moment(sentence: Callable[[datetime, datetime], str], old: datetime | None, new: datetime | None) -> str:
    """Only what is later or earlier by a minute or more."""
    if old is None or new is None:
        return ""
    before, after = old.replace(second=0), new.replace(second=0)
    return sentence(after, before) if say(before) != say(after) else ""
