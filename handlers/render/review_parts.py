"""The review of a wave as parts of its last message."""

from collections.abc import Sequence

from handlers.render.letter import Line, Part
from handlers.render.moments import Clock
from planner.notices.review import review
from planner.record.run import Run

HEADINGS = ("How long each domain was down", "What went wrong", "For the next wave")


def review_parts(ended: Sequence[Run], clock: Clock) -> tuple[Part, ...]:
    """A part for each question that has an answer; none for a wave that is not over."""
    if not ended:
        return ()
    found = review(ended)
    parts = zip(HEADINGS, (found.down, found.wrong, found.change), strict=True)
    return tuple(
        Part(heading, tuple(Line(point.name, point.where, clock.said(point.sentence)) for point in points))
        for heading, points in parts
        if points
    )
