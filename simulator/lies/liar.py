"""Stands between a fleet and whoever reads it: one question before a call is answered, one after.

Bodies are Azure's JSON; `kind` is what `simulator.arm.routes` calls a call, `thing` the ARM id it is about, lower
case. Nothing here knows HTTP or the product.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from simulator.fleet.answers import Answer
from simulator.fleet.fleet import Fleet
from simulator.fleet.model import Instance
from simulator.lies import refusals, views
from simulator.lies.lies import Lies
from simulator.lies.machines import afflict
from simulator.lies.memory import Absences, How, Lag
from simulator.lies.somebody import meddle

type Json = dict[str, Any]

NOTHING = timedelta(0)
ONE_INSTANCE = frozenset({"get instance", "get virtual machine"})
INSTANCES = frozenset({"list instances", "list virtual machines"})
LISTINGS = INSTANCES | {"list scale sets"}
WRITES = frozenset({"start", "set repairs"})
SLOW = (timedelta(seconds=40), timedelta(minutes=5))
MARKED = (("earlier-code", views.earlier_code), ("failed-instance", views.failed))
DISTORTED = (
    ("missing-view", views.without_view),
    ("null-view", views.null_view),
    ("empty-view", views.empty_view),
    ("missing-power", views.without_power),
    ("unknown-power", views.unknown_power),
    ("missing-health", views.without_health),
    ("unknown-health", views.unknown_health),
)


@dataclass(frozen=True, slots=True)
class Instead:
    """What is answered in place of the truth; status 0 is a connection that broke before anything was done."""

    status: int
    code: str
    message: str
    retry_after: timedelta = NOTHING


class Liar:
    """`pace` shortens hours and minutes for a fleet whose life is shortened; `told` counts by lie."""

    def __init__(self, lies: Lies, now: Callable[[], datetime], *, pace: float = 1.0) -> None:
        self.lies, self.now, self.pace = lies, now, pace
        self.told: Counter[str] = Counter()
        self._dice = {name: lies.dice(name) for name in lies.shares}
        self._gone = Absences(pace)
        self._lag = Lag(pace)
        self._quiet_until: datetime | None = None
        self._locks: dict[str, datetime | None] = {}

    @classmethod
    def over(cls, fleet: Fleet, lies: Lies, *, pace: float = 1.0) -> Self:
        """One for this fleet, whose machines and people do what the lies say."""
        afflict(fleet, lies, pace=pace)
        meddle(fleet, lies, pace=pace)
        return cls(lies, fleet.world.clock, pace=pace)

    def happens(self, name: str) -> bool:
        share = self.lies.share(name)
        if not share or self._dice[name].random() >= share:
            return False
        self.told[name] += 1
        return True

    def takes(self, kind: str) -> timedelta:
        """How long a call takes beyond the usual."""
        if kind in LISTINGS and self.happens("slow-listing"):
            return self._dice["slow-listing"].choice(SLOW) * self.pace
        return NOTHING

    def instead(self, kind: str, thing: str = "", *, continued: bool = False) -> Instead | None:
        """Trouble in place of an answer; `continued` is a page after the first."""
        broken = self._throttled() or self._broken(kind, continued=continued)
        return broken or self._not_there(kind, thing)

    def _throttled(self) -> Instead | None:
        words = "The request is being throttled as the limit has been reached for this subscription."
        now = self.now()
        if self.happens("throttled-for-hours") and self._quiet_until is None:
            hours = self._dice["throttled-for-hours"].choice((1, 3, 6))
            self._quiet_until = now + timedelta(hours=hours) * self.pace
        if self._quiet_until is not None and now < self._quiet_until:
            wait = self._dice["throttled-for-hours"].choice((60, 300))
            return Instead(429, "TooManyRequests", words, timedelta(seconds=wait) * self.pace)
        if self.happens("throttled"):
            wait = self._dice["throttled"].choice((1, 10, 60))
            return Instead(429, "TooManyRequests", words, timedelta(seconds=wait) * self.pace)
        return None

    def _broken(self, kind: str, *, continued: bool) -> Instead | None:
        if self.happens("dropped"):
            return Instead(0, "", "The connection broke.")
        listing = kind in LISTINGS and (continued or "fewer-pages" not in self.lies)
        if self.happens("unavailable") or (listing and self.happens("failing-page")):
            return Instead(503, "ServiceUnavailable", "The service is temporarily unavailable.")
        return None

    def _not_there(self, kind: str, thing: str) -> Instead | None:
        name, how = _absence_of(kind)
        if name and self._absent(name, [thing], how):
            code = "NotFound" if name == "no-operation" else "ResourceNotFound"
            return Instead(404, code, f"{thing} was not found.")
        if name:
            self._gone.show(thing, self.now())
        return None

    def _absent(self, name: str, things: Iterable[str], how: How) -> bool:
        """Whether they are said to be gone now, all of them."""
        now, all_ = self.now(), list(things)
        if name not in self.lies or not all(self._gone.may(one, how, now) for one in all_):
            return False
        if not self.happens(name):
            return False
        for one in all_:
            self._gone.note(one, how, now)
        return True

    def instances(self, bodies: list[Json], *, whole: bool = True) -> list[Json]:
        """A listing of instances, or a page of one (`whole` False)."""
        things = [_thing(one) for one in bodies]
        if things and whole and self._absent("empty-listing", things, "look"):
            return []
        if len(things) > 1 and whole and "fewer-pages" in self.lies:
            keeps = self._dice["fewer-pages"].randint(1, len(things) - 1)
            if self._absent("fewer-pages", things[keeps:], "look"):
                bodies, things = bodies[:keeps], things[:keeps]
        found = []
        for thing, body in zip(things, bodies, strict=True):
            if self._absent("missing-instance", [thing], "look"):
                continue
            self._gone.show(thing, self.now())
            found.append(self.instance(body, how="look"))
        return found

    def cut(self, bodies: list[Json]) -> bool:
        """Whether a listing of instances ends with a page that is not the last; `bodies` are those after it."""
        return self._absent("fewer-pages", [_thing(one) for one in bodies], "look")

    def scale_sets(self, bodies: list[Json], *, whole: bool = True) -> list[Json]:
        """A listing of scale sets, or a page of one."""
        if whole and len(bodies) > 1 and self.happens("missing-set"):
            bodies = bodies[: self._dice["missing-set"].randint(1, len(bodies) - 1)]
        return [self.scale_set(one) for one in bodies]

    def scale_set(self, body: Json) -> Json:
        if self.lies.marked("failed-set", _thing(body)):
            self.told["failed-set"] += 1
            return views.failed(body)
        return body

    def instance(self, body: Json, *, how: How = "direct") -> Json:
        """One instance as a listing or a read of its own shows it."""
        thing, now = _thing(body), self.now()
        for name, distorted in MARKED:
            if self.lies.marked(name, thing):
                truth, body = body, distorted(body)
                self.told[name] += body is not truth
        if "stale" in self.lies:
            lag = self._lag.shown(f"{how} {thing}", body, now, self.lies.share("stale"), self._dice["stale"])
            self.told["stale"] += lag is not body
            body = lag
        status, there = f"{thing}#status", bool(views.status(body))
        if there and self._absent("missing-status", [status], how):
            there, body = False, views.without_status(body)
        for name, distorted in DISTORTED:
            if self.happens(name):
                body = distorted(body)
                break
        if there and views.status(body):
            self._gone.show(status, now)
        return body

    def view(self, thing: str, body: Json) -> Json:
        """An instance view read by itself; an empty object where it is missing."""
        told = self.instance({"id": thing, "properties": {"provisioningState": "", "instanceView": body}})
        return told["properties"].get("instanceView") or {}

    def start(self, instance: Instance) -> Answer | None:
        """A refusal of a start in place of what the fleet would have answered."""
        owner, now = instance.owner.id.lower(), self.now()
        if owner not in self._locks and self.happens("locked"):
            span = self._dice["locked"].choice((1, 12, 0))
            self._locks[owner] = now + timedelta(hours=span) * self.pace if span else None
        if owner in self._locks:
            until = self._locks[owner]
            if until is None or now < until:
                return refusals.locked(instance)
        for name in refusals.ORDER:
            if self.happens(name):
                return refusals.refusal(name, instance)
        return None

    def graph(self, rows: list[Any]) -> list[Any]:
        """The rows of a query of Resource Graph."""
        return [] if rows and self.happens("empty-graph") else rows


def _thing(body: Json) -> str:
    return str(body.get("id", "")).lower()


def _absence_of(kind: str) -> tuple[str, How]:
    """Which lie says of a call that its thing is gone, and whether it is a direct read of it."""
    if kind == "get scale set":
        return "no-set", "direct"
    if kind == "list instances":
        return "no-set", "look"
    if kind in ONE_INSTANCE:
        return "no-instance", "direct"
    return ("no-operation", "direct") if kind == "operation" else ("", "direct")
