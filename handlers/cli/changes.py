"""What has changed in a wave since the last look: states, batches, and what the history has new."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from handlers.cli.app_waves import Run, short_name
from handlers.cli.run_view import said, why
from handlers.render.vocabulary import STATES
from planner.record.states import RunState


@dataclass(frozen=True, slots=True)
class Change:
    """One line. `at` is when it happened, ISO 8601 in UTC, empty for how things stand at the first look."""

    at: str
    who: str
    sentence: str
    state: str

    @property
    def data(self) -> dict[str, Any]:
        return {"at": self.at or None, "scale_set": self.who, "state": self.state, "sentence": self.sentence}


class Changes:
    """Every call tells what is new since the one before; the first how each scale set stands."""

    def __init__(self) -> None:
        self._states: dict[str, str] = {}
        self._lines: dict[str, int] = {}

    def since_last(self, runs: Sequence[Run]) -> list[Change]:
        """In order of time; a history that has become shorter is that of a new run, and new as a whole."""
        found: list[Change] = []
        for run in runs:
            key, name, state = run["scale_set"], short_name(run, runs), run["state"]
            lines, known = run["history"], self._lines.get(key)
            if known is None:
                _, word, _ = STATES[RunState(state)]
                found.append(Change("", name, f"{word}: {why(run)}", state))
                known = len(lines)
            elif known > len(lines):
                known = 0
            found += [
                Change(line["at"], name, f"{line['actor']}: {said(line)}", state) for line in lines[known:]
            ]
            if self._states.get(key, state) != state and not lines[known:]:
                found.append(Change("", name, run["reason"], state))
            self._states[key], self._lines[key] = state, len(lines)
        return sorted(found, key=lambda change: change.at)
