"""What Azure answers falsely in one poll: the truth of `small_azure`, bent; each lie switchable by itself."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from random import Random

from planner.azure.fleet import Health, Instance, Unreadable

LIES = (
    "no view",
    "not listed",
    "empty listing",
    "set not found",
    "stale view",
    "unknown power",
    "unknown health",
    "no view read directly",
    "absent read directly",
)
"""By kind; the last two are told by the read of one instance, never twice in a row for the same one."""

NO_VIEW = Unreadable("Azure sent no instance view.")


@dataclass
class Liar:
    """What this poll is lied to about. `telling` are the kinds switched on, `odds` how often each is told."""

    seed: int = 0
    telling: tuple[str, ...] = ()
    odds: float = 0.4
    told: list[str] = field(default_factory=list)
    stale: bool = False
    _dice: Random = field(default_factory=Random)
    _earlier: tuple[Instance, ...] = ()
    _lied_of: frozenset[str] = frozenset()
    _not_found: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self._dice = Random(self.seed)

    def set_not_found(self, reader: str) -> bool:
        """Whether Azure answers 404 for the scale set; never twice in a row to the same reader."""
        lies = reader not in self._not_found and self._tells("set not found")
        self._not_found = self._not_found | {reader} if lies else self._not_found - {reader}
        return lies

    def remembers(self, before: "Liar") -> None:
        """What the liar before told last: after other lies, and after a poll that left no record."""
        self._lied_of |= before._lied_of
        self._not_found |= before._not_found

    def listing(self, truth: tuple[Instance, ...]) -> tuple[Instance, ...]:
        """What the listing shows of the truth; a stale view is the truth of an earlier poll."""
        self.stale = False
        earlier, self._earlier = {one.id: one for one in self._earlier}, truth
        if self._tells("empty listing"):
            return ()
        shown: list[Instance] = []
        for one in truth:
            if self._tells("not listed"):
                continue
            old = earlier.get(one.id, one) if self._tells("stale view") else one
            self.stale |= old != one
            seen = old
            seen = replace(seen, power="unknown") if self._tells("unknown power") else seen
            seen = replace(seen, health=Health.UNKNOWN) if self._tells("unknown health") else seen
            shown.append(_without_view(seen) if self._tells("no view") else seen)
        return tuple(shown)

    def directly(
        self, ids: Iterable[str], truth: tuple[Instance, ...]
    ) -> tuple[dict[str, Instance], frozenset[str]]:
        """What the reads of single instances show, and which of them answered 404."""
        real = {one.id: one for one in truth}
        found: dict[str, Instance] = {}
        absent: set[str] = set()
        lied: set[str] = set()
        for key in ids:
            one = real.get(key)
            if one is None:
                absent.add(key)
            elif key not in self._lied_of and self._tells("absent read directly"):
                absent.add(key)
                lied.add(key)
            elif key not in self._lied_of and self._tells("no view read directly"):
                found[key] = _without_view(one)
                lied.add(key)
            else:
                found[key] = one
        self._lied_of = (self._lied_of - set(found) - absent) | lied
        return found, frozenset(absent)

    def _tells(self, kind: str) -> bool:
        if kind not in self.telling or self._dice.random() >= self.odds:
            return False
        self.told.append(kind)
        return True


def _without_view(one: Instance) -> Instance:
    """An instance whose view did not come: its model is there, nothing of how it is."""
    return replace(
        one, power="unknown", provisioning="unknown", health=Health.NOT_REPORTED, maintenance=NO_VIEW
    )
