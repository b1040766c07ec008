"""One scale set of the rehearsal: its machines, its record, and what has come of it so far."""

from dataclasses import dataclass, field
from datetime import datetime

from planner.azure.fleet import Instance, ScaleSet
from planner.policy.model import Rules
from planner.record.notice import Notice
from planner.record.run import Run
from planner.rehearsal.machines import Machines


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A scale set with its instances, as Azure showed them at one moment."""

    scale_set: ScaleSet
    instances: tuple[Instance, ...]


@dataclass(slots=True, eq=False)
class Part:
    """`scale_set` is informed by the look-ups of its waves, `rules` hold for it throughout.

    `first` is the run as it was planned first, `earlier` are the runs before the one on record. `questions`
    counts those people were asked, `asked` is set while one is open, `answered_at` is when it is answered
    (None: never, or none is open). `paged` is the last notice that paged, `taken_at` when somebody takes that
    page (None: nobody, or it is over). `polled_at` is the last poll, `polls` counts those that were played.
    """

    key: str
    scale_set: ScaleSet
    machines: Machines
    rules: Rules
    run: Run | None = None
    first: Run | None = None
    earlier: list[Run] = field(default_factory=list)
    notices: list[tuple[Notice, Run]] = field(default_factory=list)
    questions: int = 0
    asked: bool = False
    answered_at: datetime | None = None
    paged: int = 0
    taken_at: datetime | None = None
    polled_at: datetime | None = None
    polls: int = 0
    skipped: int = 0

    @property
    def record(self) -> Run:
        """The run on record; raises AssertionError before the first plan."""
        assert self.run is not None
        return self.run
