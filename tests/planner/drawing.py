"""What is drawn for a run: policies, what Azure answers and does, what people say; by hypothesis or by a seed."""

from random import Random
from typing import Any

from hypothesis import strategies as st

from planner.azure.fleet import Health
from planner.azure.wave import Stage
from planner.record.action import StartOutcome
from planner.record.states import RunState
from tests.planner.lies import LIES
from tests.planner.small_azure import ENDINGS

ANSWERS_OF_AZURE = (
    None,
    None,
    None,
    (StartOutcome.LOST, "", "The connection broke."),
    (StartOutcome.LOST, "never arrived", "The connection broke."),
    (StartOutcome.REFUSED, "OperationNotAllowed", "It is not eligible."),
    (StartOutcome.REFUSED, "Conflict", "Another operation is in progress."),
    (StartOutcome.REFUSED, "InternalError", "Try again."),
    (StartOutcome.WITHDRAWN, "", "the poll that saw it is no longer fresh"),
)

LEADS = ("0m", "0m", "0m", "10m", "24h")
POLICY = {
    "mode": ("auto", "auto", "auto", "approve", "observe"),
    "soak": ("0m", "5m", "45m"),
    "windows": ("any time", "any time", "daily 22:00-04:00 UTC", "Sat,Sun 02:00-06:00 Europe/Berlin"),
    "max-unavailable": ("1", "2", "100%"),
    "health": ("required", "if-reported", "ignore"),
    "recover-within": ("30m", "60m"),
    "complete-by": ("2026-12-24", "2026-12-24", "2026-11-24"),
    "self-service": ("always", "always", "always", "when-needed", "never"),
}
WORDS = ("approve", "approve", "hold", "resume", "resume", "resume", "skip", "raise", "quarantined")
RAISES = (
    {"soak": "1m"}, {"max-unavailable": "2"}, {"windows": "any time"}, {"complete-by": "2026-12-01"},
    {"lead": "0m"},
)  # fmt: skip
HEALTHS = (*Health, Health.HEALTHY)
THINGS: dict[str, tuple[Any, ...]] = {
    "ends": ENDINGS,
    "goes down": (None,),
    "comes up": HEALTHS,
    "health": HEALTHS,
    "power": ("running", "stopped", "deallocated", "starting"),
    "protected": (False, True),
    "vanishes": (None,),
    "appears": (False, True),
    "maintained by others": (False, True),
    "not allowed any more": (False, True),
    "its own window": (600, 30, 1, 0),
}
"""What can happen to an instance, by its place in the listing."""

IN_THE_WAY = ("", "", "", "", "", "", "stopped", "limit", "trouble", "order")
PREDECESSORS: tuple[RunState | None, ...] = (*[RunState.COMPLETED] * 20, None, *RunState)
STAGES = (Stage.PLANNED, Stage.IN_PROGRESS, Stage.COMPLETE, Stage.CANCELED)
OPENS, LASTS = (-2, 0, 1, 20, -30), (600, 60, 8, 1)
MINUTES = (0, 0, 0, 1, 7, 45, 600)

ODDS = (0.1, 0.3, 0.6)
"""How often a lie that is switched on is told."""

LIES_TOLD = st.lists(st.sampled_from(LIES), unique=True, max_size=4).map(tuple)
POLICIES = st.fixed_dictionaries(
    {"lead": st.sampled_from(LEADS)},
    optional={key: st.sampled_from(values) for key, values in POLICY.items()},
)
HAPPENINGS = st.lists(
    st.one_of(
        *(
            st.tuples(st.just(kind), st.integers(0, 6), st.sampled_from(values))
            for kind, values in THINGS.items()
        )
    ),
    max_size=2,
)


def some_policy(dice: Random) -> dict[str, str]:
    drawn = {key: dice.choice(values) for key, values in POLICY.items() if dice.random() < 0.4}
    return {"lead": dice.choice(LEADS), **drawn}


def some_things(dice: Random) -> list[tuple[str, int, Any]]:
    kinds = [dice.choice(list(THINGS)) for _ in range(dice.choice((0, 0, 1, 2)))]
    return [(kind, dice.randrange(7), dice.choice(THINGS[kind])) for kind in kinds]


def some_lies(dice: Random) -> tuple[str, ...]:
    return tuple(dice.sample(LIES, dice.choice((0, 1, 1, 2, 3, len(LIES)))))
