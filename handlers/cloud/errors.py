"""What can go wrong between us and Azure: the few kinds that the stages distinguish."""

from datetime import timedelta

from planner.text.phrases import shortened
from planner.words.refusals import wait_asked_for


class AzureTrouble(Exception):
    """Azure did not do what was asked; `sentence` says what happened in words for people."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Throttled(AzureTrouble):
    """429: nothing may be requested of this subscription before `retry_after` has passed."""

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__(wait_asked_for(retry_after))
        self.retry_after = retry_after


class BeingListed(Throttled):
    """Another host is listing the subscription's scale sets; its listing will serve."""

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__(retry_after)
        self.sentence = "The scale sets of this subscription are being listed already."


class Unreachable(AzureTrouble):
    """5xx, a timeout or a broken connection: the request may or may not have been carried out."""


class NotSent(Unreachable):
    """The request never left: nothing can have happened."""


class Refused(AzureTrouble):
    """Azure understood and refused, for a reason that trying again does not change."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class NotFound(AzureTrouble):
    """The resource or the subscription does not exist, or is not shown to us."""


class Forbidden(AzureTrouble):
    """The app's identity may not do this; the sentence names the action or the role."""


def short(error: Exception) -> str:
    """The first line of an error, for people."""
    return shortened(str(error).splitlines()[0], 300) if str(error) else type(error).__name__
