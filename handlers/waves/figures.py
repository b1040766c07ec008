"""A wave in figures, from the listing of its runs and the rosters of its records."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from handlers.cloud.records import Listed
from handlers.repository.runs import path_of
from planner.azure.wave import Wave
from planner.notices import digest
from planner.notices.digest import Overview, Row
from planner.record.states import RunState


def overview(waves: Sequence[Wave], lines: Mapping[str, Listed]) -> Overview:
    """The wave's counts; `lines` are its runs by the path they have, or had before they were archived."""
    planning = len(set(roster(waves)) - lines.keys())
    return counted(lines.values(), planning, wave_open=any(wave.open for wave in waves))


def counted(lines: Iterable[Listed], planning: int, *, wave_open: bool) -> Overview:
    """The same from the lines of its runs, and how many scale sets have none yet."""
    return digest.overview(map(_row, lines), planning, wave_open=wave_open)


def roster(waves: Sequence[Wave]) -> tuple[str, ...]:
    """The paths of the runs of every scale set on the wave's rosters."""
    return tuple(path_of(member.scale_set) for wave in waves for member in wave.roster)


def _row(line: Listed) -> Row:
    deadline = line.metadata.get("deadline")
    return Row(
        state=RunState(line.metadata.get("state", RunState.SCHEDULED)),
        needs_person=line.metadata.get("needs_person") == "true",
        deadline=datetime.fromisoformat(deadline) if deadline else None,
        waits=line.metadata.get("waits", ""),
    )
