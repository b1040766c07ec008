"""The compute provider of one subscription: scale sets, instances, upgrades, repairs, starts, operations.

Reads ask for bare JSON; what changes something uses the management client's operation, one attempt each.
"""

import re
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import quote

from azure.core.pipeline import PipelineResponse
from azure.core.rest import HttpRequest

from handlers.cloud import shapes
from handlers.cloud.accepted import Accepted
from handlers.cloud.arm import Arm, body
from handlers.cloud.endpoint import on_endpoint
from handlers.cloud.errors import NotFound, Refused
from handlers.cloud.reading import read, safe
from handlers.wire.messages import arm_parts
from planner.azure.fleet import Instance, ScaleSet
from planner.record.observation import OperationSeen, OperationStatus
from planner.text.phrases import shortened

COMPUTE_API = "2026-04-01"
ONE_INSTANCE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}")
ONE_ATTEMPT: dict[str, Any] = {
    "polling": False,
    "retry_total": 0,
    "read_timeout": 20,  # a start must be sent and answered well inside the 30 s a poll stays fresh
}


class Compute(Arm):
    """Compute of one subscription. Raises only handlers.cloud.errors."""

    async def scale_sets(self, start: str = "") -> AsyncIterator[tuple[list[ScaleSet], str]]:
        """Every scale set of the subscription, page by page, each with the address of the next page.

        The last has an empty one; `start` is the address to go on at.
        """
        path = f"/subscriptions/{self.subscription}/providers/Microsoft.Compute/virtualMachineScaleSets"
        first = f"{self._endpoint}{path}?api-version={COMPUTE_API}"
        async for page, following in self.pages_from(start or first):
            yield [read(shapes.scale_set, raw) for raw in page], following

    async def scale_set(self, arm_id: str) -> ScaleSet:
        """One scale set as it is now; NotFound when it is gone."""
        return read(shapes.scale_set, await self.get(f"{safe(arm_id)}?api-version={COMPUTE_API}"))

    async def rolling_upgrade(self, arm_id: str) -> str:
        """What a rolling upgrade of the scale set is doing, empty when none is under way."""
        try:
            raw = await self.get(f"{safe(arm_id)}/rollingUpgrades/latest?api-version={COMPUTE_API}")
        except NotFound:
            return ""
        status = read(shapes.rolling_upgrade, raw)
        return status if status.lower() == "rollingforward" else ""

    async def repairs(self, arm_id: str) -> str:
        """The state of automatic repairs: `running`, `suspended`, `notrunning`, or empty when there are none.

        For Uniform scale sets only: Azure refuses the instance view of a Flexible one.
        """
        return read(shapes.repairs, await self.get(f"{safe(arm_id)}/instanceView?api-version={COMPUTE_API}"))

    async def instances(self, scale_set: ScaleSet) -> tuple[Instance, ...]:
        """Every instance with its instance view, one request a page; NotFound when the set is gone."""
        path, shape = _instances(scale_set)
        query = f"$expand=instanceView&api-version={COMPUTE_API}"
        if scale_set.flexible:
            wanted = quote(f"'virtualMachineScaleSet/id' eq '{scale_set.id}'")
            query = f"$filter={wanted}&{query}"
        return tuple([read(shape, raw) async for page in self.pages(f"{path}?{query}") for raw in page])

    async def instance(self, scale_set: ScaleSet, instance: str) -> Instance:
        """One instance with its instance view, read by itself; NotFound when Azure does not know it."""
        _check_id(instance, "read")
        path, shape = _instances(scale_set)
        address = f"{path}/{safe(instance)}?$expand=instanceView&api-version={COMPUTE_API}"
        return read(shape, await self.get(address))

    async def start(self, scale_set: ScaleSet, instance: str) -> Accepted:
        """Start maintenance of one instance: one attempt, never of the whole set.

        Raises Refused, Throttled, NotFound or Forbidden when Azure did not start it, NotSent when the
        request never left, Unreachable when nobody can tell.
        """
        _check_id(instance, "started")
        await self._keep_quiet()
        seen: dict[str, str] = {}

        def hook(response: PipelineResponse[Any, Any]) -> None:
            seen.update({key.lower(): value for key, value in response.http_response.headers.items()})

        options: dict[str, Any] = {**ONE_ATTEMPT, "raw_response_hook": hook}
        client = await self._client()
        async with self._translating():
            if scale_set.flexible:
                await client.virtual_machines.begin_perform_maintenance(
                    scale_set.resource_group, instance, **options
                )
            else:
                await client.virtual_machine_scale_set_vms.begin_perform_maintenance(
                    scale_set.resource_group, scale_set.name, instance, **options
                )
        return Accepted(operation=seen.get("azure-asyncoperation") or seen.get("location") or "")

    async def set_repairs(self, arm_id: str, *, suspend: bool) -> None:
        """Suspend or resume automatic repairs of a Uniform scale set: one attempt, without waiting.

        Azure takes a moment to carry it out; `repairs` shows when it has. Repeating it does no harm. Raises
        Refused, Throttled, NotFound or Forbidden when Azure did not accept it, NotSent when the request never
        left, Unreachable when nobody can tell.
        """
        await self._keep_quiet()
        try:
            _, resource_group, name = arm_parts(arm_id)
        except ValueError as error:
            raise Refused("NotOneScaleSet", str(error)) from error
        client = await self._client()
        async with self._translating():
            await client.virtual_machine_scale_sets.begin_set_orchestration_service_state(
                resource_group,
                name,
                {"serviceName": "AutomaticRepairs", "action": "Suspend" if suspend else "Resume"},
                **ONE_ATTEMPT,
            )

    async def operation(self, address: str) -> OperationSeen:
        """How an operation stands; `Unknown` when Azure no longer knows it."""
        own = on_endpoint(address, self._endpoint)
        if own is None:
            # The token must not follow an address to a host that is not Azure's management endpoint.
            return OperationSeen(
                OperationStatus.UNKNOWN, message="The operation's address is not on the management endpoint."
            )
        await self._keep_quiet()
        try:
            response = await self._send(HttpRequest("GET", own))
        except NotFound:
            return OperationSeen(OperationStatus.UNKNOWN, message="Azure no longer knows the operation.")
        except Refused as refused:
            # Read at its Location, an operation answers with the error it ended with.
            return OperationSeen(OperationStatus.FAILED, refused.code, refused.sentence)
        found = body(response)
        if "status" in found:
            error = found["error"] if isinstance(found.get("error"), dict) else {}
            code, message = str(error.get("code", "")), str(error.get("message", ""))
            return OperationSeen(str(found["status"]), code, shortened(message, 500))
        done = response.status_code != 202
        return OperationSeen(OperationStatus.SUCCEEDED if done else OperationStatus.IN_PROGRESS)


def _instances(scale_set: ScaleSet) -> tuple[str, Callable[[dict[str, Any]], Instance]]:
    """The path of a scale set's instances, and how to read one of them."""
    if scale_set.flexible:
        group = f"/subscriptions/{scale_set.subscription}/resourceGroups/{safe(scale_set.resource_group)}"
        return f"{group}/providers/Microsoft.Compute/virtualMachines", shapes.flexible_instance
    return f"{safe(scale_set.id)}/virtualMachines", shapes.uniform_instance


def _check_id(instance: str, done: str) -> None:
    """Raise Refused for what is not one instance's id: `..` in an address would name the whole scale set."""
    if not ONE_INSTANCE.fullmatch(instance):
        raise Refused("NotOneInstance", f"{instance[:80]!r} is not an instance id, so nothing was {done}.")
