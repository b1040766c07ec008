"""The compute face over the simulated fleet, without HTTP: the fleet's JSON, the product's own parsing."""

import json
from collections import Counter
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

from handlers.cloud import shapes
from handlers.cloud.compute import Accepted, Operation
from handlers.cloud.errors import Forbidden, NotFound, Refused, Throttled, Unreachable
from planner.fleet import Instance, ScaleSet
from simulator.arm import shapes as arm
from simulator.arm.answers import Refusal, Request
from simulator.arm.face import Face
from simulator.arm.faults import Faults
from simulator.arm.routes import match
from simulator.arm.set_view import scale_set_view
from simulator.fleet import SUBSCRIPTION, Fleet
from tests.world.chaos import Chaos
from tests.world.sentry import Sentry


class FleetCompute:
    subscription = SUBSCRIPTION

    def __init__(self, fleet: Fleet, chaos: Chaos, sentry: Sentry) -> None:
        self.fleet, self.chaos, self.sentry = fleet, chaos, sentry
        self.calls: Counter[str] = Counter()
        self.faults = Faults()
        self.face = Face(fleet, self.faults)

    async def _read(self, kind: str) -> None:
        self.calls[kind] += 1
        await self.chaos.step()
        if self.chaos.happens(self.chaos.throttle):
            raise Throttled(self.chaos.wait())
        if self.chaos.happens(self.chaos.azure):
            raise Unreachable("Azure answered 503.")
        self.fleet.world.look()

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
        return await self._call("POST", path, json.dumps(payload).encode())

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

    async def scale_sets(self):
        await self._read("list scale sets")
        for one in list(self.fleet.world.scale_sets.values()):
            yield shapes.scale_set(arm.scale_set(one))

    async def scale_set(self, arm_id: str) -> ScaleSet:
        await self._read("get scale set")
        return shapes.scale_set(arm.scale_set(self._set(arm_id)))

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
        self.fleet.world.look()
        answer = self.fleet.set_repairs(self._set(arm_id), "Suspend" if suspend else "Resume")
        await self.chaos.step()
        if answer.status == 403:
            raise Forbidden(answer.message)
        if answer.status == 409:
            raise Refused(answer.code, answer.message)
        if answer.dropped or self.chaos.happens(self.chaos.azure):
            raise Unreachable("The connection broke.")

    async def instances(self, scale_set: ScaleSet) -> tuple[Instance, ...]:
        await self._read("list instances")
        now = self.fleet.now
        if scale_set.flexible:
            found = self.fleet.world.scale_sets.get(scale_set.id.lower())
            ones = list(found.instances.values()) if found else []
            return tuple(
                shapes.flexible_instance(arm.machine(one, now, self.faults, view=True)) for one in ones
            )
        ones = list(self._set(scale_set.id).instances.values())
        return tuple(shapes.uniform_instance(arm.instance(one, now, self.faults, view=True)) for one in ones)

    async def instance(self, scale_set: ScaleSet, instance: str) -> Instance:
        await self._read("get instance")
        now = self.fleet.now
        found = self._set(scale_set.id).instances.get(instance)
        if found is None:
            raise NotFound("NotFound: it is gone.")
        if scale_set.flexible:
            return shapes.flexible_instance(arm.machine(found, now, self.faults, view=True))
        return shapes.uniform_instance(arm.instance(found, now, self.faults, view=True))

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
        answer = self.fleet.start_maintenance(found)
        await self.chaos.step()
        if answer.status == 409:
            raise Refused(answer.code, answer.message)
        if answer.dropped or self.chaos.happens(self.chaos.azure):
            raise Unreachable("The connection broke.")
        return Accepted(answer.operation.id if answer.status == 202 and answer.operation else "")

    async def operation(self, address: str) -> Operation:
        await self._read("operation")
        found = self.fleet.world.operations.get(address)
        if found is None:
            return Operation("Unknown")
        return Operation(found.status, found.code, found.message)
