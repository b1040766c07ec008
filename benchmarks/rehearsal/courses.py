"""When each run was first written and when it stood paused, from the writes of its record."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from benchmarks.rehearsal.due import Span
from planner.record.states import RunState


@dataclass(slots=True)
class Written:
    """A run over time; `since` is the beginning of a pause that lasts."""

    created: datetime
    writes: int = 0
    largest: int = 0
    since: datetime | None = None
    pauses: list[Span] = field(default_factory=list)

    def paused_until(self, until: datetime) -> list[Span]:
        return [*self.pauses, (self.since, until)] if self.since is not None else self.pauses


class Courses:
    """By path."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.by_path: dict[str, Written] = {}
        self._now = now

    def written(self, path: str, metadata: Mapping[str, str]) -> None:
        now = self._now()
        one = self.by_path.setdefault(path, Written(now))
        one.writes += 1
        paused = metadata.get("state") == RunState.PAUSED
        if paused and one.since is None:
            one.since = now
        elif not paused and one.since is not None:
            one.pauses.append((one.since, now))
            one.since = None
