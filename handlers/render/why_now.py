"""Why a notice comes now and not at another time, in a sentence."""

from handlers.render.moments import Clock
from planner.record.notice import Kind, Notice
from planner.record.run import Run
from planner.record.states import RunState
from planner.text.phrases import long, short

ANNOUNCED = "You get this now because all your scale sets of the wave have their plans."
EMERGENCY = "You get this now because Azure calls this maintenance an emergency."
NEWS = "You get this now because it is new since the last message."
FINISHED = "You get this now because the last of your scale sets of the wave is over."


def why_now(run: Run, notice: Notice, clock: Clock) -> str:
    """The sentence of one notice about a run."""
    because = _because(run, notice, clock)
    return f"You get this now because {because}." if because else ""


def _because(run: Run, notice: Notice, clock: Clock) -> str:
    at = clock.at(notice.at)
    kind = notice.kind
    if kind is Kind.REMINDER:
        if notice.answer_by is not None and notice.answer_by > notice.at:
            return f"nobody has answered, and {short(notice.answer_by - notice.at)} were left at {at}"
        return "nobody has answered, and it is late"
    if kind is Kind.STALLED:
        return f"it could have started for {long(run.terms.stalled_after)} and has not"
    if kind is Kind.TROUBLE and run.gaps.trouble is not None:
        return "it has lasted for half an hour"
    if kind is Kind.PAUSED and run.state is RunState.PAUSED and run.people.holding:
        return f"somebody put it on hold at {at}"
    return _WHEN.get(kind, "it happened at {at}").format(at=at)


_WHEN = {
    Kind.PLANNED: "its plan was made at {at}",
    Kind.REPLANNED: "its plan changed at {at}",
    Kind.APPROVAL: "its plan was made at {at}, and nothing starts before somebody approves it",
    Kind.STARTING: "its first reboot is about to start",
    Kind.ACKNOWLEDGED: "somebody acknowledged the page at {at}",
    Kind.STARTED: "its first reboot was started at {at}",
    Kind.PAUSED: "it stopped by itself at {at}",
    Kind.RESUMED: "somebody resumed it at {at}",
    Kind.LATE: "it was taken up again at {at}",
    Kind.TROUBLE: "it went wrong at {at}",
    Kind.SLACK: "its forecast fell behind the deadline at {at}",
    Kind.COMPLETED: "the last of it was over at {at}",
    Kind.MISSED: "Azure's self-service window closed on it; seen at {at}",
    Kind.CANCELLED: "it was cancelled; seen at {at}",
}
