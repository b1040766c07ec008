"""The token buckets that Azure publishes, filled by virtual time.

Learn, azure-resource-manager/management/request-limits-and-throttling, for every call of a subscription; and
virtual-machines/compute-throttling-limits, by region, for those of Microsoft.Compute. The listing of a scale
set's instances is in no published row: it is counted with the dearest reads of scale sets.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from simulator.arm.routes import Call


@dataclass(frozen=True, slots=True)
class Size:
    """`most` tokens, and so many more a minute."""

    a_minute: float
    most: float

    def times(self, share: float) -> "Size":
        """A share of it, of one token at least."""
        return Size(self.a_minute * share, max(1, self.most * share))


READS, WRITES = Size(25 * 60, 250), Size(10 * 60, 200)
GRAPH = Size(15 * 12, 15)

OF_COMPUTE: dict[str, tuple[Size | None, Size]] = {
    "list scale sets": (None, Size(360, 1080)),
    "list instances": (None, Size(360, 1080)),
    "scale set view": (Size(10, 30), Size(360, 1080)),
    "get scale set": (Size(12, 36), Size(800, 2400)),
    "rolling upgrade": (Size(12, 36), Size(800, 2400)),
    "set repairs": (Size(4, 12), Size(500, 1500)),
    "get instance": (Size(12, 36), Size(2000, 6000)),
    "list virtual machines": (None, Size(300, 900)),
    "get virtual machine": (Size(12, 36), Size(8000, 24000)),
    "start": (Size(4, 12), Size(500, 1500)),
    "operation": (Size(15, 45), Size(5000, 15000)),
}
"""For one resource, and for a subscription in a region."""

DEAR_READS = frozenset({"list scale sets", "list instances", "scale set view"})
CHEAP_READS = frozenset({"get scale set", "rolling upgrade"})
WRITING = frozenset({"start", "set repairs"})


class Buckets:
    """`region` gives that of a scale set or a machine by its path.

    `left` is the share of what all of a subscription have together that others do not use up.
    """

    def __init__(self, now: Callable[[], datetime], region: Callable[[str], str], left: float) -> None:
        self._now, self._region, self._left = now, region, left
        self._tokens: dict[tuple[str, ...], tuple[float, datetime]] = {}

    def wait(self, call: Call, path: str) -> int:
        """Take the tokens of a call; where one is missing, in how many seconds there will be one."""
        subscription = call.names.get("subscription", "")
        wanted: list[tuple[tuple[str, ...], Size]]
        if call.kind == "resource graph":
            wanted = [(("graph",), GRAPH)]
        else:
            kind, size = ("writes", WRITES) if call.kind in WRITING else ("reads", READS)
            wanted = [(("arm", kind, subscription), size.times(self._left))]
        if call.kind in OF_COMPUTE:
            alone, together = OF_COMPUTE[call.kind]
            policy = "dear" if call.kind in DEAR_READS else "cheap" if call.kind in CHEAP_READS else call.kind
            place = call.names.get("location") or self._region(path)
            wanted.append(((policy, subscription, place), together.times(self._left)))
            if alone is not None:
                wanted.append(((policy, path.lower()), alone))
        waits = [self._missing(key, size) for key, size in wanted]
        if any(waits):
            return max(1, ceil(max(waits)))
        for key, _ in wanted:
            tokens, at = self._tokens[key]
            self._tokens[key] = tokens - 1, at
        return 0

    def _missing(self, key: tuple[str, ...], size: Size) -> float:
        now = self._now()
        tokens, at = self._tokens.get(key, (size.most, now))
        tokens = min(size.most, tokens + (now - at).total_seconds() * size.a_minute / 60)
        self._tokens[key] = tokens, now
        return 0.0 if tokens >= 1 else (1 - tokens) * 60 / size.a_minute
