"""The same listing as people write it today: `python -m benchmarks.scripts sequential|concurrent`.

sequential: the SDK, one call after the other. concurrent: the asynchronous SDK, sixteen calls at a time.
Prints seconds of wall and CPU, and how long it waited for a processor, without imports.
"""

import asyncio
import json
import os
import sys
import time
from typing import Any

from azure.core.pipeline.policies import SansIOHTTPPolicy

from benchmarks.accounts import starved

AT_ONCE = 16
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"


class _PlainHttp(SansIOHTTPPolicy[Any, Any]):
    def on_request(self, request: Any) -> None:
        request.context.options.setdefault("enforce_https", False)


OPTIONS: dict[str, Any] = {"base_url": os.environ.get("ARM", ""), "per_call_policies": [_PlainHttp()]}


def sequential() -> int:
    from azure.identity import ManagedIdentityCredential
    from azure.mgmt.compute import ComputeManagementClient

    with ComputeManagementClient(ManagedIdentityCredential(), SUBSCRIPTION, **OPTIONS) as client:
        began = time.perf_counter(), time.process_time(), starved()
        seen = 0
        for one in client.virtual_machine_scale_sets.list_all():
            group = one.id.split("/")[4]
            for instance in client.virtual_machine_scale_set_vms.list(group, one.name, expand="instanceView"):
                seen += instance.instance_view.maintenance_redeploy_status is not None
        _print(seen, began)
    return seen


async def concurrent() -> int:
    from azure.identity.aio import ManagedIdentityCredential
    from azure.mgmt.compute.aio import ComputeManagementClient

    gate = asyncio.Semaphore(AT_ONCE)
    async with (
        ManagedIdentityCredential() as credential,
        ComputeManagementClient(credential, SUBSCRIPTION, **OPTIONS) as client,
    ):
        began = time.perf_counter(), time.process_time(), starved()

        async def read(one: Any) -> int:
            group = one.id.split("/")[4]
            async with gate:
                pages = client.virtual_machine_scale_set_vms.list(group, one.name, expand="instanceView")
                return sum([vm.instance_view.maintenance_redeploy_status is not None async for vm in pages])

        sets = [one async for one in client.virtual_machine_scale_sets.list_all()]
        seen = sum(await asyncio.gather(*(read(one) for one in sets)))
        _print(seen, began)
    return seen


def _print(seen: int, began: tuple[float, float, float]) -> None:
    wall, cpu, waited = time.perf_counter() - began[0], time.process_time() - began[1], starved() - began[2]
    print(json.dumps({"instances": seen, "wall": wall, "cpu": cpu, "starved": waited}))


if __name__ == "__main__":
    if sys.argv[1] == "sequential":
        sequential()
    else:
        asyncio.run(concurrent())
