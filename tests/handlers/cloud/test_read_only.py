"""The policy that lets nothing leave but reads."""

import pytest
from azure.core.rest import HttpRequest
from azure.identity.aio import ManagedIdentityCredential

from handlers.cloud.arm import Arm
from handlers.cloud.compute import Compute
from handlers.cloud.errors import Refused
from handlers.cloud.read_only import ReadOnly
from simulator.arm import serve
from simulator.fleet import SUBSCRIPTION
from tests.handlers.parts import Clock
from tests.simulator.support import Stage


@pytest.fixture
async def reader(monkeypatch):
    """A compute face that only reads, at a simulated ARM, and its server."""
    server = await serve(Stage().fleet)
    monkeypatch.setenv("IDENTITY_ENDPOINT", server.identity_url)
    monkeypatch.setenv("IDENTITY_HEADER", server.identity_header)
    credential = ManagedIdentityCredential()
    compute = Compute(SUBSCRIPTION, lambda: credential, server.url, Clock(), policies=[ReadOnly()])
    yield compute, server
    await compute.close()
    await credential.close()
    await server.close()


async def test_a_start_is_refused_before_it_leaves_the_process(reader):
    compute, server = reader
    (scale_set,) = [each async for page, _ in compute.scale_sets() for each in page]
    with pytest.raises(Refused, match=r"performMaintenance was not sent: this command only reads"):
        await compute.start(scale_set, "0")
    with pytest.raises(Refused, match="only reads"):
        await compute.set_repairs(scale_set.id, suspend=True)
    assert {call.method for call in server.seen} == {"GET"}


async def test_the_sdk_s_own_operations_are_refused_too(reader):
    compute, server = reader
    client = await compute._client()
    sets = client.virtual_machine_scale_sets
    for begin in (sets.begin_perform_maintenance, sets.begin_delete, sets.begin_deallocate):
        with pytest.raises(Refused, match="was not sent"):
            await begin("rg", "web")
    with pytest.raises(Refused, match="was not sent"):
        await client.virtual_machine_scale_set_vms.begin_perform_maintenance("rg", "web", "0")
    assert not server.seen


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "POST"])
async def test_no_method_that_writes_passes_whatever_the_address(reader, method):
    compute, server = reader
    client = await compute._client()
    for path in ("/subscriptions/x", "/providers/Microsoft.ResourceGraph/resources/x", "/x?resources"):
        with pytest.raises(Refused):
            await client.send_request(HttpRequest(method, server.url + path))
    if method != "POST":
        with pytest.raises(Refused):
            await client.send_request(
                HttpRequest(method, f"{server.url}/providers/Microsoft.ResourceGraph/resources")
            )
    assert not server.seen


async def test_a_query_of_resource_graph_passes(reader):
    compute, server = reader
    await Arm.post_json(
        compute,
        "/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01",
        {"subscriptions": [SUBSCRIPTION], "query": "servicehealthresources", "options": {}},
    )
    assert [call.method for call in server.seen] == ["POST"]
