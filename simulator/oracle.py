"""Was a promise broken? Judged from the fleet's ledger only, never from what the product says of itself.

Every finding is a sentence that names the scale set, the instance and the time. An empty list is the good
answer. The promises (docs/promises.md): inside the self-service window and the operator's
windows, one domain of a scale set at once, only beside healthy neighbours, nothing twice, nothing blocked,
never "all", nothing replaced by automatic repairs in the middle of its maintenance, and no repairs resumed that
a person had suspended. What must hold only at the end of everything are `accounted` and `left_suspended`.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from simulator.fleet import Fleet, Instance
from simulator.fleet.ledger import (
    Domain,
    Down,
    Ended,
    Maintained,
    Meanwhile,
    SetWideCall,
    StartAsked,
    Up,
    WaveBecame,
    Windows,
)
from simulator.oracle_repairs import left_suspended, replaced_under_way, resumed_for_others

__all__ = ["accounted", "ended_early", "left_suspended", "violations"]

FOREVER = datetime.max.replace(tzinfo=UTC)
NO_GRACE = timedelta(0)
BY_CHOICE = frozenset({"stopped", "deallocated"})
ELSEWHERE = frozenset({"delete", "automatic repairs", "deallocated"})
"""Causes after which what has the same id is on another host, where its maintenance may be due again."""

LEAVES = frozenset({"service heal", "resize"})
"""What moves an instance to other hardware, and with that out of its wave until it is scheduled again."""

MAINTENANCE = frozenset({"customer maintenance", "person maintenance", "azure maintenance"})
AT_ONCE = 1
RECOVER_WITHIN = timedelta(minutes=60)


@dataclass(frozen=True, slots=True)
class Busy:
    """An instance in the customer's hands: from an accepted start until it is back or was left alone."""

    scale_set: str
    instance: str
    domain: Domain
    since: datetime
    until: datetime


def violations(
    fleet: Fleet,
    *,
    blocked: Collection[str] = (),
    windows: Mapping[str, Sequence[tuple[datetime, datetime]]] | None = None,
    max_unavailable: Mapping[str, int] | None = None,
    health_ignored: Collection[str] = (),
    grace: timedelta = NO_GRACE,
    in_doubt: timedelta = NO_GRACE,
    recover_within: timedelta = RECOVER_WITHIN,
) -> list[str]:
    """Broken promises, in order of time.

    blocked: scale sets or instances nothing may be started on. windows: the operator's, by scale set. Both,
    like max_unavailable and health_ignored, name scale sets by name or ARM id, instances by ARM id, in any
    case. max_unavailable: instances of a set the customer may have down at once; a Flexible set's is 1
    unless given, a Uniform set's is its domain. health_ignored: sets whose policy looks at power only.
    grace: how old a poll may be at its start: what changed since then nobody can be blamed for. Zero suits a
    virtual clock; with a real one give the longest time from poll to start. in_doubt: how long a start whose
    answer was lost is left alone before it is sent once more. recover_within: how long the
    policy waits for an instance before it gives it up.
    """
    judge = _Judge(
        fleet,
        blocked=blocked,
        windows=windows or {},
        limits=max_unavailable or {},
        health_ignored=health_ignored,
        grace=grace,
        in_doubt=in_doubt,
    )
    found = sorted(
        [
            *judge.findings(),
            *replaced_under_way(fleet, recover_within),
            *resumed_for_others(fleet.ledger),
        ]
    )
    return [f"{at:%Y-%m-%d %H:%M:%S}Z {sentence}" for at, sentence in found]


