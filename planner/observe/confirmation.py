"""One answer is no proof: what a look shows for the first time counts when a second look confirms it.

ARM answers while it replicates (hashicorp/terraform-provider-azurerm#18268) and shows views of a minute ago;
so a status that is gone, or an instance that is stopped, has to be there twice, a poll apart.
"""

from dataclasses import replace

from planner.record.observation import Look
from planner.record.run import Passage, Sighting

STATUS = "status"
"""Its maintenance status is gone. Read one by one as well before it counts: it would end a run."""

STOPPED, PROTECTED, NOT_OFFERED, COMPLETED, ILL = "stopped", "protected", "not offered", "completed", "ill"


def confirmed(passage: Passage, what: str, look: Look) -> bool:
    """Whether `what` was seen at least one poll ago as well and, where it has to be, read directly.

    A direct read beside a listing that shows otherwise, or cannot be read, is one answer: it counts when
    another one, a poll ago, said the same.
    """
    if not matured(passage, what, look):
        return False
    if what != STATUS:
        return True
    before = passage.sighting.alone if passage.sighting is not None else None
    twice = before is not None and look.at - before >= look.look_again
    return passage.id in look.direct and (passage.id not in look.alone or twice)


def matured(passage: Passage, what: str, look: Look) -> bool:
    """Whether an earlier look, at least one poll ago, has seen `what`."""
    seen = passage.sighting
    return seen is not None and seen.what == what and look.at - seen.since >= look.look_again


def sighted(passage: Passage, what: str, look: Look, reason: str = "") -> Passage:
    """The passage with `what` seen by this look; the first look that saw it counts."""
    seen = passage.sighting
    if seen is None or seen.what != what:
        seen = Sighting(what, look.at)
    if passage.id in look.alone and seen.alone is None:
        seen = replace(seen, alone=look.at)
    return replace(passage, sighting=seen, reason=reason or passage.reason)


def cleared(passage: Passage) -> Passage:
    """The passage after a look that showed nothing of what was to be confirmed."""
    return replace(passage, sighting=None) if passage.sighting is not None else passage
