"""What each message was for: the looks at runs by what the run was doing, and who woke it."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from benchmarks.rehearsal.storage import Waiting
from handlers.stages import advance as stage
from handlers.wire.ids import RUNS
from handlers.wire.messages import RunMessage
from planner.record.cause import Cause
from planner.record.run import Run
from planner.record.states import ENDED, HANDS_OFF, RunState
from planner.start import gate

SEEN: ContextVar[list[Run] | None] = ContextVar("runs polled", default=None)
"""The run as the poll found it that is under way; empty while there is none."""

REBOOTS, SOAKS, WAITS, PAUSED, ENDS = "reboot, recovery", "soak", "waiting", "paused", "over"
WOKEN, WORD, PLANNED, SWEPT, OVERTAKEN = "woken", "a person's word", "planned", "swept", "overtaken"


class Looks:
    """`why` counts the messages on `runs` by what they were for."""

    def __init__(self) -> None:
        self.why: Counter[str] = Counter()

    def note(self, message: Waiting, polled: list[Run]) -> None:
        if message.queue == RUNS:
            self.why[_why(message, polled[0] if polled else None)] += 1


def _why(message: Waiting, run: Run | None) -> str:
    if run is None:
        return OVERTAKEN
    if message.by in {"plan", "sweep", "respond"}:
        return {"plan": PLANNED, "sweep": SWEPT, "respond": WORD}[message.by]
    if RunMessage.model_validate_json(message.text).wake:
        return WOKEN
    return doing(run)


def doing(run: Run) -> str:
    """What a run was doing when it was polled."""
    if run.state in ENDED | HANDS_OFF:
        return ENDS
    if run.in_flight:
        return REBOOTS
    if run.state is RunState.PAUSED:
        return PAUSED
    if gate.open_batch(run) is not None:
        return SOAKS
    if run.state is RunState.AWAITING_APPROVAL:
        return f"{WAITS} for approval"
    limited = run.waits is not None and run.waits.cause is Cause.LIMIT
    return f"{WAITS} for its turn" if limited else f"{WAITS} for its time"


@contextmanager
def watched() -> Iterator[None]:
    """While this lasts, `SEEN` gets the run that a poll begins with."""
    planners = stage.advance  # type: ignore[attr-defined]

    def seen(run: Run, *given: Any) -> Any:
        runs = SEEN.get()
        if runs is not None:
            runs.append(run)
        return planners(run, *given)

    stage.advance = seen  # type: ignore[assignment,attr-defined]
    try:
        yield
    finally:
        stage.advance = planners  # type: ignore[attr-defined]
