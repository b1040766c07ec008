"""What another policy changes in the plans of a fleet, scale set by scale set, and which values do it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from handlers.cli.dry_run import Planned
from handlers.cli.explained import Value, duration, explained
from handlers.cli.plan_shown import COUNTED, Fate, fate
from handlers.render import facts
from handlers.render.moments import Clock
from planner.azure.fleet import ScaleSet
from planner.policy.limits import numbers
from planner.policy.model import Policy, Receiver
from planner.record.run import Run
from planner.text.phrases import many

_KEYS = {"least": "from"}
"""Keys of a receiver that its field is not named after."""

SECRET = frozenset({"teams", "webhook"})
"""Of a receiver: told to have changed, not how."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is different."""

    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Changed:
    """A scale set of which something is different. `plan` is what becomes of it, `values` what does it.

    `queued`: its own plan stays, and its place among the others is another one.
    """

    scale_set: ScaleSet
    plan: tuple[Change, ...]
    values: tuple[Change, ...]
    queued: bool = False

    @property
    def name(self) -> str:
        return f"{self.scale_set.resource_group}/{self.scale_set.name}"

    @property
    def because(self) -> str:
        """What does it, by the values of its own that differ, or by the others in the queue."""
        values = "; ".join(f"{each.what}: {each.before} -> {each.after}" for each in self.values)
        if not self.queued:
            return values or "what is of no single scale set"
        return f"its place in the queue{f' (of its own differs {values})' if values else ''}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changes. `whole` is of no single scale set; `fates` counts what becomes of all of them."""

    total: int
    changed: tuple[Changed, ...]
    whole: tuple[Change, ...]
    fates: tuple[Change, ...]

    @property
    def plans(self) -> tuple[Changed, ...]:
        """Those of which the plan changes."""
        return tuple(each for each in self.changed if each.plan)

    @property
    def quiet(self) -> tuple[Changed, ...]:
        """Those of which only values change: nothing is done otherwise."""
        return tuple(each for each in self.changed if not each.plan)


def compared(before: Planned, after: Planned, old: Policy, new: Policy, clock: Clock) -> Comparison:
    """What `new` changes against `old`, the same fleet planned by both; moments as `clock` says them."""
    first, second = _by_key(before.runs), _by_key(after.runs)
    alone = _by_key(before.alone), _by_key(after.alone)
    sets = {each.key: each for each in after.snapshot.scale_sets()}
    changed = []
    for key in sorted(sets, key=lambda each: (sets[each].resource_group.lower(), sets[each].name.lower())):
        plan = tuple(_plan(first.get(key), second.get(key), clock))
        values = tuple(_values(old, new, sets[key]))
        if plan or values:
            queued = bool(plan) and not any(_plan(alone[0].get(key), alone[1].get(key), clock))
            changed.append(Changed(sets[key], plan, values, queued))
    return Comparison(len(sets), tuple(changed), tuple(_whole(old, new)), tuple(_fates(before, after)))


def _by_key(runs: Iterable[Run]) -> Mapping[str, Run]:
    return {run.target.id.lower(): run for run in runs}


def _fates(before: Planned, after: Planned) -> Iterator[Change]:
    for each, (_, words) in COUNTED.items():
        numbers_ = [str(sum(fate(run) is each for run in planned.runs)) for planned in (before, after)]
        if numbers_[0] != numbers_[1]:
            yield Change(words, *numbers_)


def _plan(before: Run | None, after: Run | None, clock: Clock) -> Iterator[Change]:
    """What becomes of it otherwise; nothing where it could not be planned."""
    if before is None or after is None:
        return
    for what, said in (
        ("verdict", _verdict),
        ("starts", lambda run: _at(clock, facts.begins(run))),
        ("ends", lambda run: _at(clock, run.times.forecast_end)),
        ("deadline", lambda run: _at(clock, run.times.deadline)),
        ("fits", lambda run: clock.said(run.people.misfit) or "yes"),
        ("batches", _batches),
        ("receiver", lambda run: run.terms.receiver or "nobody"),
    ):
        if said(before) != said(after):
            yield Change(what, said(before), said(after))


def _verdict(run: Run) -> str:
    """What becomes of it, in words; a plan that needs a person says what for."""
    if fate(run) is Fate.PERSON:
        return "does not fit" if run.people.misfit else "asks for approval"
    return COUNTED[fate(run)][0]


def _at(clock: Clock, moment: datetime | None) -> str:
    return clock.at(moment) if moment is not None else "-"


def _batches(run: Run) -> str:
    if fate(run) in {Fate.AZURE, Fate.NOT_HIT}:
        return "-"
    largest = max((len(batch.instances) for batch in run.batches), default=0)
    return f"{many(len(run.batches), 'batch', 'batches')} of up to {largest}"


def _values(old: Policy, new: Policy, scale_set: ScaleSet) -> Iterator[Change]:
    """The keys that have another value, each with the rule, tag or default it comes from."""
    (old_rules, before), (new_rules, after) = explained(old, scale_set), explained(new, scale_set)
    for was, now in zip(before, after, strict=True):
        if was.value != now.value:
            yield Change(was.key, _sourced(was), _sourced(now))
    freezes = [tuple(each.reason for each in rules.freezes) for rules in (old_rules, new_rules)]
    if old_rules.freezes != new_rules.freezes:
        yield Change("freezes", *(", ".join(reasons) or "none" for reasons in freezes))
    if old_rules.counts_in != new_rules.counts_in:
        yield Change("limits", *(", ".join(each.counts_in) or "none" for each in (old_rules, new_rules)))
    for problem in new_rules.problems:
        if problem not in old_rules.problems:
            yield Change("problem", "none", problem)


def _sourced(value: Value) -> str:
    return f"{value.value} ({value.source})"


def _whole(old: Policy, new: Policy) -> Iterator[Change]:
    """What changes for all of them: the stop, the limits, the receivers."""
    if old.stop != new.stop:
        yield Change("stop", str(old.stop).lower(), str(new.stop).lower())
    was, now = numbers(old.limits), numbers(new.limits)
    for key in {**was, **now}:
        if was.get(key) != now.get(key):
            yield Change(f"limit {key}", str(was.get(key, "none")), str(now.get(key, "none")))
    receivers = {each.name: each for each in old.receivers}, {each.name: each for each in new.receivers}
    for name in {**receivers[0], **receivers[1]}:
        yield from _receiver(name, receivers[0].get(name), receivers[1].get(name))


def _receiver(name: str, was: Receiver | None, now: Receiver | None) -> Iterator[Change]:
    if was is None or now is None:
        yield Change(f"receiver {name}", "declared" if was else "none", "declared" if now else "none")
        return
    for each in fields(Receiver):
        before, after = getattr(was, each.name), getattr(now, each.name)
        if before != after:
            hidden = each.name in SECRET
            said = ("set" if before else "none", "changed") if hidden else (_plainly(before), _plainly(after))
            yield Change(f"receiver {name}, {_KEYS.get(each.name, each.name.replace('_', '-'))}", *said)


def _plainly(value: object) -> str:
    if isinstance(value, timedelta):
        return duration(value)
    if isinstance(value, tuple | frozenset):
        return ", ".join(sorted(map(str, value))) or "none"
    return str(value) if value is not None else "all"
