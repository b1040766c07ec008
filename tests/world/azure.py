"""The compute face over the simulated fleet, without HTTP: the fleet's JSON, the product's own parsing."""

import json
from collections import Counter
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

from handlers.cloud import shapes
from handlers.cloud.compute import Accepted
from handlers.cloud.errors import Forbidden, NotFound, Refused, Throttled, Unreachable
from planner.azure.fleet import Instance, ScaleSet
from planner.record.observation import OperationSeen
from simulator.arm import shapes as arm
from simulator.arm.answers import Refusal, Request
from simulator.arm.face import Face
from simulator.arm.faults import Faults
from simulator.arm.routes import match
from simulator.arm.set_view import scale_set_view
from simulator.fleet import SUBSCRIPTION, Fleet
from simulator.lies import Instead, Liar, Lies
from tests.world.chaos import Chaos
from tests.world.sentry import Sentry

PAGE = 50
"""Scale sets on a page of a listing."""


class FleetCompute:
    subscription = SUBSCRIPTION

    def __init__(self, fleet: Fleet, chaos: Chaos, sentry: Sentry, liar: Liar | None = None) -> None:
        self.fleet, self.chaos, self.sentry = fleet, chaos, sentry
        self.calls: Counter[str] = Counter()
        self.faults = Faults()
        self.face = Face(fleet, self.faults)
        self.liar = liar or Liar(Lies(), fleet.world.clock)

    async def _read(self, kind: str, thing: str = "") -> None:
        self.calls[kind] += 1
        await self.chaos.step()
        if self.chaos.happens(self.chaos.throttle):
            raise Throttled(self.chaos.wait())
        if self.chaos.happens(self.chaos.azure):
            raise Unreachable("Azure answered 503.")
        if took := self.liar.takes(kind):
            self.fleet.world.clock.advance(took)
        self._instead(kind, thing)
        self.fleet.world.look()

    def _instead(self, kind: str, thing: str) -> None:
        if (told := self.liar.instead(kind, thing.lower())) is not None:
            raise _trouble(told)

    def _set(self, arm_id: str):
        found = self.fleet.world.scale_sets.get(arm_id.lower())
        if found is None:
            raise NotFound("ResourceNotFound: it is gone.")
        return found

    async def pages(self, path: str):
        while path:
            page = await self._call("GET", path)
            yield page["value"]
            path = page.get("nextLink", "")

    async def post_json(self, path: str, payload: dict) -> dict:
        answer = await self._call("POST", path, json.dumps(payload).encode())
        return {**answer, "data": self.liar.graph(answer.get("data", []))}

    async def _call(self, method: str, path: str, body: bytes = b"") -> dict:
        """As the simulated ARM answers it over HTTP, with the product's words for its noes."""
        parts = urlsplit(path)
        call = match(method, parts.path)
        assert call is not None, path
        await self._read(call.kind)
        try:
            reply = self.face.answer(
                call, Request(call.names, dict(parse_qsl(parts.query)), body, "", parts.path)
            )
        except Refusal as refusal:
            said = json.loads(refusal.reply.body)["error"]
            if refusal.reply.status == 403:
                raise Forbidden(said["message"]) from None
            raise Refused(said["code"], said["message"]) from None
        return json.loads(reply.body)

    async def scale_sets(self, start: str = ""):
        """Some to a page, each page a request of its own: any of them can fail."""
        found = [arm.scale_set(one) for one in self.fleet.world.scale_sets.values()]
        shown = [shapes.scale_set(one) for one in self.liar.scale_sets(found)]
        for first in range(int(start or 0), max(1, len(shown)), PAGE):
            await self._read("list scale sets")
            yield shown[first : first + PAGE], str(first + PAGE) if first + PAGE < len(shown) else ""

    async def scale_set(self, arm_id: str) -> ScaleSet:
        await self._read("get scale set", arm_id)
        return shapes.scale_set(self.liar.scale_set(arm.scale_set(self._set(arm_id))))

    async def rolling_upgrade(self, arm_id: str) -> str:
        await self._read("rolling upgrade")
        return self._set(arm_id).upgrade if self._set(arm_id).upgrade == "RollingForward" else ""

    async def repairs(self, arm_id: str) -> str:
        await self._read("repairs")
        found = self._set(arm_id)
        if found.mode == "Flexible":
            raise Refused("OperationNotAllowed", "A Flexible set has no view.")
        return shapes.repairs(scale_set_view(found))

    async def set_repairs(self, arm_id: str, *, suspend: bool) -> None:
        self.calls["set repairs"] += 1
        await self.chaos.step()
        if self.chaos.happens(self.chaos.throttle):
            raise Throttled(timedelta(seconds=20))
        self._instead("set repairs", arm_id)
        self.fleet.world.look()
        answer = self.fleet.set_repairs(self._set(arm_id), "Suspend" if suspend else "Resume")
        await self.chaos.step()
        if answer.status == 403:
            raise Forbidden(answer.message)
        if answer.status == 409:
            raise Refused(answer.code, answer.message)
        if answer.dropped or self.chaos.happens(self.chaos.azure) or self.liar.happens("lost-answer"):
            raise Unreachable("The connection broke.")

    async def instances(self, scale_set: ScaleSet) -> tuple[Instance, ...]:
        kind = "list virtual machines" if scale_set.flexible else "list instances"
        await self._read(kind, scale_set.id)
        now = self.fleet.now
        if scale_set.flexible:
            found = self.fleet.world.scale_sets.get(scale_set.id.lower())
            ones = list(found.instances.values()) if found else []
            shown = self.liar.instances([arm.machine(one, now, self.faults, view=True) for one in ones])
            return tuple(shapes.flexible_instance(one) for one in shown)
        ones = list(self._set(scale_set.id).instances.values())
        shown = self.liar.instances([arm.instance(one, now, self.faults, view=True) for one in ones])
        return tuple(shapes.uniform_instance(one) for one in shown)

    async def instance(self, scale_set: ScaleSet, instance_id: str) -> Instance:
        """One instance by a read of its own, with its view; NotFound when it is not there."""
        found = self.fleet.world.scale_sets.get(scale_set.id.lower())
        one = found.instances.get(instance_id) if found else None
        thing = one.id if one else f"{scale_set.id}/{instance_id}"
        await self._read("get virtual machine" if scale_set.flexible else "get instance", thing)
        found = self.fleet.world.scale_sets.get(scale_set.id.lower())
        one = found.instances.get(instance_id) if found else None
        if one is None:
            raise NotFound("NotFound: it is gone.")
        write, read = (
            (arm.machine, shapes.flexible_instance)
            if scale_set.flexible
            else (arm.instance, shapes.uniform_instance)
        )
        return read(self.liar.instance(write(one, self.fleet.now, self.faults, view=True)))

    async def ready(self) -> None:
        pass

    async def start(self, scale_set: ScaleSet, instance: str) -> Accepted:
        self.calls["start"] += 1
        await self.chaos.step()
        if self.chaos.happens(self.chaos.throttle):
            raise Throttled(timedelta(seconds=20))
        self.fleet.world.look()
        found = self._set(scale_set.id).instances.get(instance)
        if found is None:
            raise NotFound("NotFound: it is gone.")
        self.sentry.asked(found, self.fleet.now)
        self._instead("start", found.id)
        answer = self.fleet.start_maintenance(
            found, instead=self.liar.start(found), lost=self.liar.happens("lost-answer")
        )
        await self.chaos.step()
        if answer.status == 409:
            raise Refused(answer.code, answer.message)
        if answer.dropped or self.chaos.happens(self.chaos.azure):
            raise Unreachable("The connection broke.")
        return Accepted(answer.operation.id if answer.status == 202 and answer.operation else "")

    async def operation(self, address: str) -> OperationSeen:
        try:
            await self._read("operation", address)
        except NotFound:
            return OperationSeen("Unknown", message="Azure no longer knows the operation.")
        found = self.fleet.world.operations.get(address)
        if found is None:
            return OperationSeen("Unknown")
        return OperationSeen(found.status, found.code, found.message)


def _trouble(told: Instead) -> Exception:
    """In the product's words, as its own translation would have it."""
    if told.status == 429:
        return Throttled(told.retry_after)
    if told.status == 404:
        return NotFound(f"{told.code}: {told.message}")
    return Unreachable(told.message)
