"""What is down by our doing and not back pages: until somebody takes it, it serves, or the run goes on.

When it goes again, and to whom, is chosen where it is told (`planner.notices.alarms`); here is what pages.
"""

from datetime import datetime

from planner.people.paused_run import failure
from planner.policy.health import serving
from planner.record.command import CommandKind
from planner.record.copying import replace
from planner.record.notice import Kind, Urgency
from planner.record.observation import Observation
from planner.record.run import Run
from planner.record.waits import Alarm
from planner.state.notices import with_question


def kept(run: Run, observation: Observation, told_before: int, now: datetime) -> Run:
    """The run with its alarm: a new one where something else has gone down, none once nothing is.

    `told_before` is the last notice before this poll: what it has paged about itself is not paged again.
    """
    failed, old = run.failed_by_us, run.standing.alarm
    if not failed:
        return run if old is None else _with(run, None)
    known = (*old.instances, *old.back) if old is not None else ()
    fresh = [instance for instance in failed if instance.id not in known]
    if not fresh and old is not None:
        return _with(run, _seen(run, old, observation))
    paged = [
        notice
        for notice in run.story.notices
        if notice.number > told_before and notice.urgency is Urgency.PAGE
    ]
    if not paged:
        reason = failure(fresh)
        run = with_question(
            replace(run, reason=run.reason if run.people.holding else reason),
            Kind.PAUSED,
            reason,
            now,
            urgency=Urgency.PAGE,
            instances=observation.instances,
            on_record=True,
            answers=(CommandKind.RESUME, CommandKind.SKIP),
        )
    down = tuple(each.id for each in failed if old is None or each.id not in old.back)
    return _with(run, Alarm(run.story.last_notice, down, now, back=old.back if old is not None else ()))


def _seen(run: Run, alarm: Alarm, observation: Observation) -> Alarm:
    """The alarm with what this poll shows: who has served on two polls is back.

    If it falls ill again that is the same trouble: who comes and goes must not page at each of its falls.
    """
    failed = tuple(instance.id for instance in run.failed_by_us)
    up: tuple[str, ...] = ()
    if observation.instances is not None:
        serve = {each.id for each in observation.instances if serving(each, run.terms.health)}
        up = tuple(each for each in failed if each in serve)
        back = tuple(each for each in up if each in (*alarm.back, *alarm.seen_up))
    else:
        back = tuple(each for each in failed if each in alarm.back)
    down = tuple(each for each in failed if each not in back)
    return replace(alarm, instances=down, back=back, seen_up=tuple(each for each in up if each not in back))


def _with(run: Run, alarm: Alarm | None) -> Run:
    return replace(run, standing=replace(run.standing, alarm=alarm))
