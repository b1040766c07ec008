"""What the extra look-ups find, noted by ARM id; by scale set at the end."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from planner.azure.fleet import ScaleSet
from planner.azure.usage import Habits

type Place = tuple[str, str]
"""A scale set's key and an instance's id in lower case, `""` for the scale set itself."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Somebody stopped or deallocated `target`, or these instances of it, as part of `occasion`."""

    target: str
    occasion: str
    at: datetime
    by: str
    instances: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Autoscale:
    """An enabled autoscale setting: whether a rule of it removes instances, which profile scales to none."""

    name: str = ""
    scales_in: bool = False
    to_zero: str = ""


@dataclass(slots=True)
class Notes:
    """Everything found in one subscription from `since` to `until` (aware UTC).

    `scaled_in`, `autoscale` and `groups` have keys in lower case. `logs` says for each resource provider how
    far back its activity log is read.
    """

    since: datetime
    until: datetime
    stops: list[Stop] = field(default_factory=list)
    healed: list[tuple[str, datetime]] = field(default_factory=list)
    resized: list[tuple[str, datetime]] = field(default_factory=list)
    shutdown: list[tuple[str, str]] = field(default_factory=list)
    scaled_in: Counter[str] = field(default_factory=Counter)
    autoscale: dict[str, Autoscale] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    logs: dict[str, str] = field(default_factory=dict)

    def habits(self, scale_sets: Iterable[ScaleSet], machines: Mapping[str, str]) -> dict[str, Habits]:
        """By the scale set's key; scale sets of which nothing is noted are left out.

        `machines` has the scale set of each virtual machine of a Flexible one, both ids in lower case. Any
        other machine belongs to no scale set, or is gone.
        """
        stops = _by_set(((stop.target, stop) for stop in self.stops), machines)
        healed, resized = _by_set(self.healed, machines), _by_set(self.resized, machines)
        shutdown = _by_set(sorted(self.shutdown), machines)
        found: dict[str, Habits] = {}
        for scale_set in scale_sets:
            key = scale_set.key
            resizes = {at for _, at in resized.get(key, ())}
            setting = self.autoscale.get(key, Autoscale())
            habits = replace(
                _stopped(stops.get(key, ())),
                healed=_latest(healed.get(key, ())),
                resizes=len(resizes),
                last_resize=max(resizes, default=None),
                scaled_in=self.scaled_in[key],
                autoscale=setting.name,
                scales_in=setting.scales_in,
                to_zero=setting.to_zero,
                shutdown=next((name for _, name in shutdown.get(key, ())), ""),
                group_managed_by=self.groups.get(scale_set.resource_group.lower(), ""),
            )
            if habits != Habits():
                found[key] = habits
        return found


def place(arm_id: str, machines: Mapping[str, str]) -> Place | None:
    """The scale set, and its instance, that an ARM id names; None for anything else."""
    low, parts = _parts(arm_id)
    match parts[5:]:
        case ["providers", "microsoft.compute", "virtualmachinescalesets", _]:
            return low, ""
        case ["providers", "microsoft.compute", "virtualmachinescalesets", _, "virtualmachines", instance]:
            return low.rsplit("/", 2)[0], instance
        case _:
            return (machines[low], parts[-1]) if low in machines else None


def machine(arm_id: str) -> bool:
    """Whether it is a virtual machine's id, which does not show whether it is of a Flexible scale set."""
    return _parts(arm_id)[1][5:-1] == ["providers", "microsoft.compute", "virtualmachines"]


def _parts(arm_id: str) -> tuple[str, list[str]]:
    low = arm_id.lower().rstrip("/")
    return low, low.split("/")


def _by_set[Said](
    said: Iterable[tuple[str, Said]], machines: Mapping[str, str]
) -> dict[str, list[tuple[str, Said]]]:
    found: dict[str, list[tuple[str, Said]]] = defaultdict(list)
    for target, what in said:
        where = place(target, machines)
        if where is not None:
            found[where[0]].append((where[1], what))
    return found


def _stopped(stops: Iterable[tuple[str, Stop]]) -> Habits:
    """One occasion counts once, however many instances it stopped."""
    first: dict[str, Stop] = {}
    moments: list[tuple[str, datetime]] = []
    for instance, stop in sorted(stops, key=lambda stopped: stopped[1].at):
        first.setdefault(stop.occasion, stop)
        moments += [(stopped, stop.at) for stopped in ([instance] if instance else stop.instances)]
    if not first:
        return Habits()
    last = max(first.values(), key=lambda stop: stop.at)
    return Habits(stops=len(first), last_stop=last.at, stopped_by=last.by, stopped=_latest(moments))


def _latest(moments: Iterable[tuple[str, datetime]]) -> dict[str, datetime]:
    latest: dict[str, datetime] = {}
    for instance, at in moments:
        latest[instance] = max(at, latest.get(instance, at))
    return dict(sorted(latest.items()))