class _Judge:
    def __init__(
        self,
        fleet: Fleet,
        *,
        blocked: Collection[str],
        windows: Mapping[str, Sequence[tuple[datetime, datetime]]],
        limits: Mapping[str, int],
        health_ignored: Collection[str],
        grace: timedelta,
        in_doubt: timedelta,
    ) -> None:
        self.ledger = fleet.ledger
        self.flexible = {s.id for s in fleet.scale_sets() if s.mode == "Flexible"}
        self.blocked = {name.lower() for name in blocked}
        self.windows = {name.lower(): spans for name, spans in windows.items()}
        self.limits = {name.lower(): limit for name, limit in limits.items()}
        self.health_ignored = {name.lower() for name in health_ignored}
        self.grace = grace
        self.in_doubt = in_doubt
        self.starts = self.ledger.starts("customer")
        self.busy = self._busy()

    def findings(self) -> Iterator[tuple[datetime, str]]:
        for call in self.ledger.of(SetWideCall):
            said = "without instance ids" if not call.instance_ids else f"for {', '.join(call.instance_ids)}"
            yield call.at, f"maintenance of the whole scale set {_name(call.scale_set)} was called, {said}"
        for start in self.starts:
            for sentence in self._about(start):
                yield start.at, sentence
        yield from self._together()
        yield from self._again()

    def _about(self, start: StartAsked) -> Iterator[str]:
        what = f"{_name(start.instance)} of {_name(start.scale_set)} was started"
        if not self.blocked.isdisjoint(_keys(start.scale_set) | {start.instance.lower()}):
            yield f"{what} although it is blocked"
        fresh = start.shown_since is not None and start.at - start.shown_since <= self.grace
        skipped = fresh and not start.accepted and self.grace > NO_GRACE
        if not skipped:
            if start.windows is None:
                yield f"{what} although it is in no wave"
            elif not start.windows[0] <= start.at < start.windows[1]:
                yield f"{what} outside its self-service window"
            elif not start.allowed:
                yield f"{what} although Azure did not allow it"
        spans = _lookup(self.windows, start.scale_set)
        if spans is not None and not any(begin <= start.at < end for begin, end in spans):
            yield f"{what} outside the operator's windows"
        ignored = not self.health_ignored.isdisjoint(_keys(start.scale_set))
        mates = self._mates(start)
        for other in start.others:
            batch = other.instance in mates
            chosen = other.reason in BY_CHOICE and other.cause in BY_CHOICE
            unseen = self.grace > NO_GRACE and start.at - other.since <= self.grace
            if batch or chosen or unseen or (ignored and other.reason.startswith("health")):
                continue
            since = f"{other.since:%H:%M:%S}Z"
            yield f"{what} while {_name(other.instance)} was not serving ({other.reason} since {since})"

    def _mates(self, start: StartAsked) -> set[str]:
        """Those of the same domain, under way or recovering, whoever started them; of a Flexible set, as many
        as may be.
        """
        flexible = start.scale_set in self.flexible
        group = _group(start.domain, flexible)
        mates = {
            other.instance
            for other in start.others
            if other.cause in MAINTENANCE and _group(other.domain, flexible) == group
        }
        limit = _lookup(self.limits, start.scale_set) or AT_ONCE
        return set() if flexible and len(mates) >= limit else mates

    def _busy(self) -> list[Busy]:
        made: list[Busy] = []
        open_: dict[str, int] = {}
        for fact in self.ledger:
            if isinstance(fact, StartAsked) and fact.accepted and fact.who == "customer":
                open_[fact.instance] = len(made)
                made.append(Busy(fact.scale_set, fact.instance, fact.domain, fact.at, FOREVER))
            elif isinstance(fact, Ended | Up) and fact.instance in open_:
                place = open_.pop(fact.instance)
                made[place] = replace(made[place], until=fact.at)
        return made

    def _together(self) -> Iterator[tuple[datetime, str]]:
        by_set: defaultdict[str, list[Busy]] = defaultdict(list)
        for one in self.busy:
            by_set[one.scale_set].append(one)
        for scale_set, all_busy in by_set.items():
            flexible = scale_set in self.flexible
            limit = _lookup(self.limits, scale_set)
            if limit is None and flexible:
                limit = AT_ONCE
            for place, one in enumerate(all_busy):
                also = [o for o in all_busy[:place] if one.since < o.until]
                apart = [o for o in also if _group(o.domain, flexible) != _group(one.domain, flexible)]
                what = f"{_name(one.instance)} of {_name(scale_set)} was taken down while"
                if apart:
                    names = ", ".join(sorted({_name(o.instance) for o in apart}))
                    kind = "zone" if flexible else "domain"
                    yield one.since, f"{what} another {kind} of the scale set was down ({names})"
                if limit is not None and len(also) + 1 > limit and not (apart and not flexible):
                    yield one.since, f"{what} {len(also)} of at most {limit} were down already"

    def _again(self) -> Iterator[tuple[datetime, str]]:
        done: dict[str, Windows | None] = {}
        flying: dict[str, StartAsked] = {}
        for fact in self.ledger:
            if isinstance(fact, Maintained):
                done[fact.instance] = fact.windows
            elif isinstance(fact, Ended | Up):
                flying.pop(fact.instance, None)
            elif isinstance(fact, Down | Meanwhile) and _elsewhere(fact):
                done.pop(fact.instance, None)
            if not isinstance(fact, StartAsked) or fact.who != "customer":
                continue
            what = f"{_name(fact.instance)} of {_name(fact.scale_set)} was started again"
            if fact.instance in done and fact.windows in {None, done[fact.instance]}:
                yield fact.at, f"{what} after it had been maintained, without new windows"
            first = flying.get(fact.instance)
            if first is not None and (first.answered or fact.at - first.at < self.in_doubt):
                yield fact.at, f"{what} while its start of {first.at:%H:%M:%S}Z was still under way"
            if fact.accepted:
                flying[fact.instance] = fact


