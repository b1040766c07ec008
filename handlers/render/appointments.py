"""The words of a calendar's appointments: when a scale set is rebooted, or that Azure chooses when."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence

from handlers.render import facts
from handlers.render.outside_text import one_line
from handlers.render.vocabulary import DRILL
from planner.azure.drill import is_drill_wave
from planner.azure.wave import OVER, Stage
from planner.notices.feed import Appointment, Concerned, Standing
from planner.notices.sittings import AzuresTurn, Sitting, azures_turns, sittings
from planner.record.run import Run
from planner.record.states import ENDED, InstanceState, RunState
from planner.schedule.capacity import share
from planner.text.phrases import many, some, to_the_minute

NAMED = 3
"""Scale sets that a title names; of more it says how many."""

LINES = 20
"""Domains or scale sets that a description lists."""


def appointments(
    tracking_id: str, receiver: str, runs: Iterable[Run], stages: Mapping[str, Stage]
) -> tuple[Appointment, ...]:
    """What of a wave stands in a receiver's calendar, or in everybody's (no receiver).

    `stages` is where the wave stands in each subscription (lower case): Azure can cancel it in one alone.
    A sitting of a scale set is the same in both; what is left to Azure is one appointment a window, for those
    of the receiver's scale sets.
    """
    known = tuple(runs)

    def stage(subscription: str) -> Stage | None:
        return stages.get(subscription.lower())

    ours = (
        _ours(tracking_id, sitting, stage(run.target.subscription))
        for run in known
        for sitting in sittings(run)
    )
    azures = (_azures(tracking_id, receiver, turn, stage(turn.subscription)) for turn in azures_turns(known))
    return (*ours, *azures)


def _ours(tracking_id: str, sitting: Sitting, latest: Stage | None) -> Appointment:
    target = sitting.run.target
    standing = _standing(sitting, latest)
    whole = any((share(batch, sitting.run.fleet.serving) or 0) >= 100 for batch in sitting.batches)
    return Appointment(
        series=f"{tracking_id}.{target.name.lower()}.{_short(target.id.lower())}",
        start=sitting.start,
        end=sitting.end,
        standing=standing,
        summary=one_line(f"{_mark(tracking_id)}{_title(sitting, standing)}", 200),
        description="\n".join(_said(sitting, standing)),
        account=target.subscription,
        concerned=(Concerned(one_line(target.id, 500), "OUTAGE" if whole else "REDUCED-REDUNDANCY"),),
        location=one_line(target.location, 100),
    )


def _standing(sitting: Sitting, latest: Stage | None) -> Standing:
    if sitting.over:
        return Standing.COMPLETED
    if sitting.begun:
        return Standing.IN_PROCESS
    if latest is Stage.CANCELED:
        return Standing.CANCELLED
    return Standing.TENTATIVE if sitting.run.needs_person else Standing.CONFIRMED


def _title(sitting: Sitting, standing: Standing) -> str:
    name = sitting.run.target.name
    instances = [instance for batch in sitting.batches for instance in batch.instances]
    if sitting.over:
        done = sum(instance.state is InstanceState.MAINTAINED for instance in instances)
        return f"{name}: {done} of {many(len(instances), 'instance')} rebooted"
    verb = "reboots" if len(instances) == 1 else "reboot"
    asks = {RunState.AWAITING_APPROVAL: "Not approved: ", RunState.PAUSED: "Paused: "}
    prefix = asks.get(sitting.run.state, "") if standing is Standing.TENTATIVE else ""
    most = max(len(batch.instances) for batch in sitting.batches)
    at_once = f", at most {most} at a time" if most < len(instances) else ""
    return f"{prefix}{name}: {many(len(instances), 'instance')} {verb}{at_once}"


def _said(sitting: Sitting, standing: Standing) -> Iterator[str]:
    run = sitting.run
    order = ", one domain after the other" if len(sitting.batches) > 1 else ""
    yield f"Breakwater's own work{order}:"
    for batch in sitting.batches[:LINES]:
        ids = [instance.id for instance in batch.instances]
        which = f"instance{'s' if len(ids) > 1 else ''} {some(ids)}"
        yield one_line(f"- {one_line(batch.domain, 100)}: {which}", 300)
    if len(sitting.batches) > LINES:
        yield f"- and {many(len(sitting.batches) - LINES, 'more domain')}"
    if not sitting.begun and (capacity := facts.capacity(run)):
        yield one_line(capacity, 300)
    if run.times.deadline is not None and not sitting.over:
        yield f"Must be done by {to_the_minute(run.times.deadline)}."
    if standing is Standing.TENTATIVE or run.state is RunState.PAUSED or run.state in ENDED:
        yield one_line(run.reason, 500)


def _azures(tracking_id: str, receiver: str, turn: AzuresTurn, latest: Stage | None) -> Appointment:
    over = turn.over or (latest in OVER and latest is not Stage.CANCELED)
    standing = Standing.COMPLETED if over else Standing.CONFIRMED
    if latest is Stage.CANCELED and not turn.over:
        standing = Standing.CANCELLED
    names = [run.target.name for run in turn.runs]
    what = _listed(names) if len(names) <= NAMED else many(len(names), "scale set")
    title = f"Azure rebooted {what}" if turn.over else f"Azure reboots {what} at a time it chooses"
    lines = [f"- {_line(run)}" for run in turn.runs[:LINES]]
    if len(turn.runs) > LINES:
        lines.append(f"- and {many(len(turn.runs) - LINES, 'more scale set')}")
    return Appointment(
        series=f"{tracking_id}.azure.{_short(f'{turn.subscription.lower()} {receiver.lower()}')}",
        start=turn.start,
        end=turn.end,
        standing=standing,
        summary=one_line(f"{_mark(tracking_id)}{title}", 200),
        description="\n".join(("Breakwater starts nothing here.", *lines)),
        account=turn.subscription,
        concerned=tuple(Concerned(one_line(run.target.id, 500), _impact(run)) for run in turn.runs),
        location=_places(turn.runs),
    )


def _line(run: Run) -> str:
    """A scale set that is left to Azure, or what is left of one, and why."""
    name = one_line(f"{run.target.name} ({run.target.resource_group})", 160)
    if run.state is RunState.LEFT_TO_AZURE:
        return f"{name}: {one_line(run.reason, 200)}"
    left = {InstanceState.MISSED, InstanceState.SKIPPED}
    ids = some(each.id for each in run.instances if each.state in left and not each.gone)
    return f"{name}: what was not started, {one_line(ids, 200)}"


def _impact(run: Run) -> str:
    return "OUTAGE" if run.target.capacity == 1 else "REDUCED-REDUNDANCY"


def _listed(names: Sequence[str]) -> str:
    """`web`, `api and web`, `api, db and web`."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _places(runs: Sequence[Run]) -> str:
    return some(sorted({one_line(run.target.location, 100) for run in runs}))


def _mark(tracking_id: str) -> str:
    return DRILL if is_drill_wave(tracking_id) else ""


def _short(text: str) -> str:
    """A name for what is too long for a UID, always the same."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]
