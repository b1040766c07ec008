"""Notices: what people are told of a run, with what is down and what still serves."""

from collections.abc import Sequence
from datetime import datetime

from planner.azure.fleet import Instance
from planner.policy.health import describe, serving
from planner.record.command import CommandKind
from planner.record.copying import replace
from planner.record.notice import Choice, Down, Kind, Notice, Urgency
from planner.record.run import Run
from planner.record.states import InstanceState
from planner.schedule.latest_start import latest
from planner.state.unanswered import held_up, if_nobody_answers

MOST_NOTICES = 200
"""A record is replaced whole at every write: a run that goes back and forth for weeks must stay small."""


def with_notice(
    run: Run,
    kind: Kind,
    urgency: Urgency,
    sentence: str,
    now: datetime,
    *,
    instances: Sequence[Instance] | None = None,
    on_record: bool = False,
    otherwise: str = "",
    answers: tuple[CommandKind, ...] = (),
    choices: tuple[Choice, ...] = (),
    deadline: datetime | None = None,
    answer_by: datetime | None = None,
) -> Run:
    """The run with one more notice; what is down and what still serves come from the poll's instances.

    `on_record`: without a poll it says what is down by the run's own record. Numbers go on; of very many
    notices the oldest, told long ago, are dropped.
    """
    if answers and kind in {Kind.PAUSED, Kind.REMINDER} and held_up(run):
        answers = (*answers, CommandKind.LET_PASS)
    if answers and kind is Kind.PAUSED and urgency is Urgency.PAGE:
        answers = (*answers, CommandKind.ACKNOWLEDGE)
    down = _down(run, instances or ())
    if instances is None and on_record:
        down = _down_on_record(run)
    notice = Notice(
        number=run.story.last_notice + 1,
        at=now,
        kind=kind,
        urgency=urgency,
        sentence=sentence,
        down=down if urgency is not Urgency.KNOW else (),
        serving=_serving(run, instances) if instances is not None else "",
        otherwise=otherwise,
        answers=answers,
        choices=choices,
        deadline=deadline,
        answer_by=answer_by,
    )
    return replace(run, story=replace(run.story, notices=(*run.story.notices, notice)[-MOST_NOTICES:]))


def with_started_notice(run: Run, now: datetime) -> Run:
    """The run with the notice that maintenance has begun, once something of it was taken or may have been."""
    if any(notice.kind is Kind.STARTED for notice in run.story.notices):
        return run
    for batch in run.batches:
        if any(instance.answered for instance in batch.instances):
            sentence = f"Rebooting has started with {batch.domain}."
            return with_notice(run, Kind.STARTED, Urgency.KNOW, sentence, now)
    return run


def with_question(
    run: Run,
    kind: Kind,
    sentence: str,
    now: datetime,
    *,
    urgency: Urgency = Urgency.ACT,
    instances: Sequence[Instance] | None = None,
    on_record: bool = False,
    answers: tuple[CommandKind, ...] = (),
    choices: tuple[Choice, ...] = (),
    deadline: datetime | None = None,
) -> Run:
    """The run with a notice that asks somebody to act, by when, and says what happens if nobody does."""
    last = latest(run, now)
    return with_notice(
        run,
        kind,
        urgency,
        sentence,
        now,
        instances=instances,
        on_record=on_record,
        otherwise=if_nobody_answers(run, now, last),
        answers=answers,
        choices=choices,
        deadline=deadline,
        answer_by=last.start,
    )


def _down(run: Run, instances: Sequence[Instance]) -> tuple[Down, ...]:
    domains = {instance.id: (batch.domain, instance) for batch in run.batches for instance in batch.instances}
    found: list[Down] = []
    for instance in instances:
        if instance.switched_off or serving(instance, run.terms.health):
            continue
        domain, progress = domains.get(instance.id, ("", None))
        error = progress.reason if progress is not None and progress.state is InstanceState.FAILED else ""
        if not error and instance.status is not None:
            error = instance.status.message
        found.append(Down(instance.id, instance.zone, domain, describe(instance), error))
    return tuple(found)


_AS_RECORDED = {
    InstanceState.STARTING: "its start is on its way",
    InstanceState.REBOOTING: "rebooting when last seen",
    InstanceState.VERIFYING: "not yet seen healthy twice",
    InstanceState.FAILED: "unhealthy when last seen",
}


def _down_on_record(run: Run) -> tuple[Down, ...]:
    return tuple(
        Down(
            instance.id,
            instance.zone,
            batch.domain,
            _AS_RECORDED[instance.state],
            instance.reason if instance.state is InstanceState.FAILED else "",
        )
        for batch in run.batches
        for instance in batch.instances
        if instance.state in _AS_RECORDED
    )


def _serving(run: Run, instances: Sequence[Instance]) -> str:
    up = sum(serving(instance, run.terms.health) for instance in instances)
    return f"{up} of {len(instances)} instances are running and healthy"
