"""Every record of a run as it is written, judged against the one before: what no end state could show.

The tenets here are about the way: nothing starts before people were told and the lead time has passed, nothing
unapproved, nothing of a plan that does not fit; no state, check or instance without a sentence; what was told
stays told.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from handlers.wire.documents import decode
from planner.policy.durations import parse_duration
from planner.policy.model import Mode, Policy
from planner.record.instance import InstanceProgress
from planner.record.notice import Kind, Urgency
from planner.record.run import Run
from planner.record.states import ACTIVE, ENDED, IN_FLIGHT, SETTLED, InstanceState, RunState

NOTHING = timedelta(0)
ASKS = frozenset({Urgency.ACT, Urgency.PAGE})
GONE_FIRST = frozenset({RunState.COMPLETED, RunState.NOT_IMPACTED})
MOST = 50
"""Findings kept: the first ones tell."""


class Watch:
    """`policy` is the one in force when a record is written."""

    def __init__(self, policy: Callable[[], Policy]) -> None:
        self.findings: list[str] = []
        self._policy = policy
        self._runs: dict[str, Run] = {}
        self._planned: dict[str, datetime] = {}
        self._approved: dict[str, set[str]] = {}
        self._raised: dict[str, set[str]] = {}

    def raised(self, key: str) -> set[str]:
        """The names of scale sets for whose run a person has raised `key`."""
        return self._raised.get(key, set())

    def written(self, path: str, body: bytes) -> None:
        if not path.startswith("runs/"):
            return
        new, old = decode(Run, body), self._runs.get(path)
        self._runs[path] = new
        for key in new.terms.raised:
            self._raised.setdefault(key, set()).add(new.target.name)
        if old is not None and _over(old) and not _over(new):
            old = None
            self._approved.pop(path, None)
        if new.state in ACTIVE and (old is None or old.state not in ACTIVE):
            self._planned[path] = new.planned_at
        found = [*_unsaid(new), *_untold(new)]
        if old is not None:
            found += _rewritten(old, new)
            found += self._started(path, old, new)
            self._approvals(path, old, new)
        for one in found:
            if len(self.findings) < MOST:
                self.findings.append(f"{new.target.name}, record {new.generation}: {one}")

    def _started(self, path: str, old: Run, new: Run) -> Iterator[str]:
        """What must hold when intents are written."""
        before = {one.id: one for one in old.instances}
        fresh = [one for one in new.instances if _intended(before.get(one.id), one)]
        if not fresh:
            return
        which = ", ".join(one.id for one in fresh)
        numbers = {batch.number for batch in new.batches for one in batch.instances if one in fresh}
        at = min(one.intent_at for one in fresh if one.intent_at is not None)
        flying = {batch.number for batch in new.batches for one in batch.instances if one.state in IN_FLIGHT}
        if len(numbers | flying) > 1:
            yield f"{which} started while batches {sorted(numbers | flying)} are in flight"
        yield from self._in_turn(old, new, numbers, which, at)
        if new.state is not RunState.RUNNING:
            yield f"{which} started in a run that is {new.state}"
        if old.people.holding:
            yield f"{which} started although it was held: {old.people.holding}"
        if self._policy().stop:
            yield f"{which} started although everything is stopped"
        lead = parse_duration(self._policy().defaults.get("lead", "24h"))
        if "lead" not in new.terms.raised and at < self._planned[path] + lead:
            yield f"{which} started at {at}, planned at {self._planned[path]} with a lead time of {lead}"
        first = not any(batch.started_at for batch in old.batches)
        if (
            first
            and new.times.slack is not None
            and new.times.slack < NOTHING
            and not new.people.deadline_waived
        ):
            yield f"{which} started first of a plan that does not fit by {-new.times.slack}"
        if (
            first
            and old.people.misfit
            and not new.people.deadline_waived
            and new.times.slack is None
            and new.times.deadline is not None
        ):
            yield f"{which} started first of a plan that finds no time: {old.people.misfit}"
        if new.terms.mode == Mode.APPROVE:
            approved = self._approved.get(path, set()) | self._just_approved(old, new)
            missing = [one.id for one in fresh if one.id not in approved]
            if missing:
                yield f"{', '.join(missing)} started and nobody has approved it"

    def _in_turn(self, old: Run, new: Run, numbers: set[int], which: str, at: datetime) -> Iterator[str]:
        """After the batches before it have soaked, and the scale sets that go first."""
        for batch in old.batches:
            maintained = any(one.state is InstanceState.MAINTAINED for one in batch.instances)
            rested = batch.verified_at is None or at >= batch.verified_at + min(
                old.terms.soak, new.terms.soak
            )
            if batch.number not in numbers and maintained and not rested:
                yield f"{which} started at {at}, {batch.domain} has soaked since {batch.verified_at} only"
        for first in self._runs.values():
            name = first.target.name
            mine = name == new.target.name  # an order that goes in a circle, and a person has let it go
            waits = name in new.terms.after and name not in new.people.waived and not mine
            if waits and first.state not in GONE_FIRST:
                yield f"{which} started, and {name}, which goes first, is {first.state}"

    def _approvals(self, path: str, old: Run, new: Run) -> None:
        """Who is approved by now: what was in the plan when somebody said so, and is in the same plan still."""
        approved = self._approved.get(path, set())
        left = [one.id for one in new.instances if one.state not in SETTLED]
        was = [one.id for one in old.instances if one.state not in SETTLED]
        # What Azure put off is tried again behind the others: that changes no order anybody approved.
        steady = {one.id for one in new.instances if not one.retries} & set(was) & set(left)
        if old.terms.fingerprint != new.terms.fingerprint or [one for one in was if one in steady] != [
            one for one in left if one in steady
        ]:
            approved = set()
        self._approved[path] = (approved | self._just_approved(old, new)) & set(left)

    def _just_approved(self, old: Run, new: Run) -> set[str]:
        said = [one for one in new.story.history[len(old.story.history) :] if one.event == "approve"]
        if not any(not one.reason.startswith(("Not applied", "Came too late")) for one in said):
            return set()
        return {one.id for one in old.instances if one.state not in SETTLED}


def _over(run: Run) -> bool:
    return run.state in ENDED or run.ended_at is not None


def _intended(before: InstanceProgress | None, now: InstanceProgress) -> bool:
    return now.intent_at is not None and (before is None or before.intent_at != now.intent_at)


def _unsaid(run: Run) -> Iterator[str]:
    """No state without a sentence."""
    if not run.reason.strip():
        yield f"{run.state} without a sentence"
    for check in run.checks:
        if not check.reason.strip():
            yield f"check {check.name} is {check.outcome} without a sentence"
    for one in run.instances:
        if one.state is not InstanceState.PENDING and not one.reason.strip():
            yield f"instance {one.id} is {one.state} without a sentence"
    for entry in run.story.history:
        if not entry.reason.strip():
            yield f"history says {entry.event!r} without a reason"
    for notice in run.story.notices:
        if not notice.sentence.strip():
            yield f"notice {notice.number} says nothing"
        if notice.urgency in ASKS and notice.answers and not notice.otherwise:
            yield f"notice {notice.number} asks and does not say what happens if nobody answers"


def _untold(run: Run) -> Iterator[str]:
    """Who waits for a person has asked one, and says until when."""
    asked = [one for one in run.story.notices if one.urgency in ASKS]
    if run.state is RunState.PAUSED and not asked:
        yield f"paused ({run.reason}) and nobody was asked"
    if run.state is RunState.PAUSED and not run.people.misfit:
        since = [one.at for one in run.story.history if one.event.endswith(f"-> {RunState.PAUSED}")]
        if since and not any(one.at >= since[-1] and one.kind is Kind.PAUSED for one in asked):
            yield f"paused since {since[-1]} ({run.reason}) and nobody was told since"
    if run.state is RunState.AWAITING_APPROVAL and not any(one.kind is Kind.APPROVAL for one in asked):
        yield "waits for approval and nobody was asked"


def _rewritten(old: Run, new: Run) -> Iterator[str]:
    """What was told or written stays as it was; what is finished stays finished unless it came back."""
    numbers = {one.number: one for one in old.story.notices}
    for one in new.story.notices:
        if one.number in numbers and numbers[one.number] != one:
            yield f"notice {one.number} was changed after it was written"
    if new.story.last_notice < old.story.last_notice:
        yield f"notices {new.story.last_notice + 1} to {old.story.last_notice} are gone"
    before, after = old.story.history, new.story.history
    # One write may bring several lines, and with them the first that makes room.
    shortened = sum(line.event == "left out" for line in (*before, *after)) > 0
    if not shortened and after[: len(before)] != before:
        yield "its history was changed"
    after = {one.id: one for one in new.instances}
    for one in old.instances:
        if one.state not in SETTLED or one.gone:
            continue
        now = after.get(one.id)
        if now is None:
            yield f"instance {one.id} was {one.state} and is forgotten"
        elif one.state is InstanceState.MAINTAINED and now.state is InstanceState.FAILED:
            continue  # it does not serve any more
        elif now.state not in SETTLED and not (now.asks or new.story.again):
            yield f"instance {one.id} was {one.state} and is {now.state} again"
