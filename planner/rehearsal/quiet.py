"""Polls that cannot change anything are not played."""

from datetime import datetime

from planner.record.run import Run
from planner.rehearsal.part import Part
from planner.rehearsal.world import World


def skipped(before: Run, part: Part, world: World, now: datetime) -> int | None:
    return None
