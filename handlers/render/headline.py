"""What a notice asks or tells, about what, and by when: the first line of subject, title and body."""

import re
from dataclasses import dataclass

from handlers.render import asked
from handlers.render.moments import Clock
from handlers.render.outside_text import one_line
from handlers.render.vocabulary import TOLD
from planner.record.instance import InstanceProgress
from planner.record.notice import Kind, Notice
from planner.record.run import Run
from planner.record.states import ACTIVE, InstanceState, RunState
from planner.text.phrases import inner, lower, many, short
from planner.words.standing_still import CAUSES

LONGEST_SUBJECT = 150
LONGEST_NAME = 80
"""Characters; a scale set's name has 64 at most."""

LONGEST_REASON = 60

_OF = re.compile(r"\d+ of \d+(?= instances)")


@dataclass(frozen=True, slots=True)
class Headline:
    """`what` is asked or happened, `how` it will go, `by` when it has to be answered, or how it stands."""

    what: str
    how: str = ""
    by: str = ""

    @property
    def line(self) -> str:
        """The title of a card or a mail."""
        return " · ".join(filter(None, (self.what, self.by)))

    def subject(self, tracking_id: str) -> str:
        """As much of it as a subject holds, in whole parts."""
        mark = f" [{tracking_id}]" if tracking_id and tracking_id not in self.what else ""
        how, by = (f": {self.how}" if self.how else ""), (f"; {self.by}" if self.by else "")
        for rest in (f"{how}{by}{mark}", f"{by}{mark}", mark):
            if len(said := one_line(f"{self.what}{rest}", 10 * LONGEST_SUBJECT)) <= LONGEST_SUBJECT:
                return said
        return one_line(self.what, LONGEST_SUBJECT)


def headline(run: Run, notice: Notice, clock: Clock) -> Headline:
    """The headline of the latest notice of a run; `run` is as it stands now."""
    name = one_line(run.target.name, LONGEST_NAME)
    if notice.kind is Kind.APPROVAL:
        return Headline(f"Approve rebooting {name}", asked.how(run, clock), _by(notice, clock))
    if notice.kind is Kind.REMINDER:
        what = f"approve rebooting {name}" if run.state is RunState.AWAITING_APPROVAL else _stuck(run, name)
        return Headline(f"Reminder: {what}", _stands(notice), _by(notice, clock))
    if notice.kind is Kind.PAUSED:
        stands = ", ".join(filter(None, (_stands(notice), "paused")))
        return Headline(_stuck(run, name), "", _joined(stands, _by(notice, clock)))
    if notice.kind is Kind.STALLED:
        return Headline(_stuck(run, name), _stands(notice), _by(notice, clock))
    if notice.kind is Kind.SLACK:
        late = run.times.slack
        behind = f"{short(late)} behind its deadline" if late is not None and late.days < 0 else ""
        return Headline(f"{name} will not be done in time", behind, _by(notice, clock))
    if notice.kind is Kind.TROUBLE:
        return Headline(f"{name}: {_trouble(run, notice)}", _stands(notice), _by(notice, clock))
    if notice.kind in {Kind.COMPLETED, Kind.MISSED, Kind.CANCELLED}:
        return Headline(f"{name}: {ended(run)}", "", _stands(notice))
    if notice.kind is Kind.STARTING:
        return Headline(f"Rebooting {name} starts soon", asked.how(run, clock))
    if notice.kind is Kind.STARTED:
        return Headline(f"Rebooting {name} has started", asked.how(run, clock))
    if notice.kind is Kind.REPLANNED:
        return Headline(f"{name}: the plan has changed", asked.how(run, clock))
    return told(run, notice)


def told(run: Run, notice: Notice) -> Headline:
    """The headline of a notice that later ones have overtaken: what it was about."""
    return Headline(f"{one_line(run.target.name, LONGEST_NAME)}: {lower(TOLD[notice.kind])}")


def ended(run: Run) -> str:
    """How a run came out: `all 3 instances rebooted and healthy`."""
    every = run.instances
    done = [each for each in every if each.state is InstanceState.MAINTAINED]
    if run.state is RunState.LEFT_TO_AZURE:
        return "Azure is done with it"
    if run.state is RunState.MISSED:
        missed = [each for each in every if each.state is InstanceState.MISSED]
        return f"{many(len(missed), 'instance')} not rebooted before the self-service window closed"
    if run.state is RunState.CANCELLED:
        return f"its maintenance was cancelled{f' after {len(done)} of {len(every)}' if done else ''}"
    if every and len(done) == len(every):
        every_one = {1: "", 2: "both instances "}.get(len(done), f"all {len(done)} instances ")
        return f"{every_one}rebooted and healthy"
    if len(reasons := {each.reason for each in every}) == 1 and not done and (reason := reasons.pop()):
        return f"over, {one_line(inner(reason), LONGEST_REASON)}"
    return f"over, {len(done)} of {many(len(every), 'instance')} rebooted by us"


def _stuck(run: Run, name: str) -> str:
    """Why a run does not go on by itself."""
    if run.people.holding:
        return f"{name} is on hold"
    if run.people.misfit:
        return f"{name}: the plan does not fit"
    if ill := asked.failed(run):
        which = asked.instances(tuple(each.id for each in ill))
        return f"{name}: {which} {_went_wrong(ill)}"
    if run.waits is not None and run.state in ACTIVE:
        return f"{name} is held up by {CAUSES[run.waits.cause]}"
    if run.gaps.trouble is not None:
        return f"{name}: Azure cannot be read"
    return f"{name} needs your action"


def _went_wrong(ill: tuple[InstanceProgress, ...]) -> str:
    if all(each.proof_at is None for each in ill):
        return "did not reboot as asked"
    if all(each.finished_at is not None for each in ill):
        return "stopped serving after its reboot" if len(ill) == 1 else "stopped serving after their reboot"
    return "did not come back"


def _trouble(run: Run, notice: Notice) -> str:
    if run.gaps.trouble is not None or run.gaps.unread is not None:
        return "Azure cannot be read"
    if run.gaps.unsent is not None:
        return "no start gets through to Azure"
    if run.repairs is not None and run.repairs.error:
        return "automatic repairs are still suspended"
    if notice.down:
        return "not all of it serves after its maintenance"
    return "Azure refused a start"


def _stands(notice: Notice) -> str:
    """`2 of 3 serving`, by what the poll saw; empty where none did, or nothing is left that could."""
    found = _OF.match(notice.serving)
    return f"{found[0]} serving" if found and found[0] != "0 of 0" else ""


def _by(notice: Notice, clock: Clock) -> str:
    if not asked.left_to_answer(notice, clock.now) or notice.answer_by is None:
        return ""
    return f"answer by {clock.at(notice.answer_by)}"


def _joined(*parts: str) -> str:
    return " · ".join(filter(None, parts))
