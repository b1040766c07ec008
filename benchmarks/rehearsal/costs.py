"""What a rehearsal has cost, a scale set and in all, beside what was due."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil
from statistics import median

from benchmarks.growth import Size, table
from benchmarks.rehearsal.due import LIST
from benchmarks.rehearsal.looks import WAITS
from benchmarks.rehearsal.play import LAYING, Forecast, Played
from benchmarks.rehearsal.scene import SUBSCRIPTIONS
from handlers.wire.ids import NOTICES, RUNS, SCALE_SETS

LISTS = ("list instances", "list virtual machines")
OF_A_WAVE = "list scale sets"
A_PAGE = 120
"""Scale sets that one page of the simulated Azure's listing holds."""


@dataclass(frozen=True, slots=True)
class Costs:
    """Costs of a rehearsal in numbers that can be compared between sizes."""

    size: Size
    messages: int
    messages_due: int
    calls: int
    calls_needed: int
    transactions: int
    of_sweeps: int
    sweeps: int
    stored: int
    cpu: Mapping[str, float]

    @property
    def messages_ratio(self) -> float:
        return self.messages / self.messages_due

    @property
    def calls_ratio(self) -> float:
        return self.calls / self.calls_needed

    def each(self) -> dict[str, float]:
        """What a scale set costs; that of a sweep, a scale set and sweep."""
        sets = self.size.sets
        found = {
            "messages": self.messages / sets,
            "ARM calls": self.calls / sets,
            "storage transactions": self.transactions / sets,
            "bytes on record": self.stored / sets,
        }
        return found | {f"ms of CPU, {stage}": spent / sets * 1e3 for stage, spent in self.cpu.items()}


def costs(played: Played) -> Costs:
    """The costs of what was played. Messages are looks and plans, ARM calls all but the wave's look-ups."""
    host, due = played.host, played.due
    made, needed = calls(played)
    swept = sum(number for (_, stage), number in host.records.used.items() if stage == "sweep")
    stages = ("advance", "plan", "notify", "discover", "sweep", LAYING)
    return Costs(
        size=played.wanted.size,
        messages=host.handled[RUNS] + host.handled[SCALE_SETS],
        messages_due=due.messages,
        calls=made.total(),
        calls_needed=needed.total(),
        transactions=played.transactions.total() - swept,
        of_sweeps=swept,
        sweeps=host.sweeps,
        stored=played.stored,
        cpu={stage: host.cpu[stage] for stage in stages},
    )


def calls(played: Played) -> tuple[Counter[str], Counter[str]]:
    """ARM calls by kind, those made and those needed; listings of instances are one kind.

    A wave's scale sets are listed when it is announced, a quarter of an hour later, and every six hours. Its
    look-ups, a fixed number of lists, are left out.
    """
    needed, seen = played.due.calls, played.host.azure.calls
    sets = played.wanted.size.sets / len(SUBSCRIPTIONS)
    needed[OF_A_WAVE] = len(SUBSCRIPTIONS) * ceil(sets / A_PAGE) * (2 + round(4 * played.wanted.days))
    made = Counter({kind: seen[kind] for kind in needed})
    made[LIST] = sum(seen[kind] for kind in LISTS)
    others = ("get instance", "get virtual machine", "scale set view", "set repairs")
    return made + Counter({kind: seen[kind] for kind in others}), needed


def show(played: Played) -> None:
    """Print it."""
    wanted, host = played.wanted, played.host
    places = host.scene.policy.limits
    print(
        f"{wanted.size.sets:,} scale sets of {wanted.size.each} instances, {wanted.days:g} days; in flight at once: "
        f"{places.scale_sets} a subscription, in {places.regions} of 4 regions; seed {wanted.seed}"
        f"{_throttled(wanted.left)}"
    )
    _messages(played)
    _calls(played)
    _storage(played)
    _each(played)
    show_forecasts(played)
    print(
        f"\n{played.wall:.0f} s of real time; {host.sweeps:,} sweeps; {host.mail.taken} messages to people; "
        f"{host.people.words.total()} words of theirs, {host.people.turned_down.total()} turned down; places "
        f"were laid {host.laid.total():,} times ({', '.join(f'{n:,} by {stage}' for stage, n in host.laid.most_common())})"
    )


def _throttled(left: float | None) -> str:
    return f"; throttled by {left:.0%} of the published buckets" if left is not None else ""


