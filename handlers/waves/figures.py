"""A wave in figures, from the listing of its runs and the rosters of its records."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from handlers.cloud.records import Listed
from handlers.repository.runs import path_of
from planner.azure.wave import Wave
from planner.notices import digest
from planner.notices.digest import Overview, Row
from planner.record.states import RunState


def overview(waves: Sequence[Wave], lines: Mapping[str, Listed]) -> Overview:
    """The wave's counts; `lines` are its runs by the path they have, or had before they were archived."""
    rows = [_row(path, line) for path, line in lines.items()]
    return digest.overview(rows, roster(waves), wave_open=any(wave.open for wave in waves))


def roster(waves: Sequence[Wave]) -> tuple[str, ...]:
    """The paths of the runs of every scale set on the wave's rosters."""
    return tuple(path_of(member.scale_set) for wave in waves for member in wave.roster)


def _row(path: str, line: Listed) -> Row:
    deadline = line.metadata.get("deadline")
    return Row(
        key=path,
        state=RunState(line.metadata.get("state", RunState.SCHEDULED)),
        needs_person=line.metadata.get("needs_person") == "true",
        deadline=datetime.fromisoformat(deadline) if deadline else None,
        waits=line.metadata.get("waits", ""),
    )
