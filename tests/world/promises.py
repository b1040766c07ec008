"""What must hold of a world whatever happened in it, each finding a sentence."""

from collections import Counter
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from planner.policy.model import Limits
from planner.record.run import Run
from planner.record.states import ENDED, HANDS_OFF, SETTLED, InstanceState, RunState
from planner.state.journal import MOST_LINES
from planner.text.phrases import say
from simulator.fleet.ledger import Down, Ended, Meanwhile, StartAsked, Up
from simulator.oracle import accounted, left_suspended
from tests.world.told import unwarned
from tests.world.truth import untrue
from tests.world.words import lost_or_doubled
from tests.world.world import World

ENDS = frozenset({"deleted", "delete", "deallocated", "stopped", "automatic repairs"})
IN_FLIGHT_FOR = timedelta(minutes=60)
"""What never ends is in flight for as long as somebody waits for it: `recover-within`."""


IN_DOUBT = timedelta(minutes=30)
"""BREAKWATER_IN_DOUBT as it is when nobody sets it."""

NIGHT = (22, 4, ZoneInfo("Europe/Berlin"))
"""`daily 22:00-04:00 Europe/Berlin`: from this hour, to this hour of the next day, by the clocks of this zone."""


def broken(
    world: World, *, blocked: Collection[str] = (), limits: Limits | None = None, nightly: bool = False
) -> list[str]:
    """Everything that should not have been, after the last window of every wave has passed."""
    windows = world.watch.raised("windows")
    spans = {one: _nights(world) for one in _names(world) - windows} if nightly else {}
    wider = dict.fromkeys(world.watch.raised("max-unavailable"), 100)
    return [
        *world.violations(
            blocked=_still_blocked(world, blocked),
            windows=spans,
            max_unavailable=wider,
            in_doubt=IN_DOUBT,
            grace=world.grace,
        ),
        *world.errors,
        *world.watch.findings,
        *world.sentry.findings,
        *world.served.findings,
        *world.endings.findings,
        *world.told.findings,
        *world.messages.findings,
        *unwarned(world.fleet, _every_run(world)),
        *untrue(world),
        *_quarantined(world),
        *_runs(world),
        *_forgotten(world),
        *lost_or_doubled(world.accepted, _every_run(world)),
        *left_suspended(world.fleet),
        *(f"{path} is still claimed" for path in world.claims()),
        *(_crowded(world, limits) if limits is not None else ()),
    ]


def _still_blocked(world: World, blocked: Collection[str]) -> list[str]:
    """Without what was deleted with its scale set: one made anew under its name is another."""
    deleted = {
        one.scale_set.lower()
        for one in world.fleet.ledger
        if isinstance(one, Meanwhile) and one.what == "delete" and not one.instance
    }
    names = {one.rsplit("/", 1)[-1] for one in deleted}
    return [
        one
        for one in blocked
        if one.lower() not in names and not any(one.lower().startswith(f"{each}/") for each in deleted)
    ]


def _every_run(world: World) -> list[Run]:
    return [one for run in world.runs().values() for one in (run, *world.archived(run))]


def _names(world: World) -> set[str]:
    """Every scale set there is or was."""
    return {one.target.name for one in world.runs().values()} | {one.name for one in world.fleet.scale_sets()}


def _quarantined(world: World) -> Iterator[str]:
    for path in world.records.documents:
        if path.startswith("quarantine/"):
            yield f"{path} is in quarantine"


def _runs(world: World) -> Iterator[str]:
    runs = world.runs()
    called_off = all(wave.state == "cancelled" for wave in world.fleet.world.waves.values())
    # What was called off before anybody could look has nothing to plan.
    for name in sorted({one.name for one in world.fleet.scale_sets()} - set(runs)):
        if not called_off:
            yield f"{name} has no run"
    for name, run in runs.items():
        if run.state not in ENDED | HANDS_OFF:
            yield f"{name} is still {run.state}: {run.reason}"
        yield from _shape(name, run)
        yield from _left_to_azure(name, run)