def _messages(played: Played) -> None:
    due, why = played.due, played.host.looks.why
    sets = played.wanted.size.sets
    waited = sum(number for kind, number in why.items() if kind.startswith(WAITS))
    rows = [
        _row(kind, waited if kind == WAITS else why[kind], number, sets)
        for kind, number in due.looks.most_common()
    ]
    known = set(due.looks) | {kind for kind in why if kind.startswith(WAITS)}
    rows += [_row(kind, number, 0, sets) for kind, number in why.most_common() if kind not in known]
    handled = played.host.handled
    rows.append(_row("plans", handled[SCALE_SETS], due.plans, sets))
    whole = handled[RUNS] + handled[SCALE_SETS]
    rows.append(_row("looks and plans", whole, due.messages, sets))
    print(f"\n{table(('messages', 'came', 'due', 'came/due', 'a set'), rows)}")
    details = {kind: number for kind, number in why.items() if kind.startswith(WAITS)}
    said = ", ".join(f"{kind.removeprefix(WAITS).strip()} {number:,}" for kind, number in details.items())
    print(f"waiting: {said}; besides {handled[NOTICES]:,} notices and {handled['alerts']:,} alerts")


def _calls(played: Played) -> None:
    made, needed = calls(played)
    sets = played.wanted.size.sets
    rows = [_row(kind, number, needed[kind], sets) for kind, number in made.most_common()]
    rows.append(_row("all", made.total(), needed.total(), sets))
    print(f"\n{table(('ARM calls', 'made', 'needed', 'made/needed', 'a set'), rows)}")
    if played.wanted.left is not None:
        print(f"answered 429: {played.host.azure.turned_away:,}")


def _row(kind: str, came: int, due: int, sets: int) -> list[str]:
    ratio = f"{came / due:.2f}" if due else "-"
    return [kind, f"{came:,}", f"{due:,}", ratio, f"{came / sets:.1f}"]


def _storage(played: Played) -> None:
    used, sets = played.transactions, played.wanted.size.sets
    swept: Counter[str] = Counter()
    for (kind, stage), number in played.host.records.used.items():
        if stage == "sweep":
            swept[kind] += number
    rows = [
        [kind, f"{number:,}", f"{swept[kind]:,}", f"{(number - swept[kind]) / sets:.1f}"]
        for kind, number in used.most_common()
    ]
    print(f"\n{table(('storage transactions', 'all', 'by sweeps', 'a set without'), rows)}")


def _each(played: Played) -> None:
    host = played.host
    names = played.scene.parts
    rows = [
        _spread("messages", [host.of[name] for name in names]),
        _spread("ARM calls", [host.azure.of[name] for name in names]),
        _spread("storage transactions", [host.records.of[name] for name in names]),
        _spread("bytes of the run's record", played.sizes),
    ]
    print(f"\n{table(('a scale set', 'median', 'most'), rows)}")
    sets = played.wanted.size.sets
    spent = [
        [stage, f"{seconds:.1f}", f"{seconds / sets * 1e3:.1f}"]
        for stage, seconds in sorted(host.cpu.items(), key=lambda each: -each[1])
    ]
    print(f"\n{table(('CPU, with what it is played in', 's', 'ms a set'), spent)}")


def _spread(what: str, values: Iterable[int]) -> list[str]:
    found = list(values)
    return [what, f"{median(found):,.0f}", f"{max(found):,}"]


def show_forecasts(played: Played) -> None:
    """Print how far the forecasts of day 0 were off."""
    planned = [each for each in played.forecasts if each.as_planned]
    others = [each for each in played.forecasts if not each.as_planned]
    rows = [_forecast("batches took as planned", planned), _forecast("the others", others)]
    heads = ("forecast of day 0", "sets", "median off", "of the time ahead", "worst off", "of the time ahead")
    print(f"\n{table(heads, [row for row in rows if row])}")
    if played.untold:
        print(f"{played.untold} without a forecast, or not over")


def _forecast(what: str, found: list[Forecast]) -> list[str]:
    if not found:
        return []
    hours = [each.off.total_seconds() / 3600 for each in found]
    shares = [each.share for each in found]
    return [
        what,
        str(len(found)),
        f"{median(hours):.1f} h",
        f"{median(shares):.1%}",
        f"{max(hours):.1f} h",
        f"{max(shares):.1%}",
    ]
