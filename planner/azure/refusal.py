"""What Azure's refusal of a start means, by its code and its message: the code alone says little.

A 409 `OperationNotAllowed` is final for an instance that is not eligible, and passes where it speaks of
quota, of a machine that has to run or of another operation. Messages are Azure's prose and may change: a
refusal that no pattern fits is tried again, never given up.

Sources: quota Azure/karpenter-provider-azure#192 and microsoft/onefuzz#605; a machine that has to run
Azure/azure-cli-extensions#6832; other operations Azure/azure-service-operator#2946, MicrosoftDocs/
azure-docs#32404; locks MicrosoftDocs/azure-docs#63030, Azure/azure-sdk-for-java#2560; "not eligible" the
documentation of planned maintenance for virtual machines (`performMaintenance`).
"""

import re
from enum import StrEnum


class Refusal(StrEnum):
    """What to do about a refusal.

    NOT_ELIGIBLE: final for this wave if a later poll agrees. PASSING, OTHER: tried again with back-off.
    LOCKED: a person has to remove a lock. IN_DOUBT: another operation runs on this very instance, perhaps
    our own earlier start, so it is watched like a start without an answer.
    """

    NOT_ELIGIBLE = "not_eligible"
    PASSING = "passing"
    LOCKED = "locked"
    IN_DOUBT = "in_doubt"
    OTHER = "other"


_LOCKED = re.compile(r"scope\(?s?\)? (?:are|is) locked|remove the lock|because it or its parent is locked")
_NOT_ELIGIBLE = re.compile(r"\b(?:not|isn't|is no longer) eligible\b|\bineligible\b")
_PASSES = re.compile(
    r"\bquota\b|\bto be running\b|\b(?:must|has to|should) be running\b|\b(?:not|isn't) running\b"
)
_BUSY = re.compile(
    r"\bin[ -]?progress\b|\banother (?:\w+ )?(?:operation|request)\b|\bpreempt|\bconflict|\bconcurrent"
    r"|\bexclusive\b|\bbeing (?:updated|modified|deleted|created)\b"
)
_SCALE_SET = re.compile(r"\b(?:vm|virtual machine) ?scale ?sets?\b|\bvmss\b")
_MACHINE = re.compile(r"\bvms?\b|\bvirtual ?machines?\b|\binstances?\b")


def classified(code: str, message: str) -> Refusal:
    """What the refusal of one instance's start means."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", code)  # `AnotherOperationInProgress` as words
    said = f"{spaced} {message}".lower()
    if code.lower() == "scopelocked" or _LOCKED.search(said):
        return Refusal.LOCKED
    if _NOT_ELIGIBLE.search(said):
        return Refusal.NOT_ELIGIBLE
    if _PASSES.search(said):
        return Refusal.PASSING
    if not _BUSY.search(said):
        return Refusal.OTHER
    # Only what speaks of the scale set alone cannot be our own start of this instance.
    others = _SCALE_SET.search(said) and not _MACHINE.search(_SCALE_SET.sub(" ", said))
    return Refusal.PASSING if others else Refusal.IN_DOUBT
