"""What a plan makes of a scale set: a new run, the run under way after another plan, or nothing to write."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from planner.azure import order
from planner.azure.drill import is_drill
from planner.azure.fleet import ScaleSet
from planner.azure.wave import Wave, cancelled
from planner.decision.decide import decide
from planner.machine import ending
from planner.observe.outstanding import outstanding
from planner.policy.model import Policy
from planner.policy.overrides import NOTHING
from planner.policy.resolve import rules_for
from planner.record.observation import Observation
from planner.record.run import Run, Verdict
from planner.replan import new_plan, reopening
from planner.state.journal import with_entry
from planner.words.drills import PLAYED


def planned(
    run: Run | None,
    scale_set: ScaleSet,
    observation: Observation,
    waves: Sequence[Wave],
    policy: Policy,
    now: datetime,
    *,
    recheck: bool = False,
    poll_interval: timedelta = new_plan.MINUTE,
) -> Run | None:
    """The run as it should be written, planned in `waves[0]`; None when there is nothing to write.

    `run` is the one on record, `waves` are all that cover the scale set, which is informed by their look-ups.
    `recheck`: nobody has announced anything, an answer of the day or an ended run is looked at again.
    """
    wave, instances = waves[0], observation.instances or ()
    alive = run if run is not None and run.alive else None
    ended = run if alive is None else None
    if cancelled(waves):
        return ending.closed(alive, now, cancelled=True) if alive is not None else None
    _, order_problem = order.predecessors(wave.roster, scale_set.key, rules_for(policy, scale_set).after)
    decision = decide(
        scale_set,
        outstanding(instances, run, now),
        [wave.current for wave in waves],
        policy,
        now,
        raised=alive.terms.raised if alive is not None else NOTHING,
        order_problem=order_problem,
    )
    over = decision.verdict is Verdict.NOT_IMPACTED and not any(wave.open for wave in waves)
    if alive is not None:
        new = new_plan.replanned(alive, scale_set, instances, decision, waves, now, observation)
        return ending.closed(new, now) if over else new
    reopened = ""
    if ended is not None and wave.tracking_id in ended.waves:
        reopened = reopening.why(ended, decision)
        # What was merely left over opens again when Azure announces it again, and not by itself.
        if decision.verdict is Verdict.NOT_IMPACTED or not (reopened or not recheck):
            return None
    if ended is not None and over:
        return None
    new = new_plan.new_run(
        scale_set, instances, decision, waves, now, former=ended, poll_interval=poll_interval
    )
    if is_drill(scale_set.subscription):
        new = with_entry(new, "drill", PLAYED, now)
    return with_entry(new, "opened again", reopened, now) if reopened else new