def _shape(name: str, run: Run) -> Iterator[str]:
    if not run.reason:
        yield f"{name} is {run.state} without a sentence"
    numbers = [one.number for one in run.story.notices]
    if numbers and numbers != list(range(numbers[-1] - len(numbers) + 1, numbers[-1] + 1)):
        yield f"{name} has notices {numbers}"
    if len(run.story.notices) > 60 or len(run.story.history) > MOST_LINES:
        yield f"{name} has {len(run.story.notices)} notices and {len(run.story.history)} lines of history"
    ids = [one.id for one in run.instances]
    if len(ids) != len(set(ids)):
        yield f"{name} has an instance twice in its batches: {ids}"
    if len({one.number for one in run.batches}) != len(run.batches):
        yield f"{name} has a batch number twice"
    left = [
        one.id
        for one in run.instances
        if one.state in {InstanceState.STARTING, InstanceState.REBOOTING, InstanceState.VERIFYING}
    ]
    if left:
        yield f"{name} is {run.state} with {left} in flight"


def _left_to_azure(name: str, run: Run) -> Iterator[str]:
    """Who, when and how long is told of what Azure has done."""
    if run.state is not RunState.LEFT_TO_AZURE:
        return
    done = [one for one in run.instances if one.state is InstanceState.BY_AZURE]
    for one in done:
        timed = one.down_at is None or (say(one.down_at) in one.reason)
        if not one.reason.startswith("Rebooted by Azure") or one.finished_at is None or not timed:
            yield f"{name}: {one.id} was left to Azure and says only: {one.reason}"
    watched = [one for one in done if one.down_at is not None and one.up_at is not None]
    if watched and all(one.state in SETTLED for one in run.instances) and "Azure rebooted" not in run.reason:
        yield f"{name} was left to Azure and tells no story: {run.reason}"


def _forgotten(world: World) -> Iterator[str]:
    report = [
        {
            "scale_set": run.target.id,
            "verdict": str(run.verdict),
            "reason": run.reason,
            "batches": [
                {"instances": [{"id": one.id, "state": str(one.state)} for one in batch.instances]}
                for each in (run, *world.archived(run))
                for batch in each.batches
            ],
        }
        for run in world.runs().values()
    ]
    for tracking_id in world.fleet.world.waves:
        yield from accounted(world.fleet, {"tracking_id": tracking_id, "runs": report})


def _nights(world: World) -> list[tuple[datetime, datetime]]:
    """The operator's windows, as the oracle wants them, over all that happened."""
    opens, closes, zone = NIGHT
    first = next(iter(world.fleet.ledger)).at.astimezone(zone).date()
    days = [first + timedelta(days=day) for day in range(-1, (world.clock().date() - first).days + 2)]
    return [
        (
            datetime.combine(day, time(opens), zone).astimezone(UTC),
            datetime.combine(day + timedelta(days=1), time(closes), zone).astimezone(UTC),
        )
        for day in days
    ]


def _crowded(world: World, limits: Limits) -> Iterator[str]:
    """Scale sets and regions with customer starts in flight and not over, at every start."""
    known = {one.target.id: one.target.scale_set for one in world.runs().values()}
    flying: dict[str, tuple[str, datetime]] = {}
    for fact in world.fleet.ledger:
        over = isinstance(fact, Ended | Up) or (isinstance(fact, Down) and fact.cause in ENDS)
        if over or (isinstance(fact, Meanwhile) and fact.what in ENDS):
            flying.pop(fact.instance, None)
        if not isinstance(fact, StartAsked) or fact.who != "customer" or not fact.accepted:
            continue
        flying[fact.instance] = (fact.scale_set, fact.at + IN_FLIGHT_FOR)
        flying = {one: (owner, until) for one, (owner, until) in flying.items() if fact.at < until}
        sets = {owner for owner, _ in flying.values()}
        regions = Counter(known[one].location for one in sets)
        matching = {each.name: sum(each.match(known[one]) for one in sets) for each in limits.by_match}
        if (
            len(sets) > limits.scale_sets
            or len(regions) > limits.regions
            or max(regions.values()) > (limits.per_region or len(sets))
            or any(matching[name] > most for name, most in limits.named.items())
        ):
            yield f"{fact.at:%d %H:%M:%S} {dict(regions)}, {matching} in flight, {limits}"
