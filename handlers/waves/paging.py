"""Which runs of a wave a reader wants: pages for people, a stable way through all of them for tools."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Final

from handlers.cloud.names import RUNS_PREFIX
from handlers.cloud.records import Listed
from handlers.render.contract import ordered
from handlers.waves import members
from planner.record.states import RunState

ROWS = 50
"""Scale sets on one page."""

BEGINNING: Final = "-"
"""A place before every other: they begin with a subscription's digits."""

LONGEST_NUMBER = 6
"""Digits of a page's number."""

type Line = tuple[str, Listed]
"""A run by the path it has, or had, in `runs/`, and its line of the listing."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for: runs in one state (None: in any), the page `number`, or what comes `after`.

    `after` is a place of the way through all runs, empty for the first part.
    """

    state: RunState | None = None
    number: int = 1
    after: str = ""

    @property
    def whole(self) -> bool:
        """Whether it is the wave itself, and no further part of it."""
        return self.state is None and self.number == 1 and not self.after


def asked(query: Mapping[str, str]) -> Asked:
    """What `state`, `page` and `after` ask for; ValueError with a sentence for what makes no sense."""
    state, number = query.get("state", ""), query.get("page", "1")
    if state and state not in set(RunState):
        raise ValueError(f"A run has no state {state[:40]!r}; the states are {', '.join(RunState)}.")
    if not (number.isascii() and number.isdigit() and len(number) <= LONGEST_NUMBER and int(number)):
        raise ValueError(f"{number[:40]!r} is not the number of a page.")
    return Asked(RunState(state) if state else None, int(number), query.get("after", ""))


def in_state(lines: Mapping[str, Listed], state: RunState | None) -> dict[str, Listed]:
    """The lines of the runs in this state."""
    return {
        path: line for path, line in lines.items() if state is None or line.metadata.get("state") == state
    }


def in_order(lines: Mapping[str, Listed]) -> list[Line]:
    """What needs a person first, then what is late or held up, then as every report has them."""

    def rank(item: Line) -> tuple[bool, bool, object]:
        path, line = item
        state = RunState(line.metadata.get("state", RunState.SCHEDULED))
        name = members.place_of(path, line)[2]
        return not members.needs_person(line), not members.late(line), ordered(state, name, path)

    return sorted(lines.items(), key=rank)


def pages(total: int) -> int:
    """How many pages so many runs have; one when there is none."""
    return max(1, ceil(total / ROWS))


def page(lines: Iterable[Line], number: int) -> list[Line]:
    """The lines of a page, from 1 on; none behind the last."""
    return list(lines)[(number - 1) * ROWS : number * ROWS]


def on_the_way(lines: Mapping[str, Listed], asked_for: Asked) -> tuple[list[Line], list[Line]]:
    """What comes next on a way through all runs: what needs a person, and the others by their places.

    Only the first part begins with what needs a person. Places never change, so whoever goes on from the last
    one he got to the end has seen every run, whatever changes meanwhile; one that needs a person maybe twice.
    """
    first = [item for item in in_order(lines) if members.needs_person(item[1])] if asked_for.whole else []
    begun = {path for path, _ in first}
    after = asked_for.after or BEGINNING
    rest = (item for item in lines.items() if item[0] not in begun and place(item[0]) > after)
    return first, sorted(rest, key=lambda item: place(item[0]))


def place(path: str) -> str:
    """A run's place on the way through all of them."""
    return path.removeprefix(RUNS_PREFIX).removesuffix(".json")