def accounted(fleet: Fleet, report: Mapping[str, Any]) -> list[str]:
    """Impacted, eligible instances nobody accounts for, as sentences.

    report is the body of `GET /api/waves/<tracking id>.json`. An instance is accounted for when it is truly
    maintained, when a batch of its scale set's run shows it with a state, or when the run leaves it to Azure
    or finds it not impacted, and says why. Nobody owes one that Azure has taken out of the wave, or a wave
    that was called off. Raises KeyError for a wave the fleet does not know.
    """
    wave = fleet.wave(str(report["tracking_id"]))
    runs = {str(run["scale_set"]).lower(): run for run in report.get("runs", ())}
    found: list[str] = []
    if _called_off(fleet, wave.tracking_id):
        return found
    moved = {one.instance for one in fleet.ledger if isinstance(one, Meanwhile) and one.what in LEAVES}
    for instance, ticket in wave.tickets:
        present = instance.instance_id in instance.owner.instances
        if not ticket.eligible or not present or ticket.done_at is not None:
            continue
        if instance.id in moved and not ticket.shown:
            continue
        run = runs.get(instance.owner.id.lower())
        if run is None:
            found.append(f"{instance.name}: its scale set {instance.owner.name} is not in the report")
        elif not (_left(run) or _in_batches(run, instance)):
            found.append(f"{instance.name} of {instance.owner.name} is not maintained and in no batch")
    return found


def _called_off(fleet: Fleet, tracking_id: str) -> bool:
    """Whether it was cancelled and not announced again; Azure may close such a wave as complete."""
    states = [
        one.state for one in fleet.ledger if isinstance(one, WaveBecame) and one.tracking_id == tracking_id
    ]
    return next((one for one in reversed(states) if one != "complete"), "") == "cancelled"


def ended_early(fleet: Fleet, report: Mapping[str, Any]) -> list[str]:
    """Runs that say they are done, or called off, while Azure still waits for one of their instances.

    report is the body of `GET /api/waves/<tracking id>.json`. What runs, may be started now and is not protected
    is meant; a person's skip is no such end.
    """
    runs = {str(run["scale_set"]).lower(): run for run in report.get("runs", ())}
    found = []
    for instance, ticket in fleet.wave(str(report["tracking_id"])).tickets:
        run = runs.get(instance.owner.id.lower(), {})
        here = instance.owner.instances.get(instance.instance_id) is instance
        waits = here and ticket.outstanding and ticket.allowed(fleet.now) and instance.power == "running"
        skipped = any(str(entry["event"]).startswith("skip") for entry in run.get("history", ()))
        over = run.get("state") in {"completed", "cancelled"} and not skipped
        if over and waits and not instance.protect_from_actions and not instance.behaviour.refused:
            found.append(f"{instance.owner.name} is {run['state']}, and {instance.name} still waits for it")
    return found


def _left(run: Mapping[str, Any]) -> bool:
    return run.get("verdict") in {"leave_to_azure", "not_impacted"} and bool(run.get("reason"))


def _in_batches(run: Mapping[str, Any], instance: Instance) -> bool:
    names = {instance.id.lower(), instance.name.lower(), instance.instance_id.lower()}
    return any(
        str(listed["id"]).lower() in names and bool(listed.get("state"))
        for batch in run.get("batches") or ()
        for listed in batch["instances"]
    )


def _elsewhere(fact: Down | Meanwhile) -> bool:
    return (fact.cause if isinstance(fact, Down) else fact.what) in ELSEWHERE


def _group(domain: Domain, flexible: bool) -> Domain | str:
    return domain[0] if flexible else domain


def _name(arm_id: str) -> str:
    return arm_id.rsplit("/", 1)[-1]


def _keys(arm_id: str) -> set[str]:
    return {arm_id.lower(), _name(arm_id).lower()}


def _lookup[T](by_name: Mapping[str, T], arm_id: str) -> T | None:
    return next((by_name[key] for key in _keys(arm_id) if key in by_name), None)
