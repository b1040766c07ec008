"""One thing that was looked at: in order, to be mended, or not to be seen from here."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    WELL = "well"
    FINDING = "finding"
    UNREAD = "unread"


@dataclass(frozen=True, slots=True)
class Finding:
    """`area` is what it belongs to (sign-in, rights, alerts), `remedies` are commands to type, in order.

    Neither sentence nor remedy ever holds a secret: of an address only its host.
    """

    area: str
    verdict: Verdict
    sentence: str
    remedies: tuple[str, ...] = ()


def well(area: str, sentence: str) -> Finding:
    """It is in order."""
    return Finding(area, Verdict.WELL, sentence)


def wrong(area: str, sentence: str, *remedies: str) -> Finding:
    """Something to mend."""
    return Finding(area, Verdict.FINDING, sentence, remedies)


def unread(area: str, sentence: str, *remedies: str) -> Finding:
    """It could not be looked at; the remedies say what makes it visible."""
    return Finding(area, Verdict.UNREAD, sentence, remedies)
