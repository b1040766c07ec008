"""Before a batch: what holds it up, and which of its instances may be started in this very look."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from planner import approval, checks, repairs
from planner.fleet import Instance
from planner.intents import with_intents
from planner.look import ASKS, ORDER, Look, SetRepairs
from planner.outstanding import outstanding
from planner.run import (
    IN_FLIGHT,
    SETTLED,
    Batch,
    BatchState,
    InstanceState,
    Passage,
    Run,
    RunState,
)
from planner.saying import inner, long, say
from planner.schedule import closes, fingerprint, most_down, next_start, together
from planner.serving import describe

FRESH = timedelta(seconds=30)
"""A start is sent within 30 seconds of the look that saw the instance (design: A start)."""

DAILY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing can start now, and why; `until` is the time to look again, none for a look-again from now."""

    reason: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AskPerson:
    """Only a person can go on from here."""

    reason: str


@dataclass(frozen=True, slots=True)
class PlanAgain:
    """What was planned no longer fits what is there."""

    reason: str


@dataclass(frozen=True, slots=True)
class First:
    """Something has to be done before the start; the next look goes on. `run` has the intent in it."""

    run: Run
    actions: tuple[SetRepairs, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Go:
    """The batch with its intents written, and until when they may be sent."""

    batch: Batch
    before: datetime


def open_batch(run: Run) -> Batch | None:
    """The batch that is under way: something of it was started and it is not done."""
    return next(
        (one for one in run.batches if one.state not in {BatchState.PENDING, BatchState.DONE}),
        None,
    )


def next_batch(run: Run, now: datetime) -> Batch | None:
    """The batch to start from next: the one under way, else the first that may go or is held back least."""
    waiting = [
        one
        for one in run.batches
        if one.state is not BatchState.DONE
        and any(_to_start(passage) for passage in one.instances)
        and approval.cleared(run, one)
    ]
    under_way = open_batch(run)
    if under_way is not None:
        return under_way if under_way in waiting else None
    ready = [one for one in waiting if one.held_until is None or one.held_until <= now]
    if ready:
        return ready[0]
    return min(waiting, key=lambda one: (one.held_until or now, one.number), default=None)


def _to_start(passage: Passage) -> bool:
    return passage.state in {InstanceState.PENDING, InstanceState.ASIDE}


def gate(run: Run, look: Look, now: datetime) -> Wait | AskPerson | None:
    """What forbids a start whatever Azure shows; None when Azure has to be read.

    Called before Azure is read, so that waiting costs no calls.
    """
    batch = next_batch(run, now)
    if batch is None:
        if approval.wanted(run):
            return Wait("a person's approval", now + DAILY)
        return Wait("nothing is left to start")
    if look.stopped:
        return Wait(inner(look.stopped))
    earliest = max(
        (moment for moment in (run.lead_over, batch.held_until, _opens(run)) if moment is not None),
        default=now,
    )
    if now < earliest:
        what = "the lead time" if earliest == run.lead_over else "the self-service window"
        if earliest == batch.held_until and earliest not in {run.lead_over, _opens(run)}:
            what = "its time"
        return Wait(f"{what} until {say(earliest)}", earliest)
    windows, freezes = (
        (look.rules.windows, look.rules.freezes) if look.rules is not None else (run.windows, run.freezes)
    )
    start, why = next_start(windows, freezes, now, run.expected)
    if start is None:
        return Wait(why, now + DAILY)
    if start > now:
        return Wait(why, start)
    closing = run.self_service.end if run.self_service is not None else None
    if closing is not None and now + run.expected > closing:
        return Wait(
            f"nothing any more: the self-service window closes at {say(closing)}, sooner than the "
            f"{long(run.expected)} a batch is expected to take",
            closing,
        )
    held = _predecessors(run, look)
    if held is None and look.limit:
        return Wait(inner(look.limit))
    return held


def _opens(run: Run) -> datetime | None:
    return run.self_service.start if run.self_service is not None else None


def _predecessors(run: Run, look: Look) -> Wait | AskPerson | None:
    if look.order_problem and ORDER not in run.waived:
        return AskPerson(look.order_problem)
    for one in look.predecessors:
        if one.name in run.waived:
            continue
        if one.state in ASKS:
            return AskPerson(
                f"It goes after {one.name}, whose run ended as {one.state}. Resume to go ahead all the same."
            )
    for one in look.predecessors:
        if one.name not in run.waived and one.state not in {RunState.COMPLETED, RunState.NOT_IMPACTED}:
            standing = f"is {one.state}" if one.state is not None else "has not been planned yet"
            return Wait(f"{one.name} goes first and {standing}")
    return None


def prepare(run: Run, look: Look, now: datetime) -> Wait | AskPerson | PlanAgain | First | Go:
    """Decide on the next batch by what this look saw. Every check runs again; rules were read afresh."""
    held = gate(run, look, now)
    if held is not None:
        return held
    batch = next_batch(run, now)
    if batch is None or look.instances is None or look.scale_set is None or look.rules is None:
        return Wait("a look at Azure")
    if fingerprint(look.rules) != run.rules:
        return PlanAgain("the policy or the tags have changed since the plan was made")
    # Protected instances are excused one by one below, also when nothing else is left.
    structural = [
        one
        for one in checks.blocking(
            checks.counter_indications(look.scale_set, outstanding(look.instances, run, now), look.rules, now)
        )
        if one.name != "protection"
    ]
    if structural:
        return PlanAgain(structural[0].reason)
    mine = frozenset(passage.id for passage in batch.instances)
    for check in checks.blocking(
        checks.conditions(look.scale_set, look.instances, look.rules, going_down=mine, reported=run.reports)
    ):
        return Wait(inner(check.reason))
    batch = _without_excused(batch, look, now)
    ready = _ready(batch, look, now)
    if not ready:
        return _nothing_ready(batch, look)
    ready = _of_one_domain(batch, ready, look)
    if not ready:
        return PlanAgain(f"the instances of {batch.domain} are no longer in one domain")
    room = _room(batch, look.instances, look)
    if isinstance(room, (Wait, PlanAgain)):
        return room
    ready = dict(list(ready.items())[:room])
    if run.repairs is not None and run.repairs.resuming_since is not None:
        return Wait("its automatic repairs to run again")
    cannot = repairs.refused(run, look, now)
    if cannot:
        return AskPerson(cannot)
    first = repairs.suspension(run, look, now)
    if first is not None:
        return First(*first, "its automatic repairs to be suspended")
    return Go(with_intents(batch, ready, now), _before(look, ready))


def _without_excused(batch: Batch, look: Look, now: datetime) -> Batch:
    """Protected, switched-off and not offered instances are not started and hold up nobody."""
    seen = {one.id: one for one in look.instances or ()}
    accepted = look.rules.accept if look.rules is not None else ()
    passages: list[Passage] = []
    for passage in batch.instances:
        instance = seen.get(passage.id)
        why, passing = "", False
        if _to_start(passage) and instance is not None and instance.maintenance is not None:
            window = instance.maintenance.self_service
            if instance.protected and "protection" not in accepted:
                why = "it is protected from scale-set actions"
            elif instance.switched_off:
                why, passing = f"it is {instance.power}, so there is nothing to reboot", True
            elif not instance.maintenance.allowed and (window is None or now in window):
                why = "Azure does not offer self-service for it and maintains it in its own window"
                passing = True
        excused = replace(
            passage, state=InstanceState.EXCUSED, reason=f"Excused: {why}.", finished_at=now, gone=passing
        )
        passages.append(excused if why else passage)
    return replace(batch, instances=tuple(passages))


def _ready(batch: Batch, look: Look, now: datetime) -> dict[str, Instance]:
    """The instances to start, by id: allowed now, inside their own window, running."""
    seen = {one.id: one for one in look.instances or ()}
    ready: dict[str, Instance] = {}
    for passage in batch.instances:
        instance = seen.get(passage.id)
        if not _to_start(passage) or instance is None or instance.maintenance is None:
            continue
        if passage.since is not None and passage.since > now:
            continue
        status = instance.maintenance
        inside = status.self_service is not None and now in status.self_service
        if status.allowed and inside and not status.unreadable and instance.running and not instance.busy:
            ready[passage.id] = instance
    return ready


def _of_one_domain(batch: Batch, ready: dict[str, Instance], look: Look) -> dict[str, Instance]:
    """What of `ready` may go down with the rest of its batch; nothing where a new plan has to say.

    An instance that was deallocated and came back can be in another domain than when it was planned.
    """
    if look.scale_set is None:
        return {}
    seen = {one.id: one for one in look.instances or ()}
    left = [seen[one.id] for one in batch.instances if one.state not in SETTLED and one.id in seen]
    domains = {one.id: together(look.scale_set, one) for one in left}
    if len(set(domains.values())) < 2:
        return ready
    if batch.started_at is None:
        return {}
    # Under way already: only what shares the domain of those that were started, or else the first of them.
    first = next((one.id for one in batch.instances if one.state in IN_FLIGHT), next(iter(ready)))
    return {key: one for key, one in ready.items() if domains[key] == domains.get(first)}


def _nothing_ready(batch: Batch, look: Look) -> Wait | Go:
    if all(passage.state in SETTLED for passage in batch.instances):
        # What was excused is worth writing down; there is nothing to send.
        return Go(batch, look.at)
    waits = [one.since for one in batch.instances if one.since is not None and one.since > look.at]
    if waits:
        return Wait(f"its next attempt at {say(min(waits))}", min(waits))
    down = next(
        (one for one in look.instances or () if one.id in {passage.id for passage in batch.instances}), None
    )
    seen = f" (instance {down.id}: {describe(down)})" if down is not None else ""
    return Wait(f"an instance of {batch.domain} that may be started{seen}")


def _room(batch: Batch, instances: Sequence[Instance], look: Look) -> int | Wait | PlanAgain:
    """How many of the batch may be started; instances down for any cause count against max-unavailable."""
    if look.scale_set is None or look.rules is None:
        return 0
    left = [passage for passage in batch.instances if passage.state not in SETTLED]
    mine = {passage.id for passage in left}
    running = sum(one.running for one in instances) + sum(
        1 for one in instances if one.id in mine and not one.running and not one.switched_off
    )
    allowed = most_down(look.scale_set, look.rules, running, max(1, len(batch.instances)))
    down = sum(1 for one in instances if one.id not in mine and not one.running and not one.switched_off)
    if batch.started_at is not None:
        # Under way already: as many more as there is room for, the rest in a later look.
        room = allowed - down - sum(not _to_start(passage) for passage in left)
        return room if room > 0 else Wait(f"{allowed} instances may be down at once, no more for now")
    if len(mine) > allowed:
        return PlanAgain(
            f"only {allowed} of {running} instances may be down at once and the batch has {len(mine)}"
        )
    if down + len(mine) > allowed:
        return Wait(f"{down} other instances are down and {allowed} may be down at once")
    return allowed


def _before(look: Look, ready: dict[str, Instance]) -> datetime:
    ends = [look.at + FRESH]
    ends += [
        one.maintenance.self_service.end
        for one in ready.values()
        if one.maintenance and one.maintenance.self_service
    ]
    if look.rules is not None:
        closing = closes(look.rules.windows, look.rules.freezes, look.at)
        if closing is not None:
            ends.append(closing)
    return min(ends)
