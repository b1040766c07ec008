"""The compute face against a server that answers what Azure never should."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from azure.core.credentials import AccessToken

from handlers.cloud.compute import Compute
from handlers.cloud.errors import AzureTrouble, Forbidden, NotFound, NotSent, Refused, Throttled, Unreachable
from planner.azure.fleet import Orchestration
from planner.policy.health import serving
from planner.policy.model import HealthRule
from planner.start.locks import lock_of
from tests.handlers.parts import NOW, SUBSCRIPTION, scale_set

SETS = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/virtualMachineScaleSets"


class Credential:
    """A token that must not be seen anywhere but at Azure."""

    async def get_token(self, *_: str, **__: Any) -> AccessToken:
        return AccessToken("the-secret", 4_000_000_000)

    async def close(self) -> None: ...


class Crooked:
    """Answers every request with what the test says, and remembers what it saw."""

    def __init__(self) -> None:
        self.answer: Any = None
        self.seen: list[tuple[str, str, str]] = []
        self.url = ""

    async def open(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def close(self) -> None:
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        self.seen.append((request.method, request.path_qs, request.headers.get("Authorization", "")))
        return self.answer(request)


@pytest.fixture
async def azure() -> AsyncIterator[Crooked]:
    server = Crooked()
    await server.open()
    yield server
    await server.close()


@pytest.fixture
async def elsewhere() -> AsyncIterator[Crooked]:
    server = Crooked()
    server.answer = lambda _: web.json_response({"value": [], "status": "Succeeded"})
    await server.open()
    yield server
    await server.close()


@pytest.fixture
async def compute(azure: Crooked) -> AsyncIterator[Compute]:
    made = Compute(SUBSCRIPTION, Credential, azure.url, lambda: NOW)
    yield made
    await made.close()


async def listed(compute: Compute) -> list[Any]:
    return [scale_set async for page, _ in compute.scale_sets() for scale_set in page]


def _page(link: Any) -> Any:
    return lambda _: web.json_response({"value": [], "nextLink": link})


async def test_a_next_page_at_another_host_is_not_followed(azure, elsewhere, compute) -> None:
    for link in (
        f"{elsewhere.url}{SETS}?page=2",
        elsewhere.url.replace("http://", f"{azure.url}@").replace("http:////", "http://"),
        f"{azure.url}.example.org/x",
        f"{azure.url}0/x",
        f"ftp://{elsewhere.url}",
    ):
        azure.answer = _page(link)
        with pytest.raises(Unreachable):
            await listed(compute)
    assert elsewhere.seen == []
    assert all(path.startswith(SETS) for _, path, _ in azure.seen)


async def test_an_operations_address_at_another_host_is_not_read(azure, elsewhere, compute) -> None:
    azure.answer = lambda _: web.Response(status=202, headers={"Azure-AsyncOperation": f"{elsewhere.url}/op"})
    accepted = await compute.start(scale_set("web"), "0")
    seen = await compute.operation(accepted.operation)
    assert seen.status == "Unknown"
    assert "not on the management endpoint" in seen.message
    assert elsewhere.seen == []
    assert len(azure.seen) == 1


async def test_a_redirect_to_another_host_carries_no_token_there(azure, elsewhere, compute) -> None:
    azure.answer = lambda _: web.Response(status=307, headers={"Location": f"{elsewhere.url}/x"})
    for call in (listed(compute), compute.start(scale_set("web"), "0")):
        try:
            await call
        except AzureTrouble:
            continue
    assert "the-secret" not in str(elsewhere.seen)
    assert "Bearer the-secret" in str(azure.seen)


async def test_a_list_that_leads_to_itself_ends(azure, compute) -> None:
    azure.answer = _page(f"{azure.url}{SETS}?api-version=1&again")
    with pytest.raises(Unreachable, match="page"):
        async with asyncio.timeout(10):
            await listed(compute)
    assert len(azure.seen) == 2


@pytest.mark.parametrize(
    "body",
    [b"<html>Service Unavailable</html>", b"[1]", b'"x"', b"null", b"{", b"\xff", b'{"value": 7}',
     b'{"value": {"a": 1}}', b'{"value": [7, null, "x", []]}', b'{"value": [{"id": "x"}]}',
     b'{"value": [], "nextLink": 7}', b'{"value": [], "nextLink": {"a": 1}}'],
)  # fmt: skip
async def test_an_answer_that_is_not_a_listing_is_trouble_with_azure_and_nothing_else(
    azure, compute, body: bytes
) -> None:
    azure.answer = lambda _: web.Response(body=body, content_type="application/json")
    with pytest.raises(Unreachable):
        await listed(compute)


@pytest.mark.parametrize("body", [b"<html>", b"{", b"\xff"])
async def test_an_accepted_start_whose_answer_is_garbled_was_accepted(azure, compute, body: bytes) -> None:
    azure.answer = lambda _: web.Response(status=200, body=body, content_type="application/json")
    assert (await compute.start(scale_set("web"), "0")).operation == ""
    assert len(azure.seen) == 1


async def test_a_start_to_an_azure_nobody_reaches_was_not_sent(unused_tcp_port: int) -> None:
    compute = Compute(SUBSCRIPTION, Credential, f"http://127.0.0.1:{unused_tcp_port}", lambda: NOW)
    with pytest.raises(NotSent, match="could not be reached"):
        await compute.start(scale_set("web"), "0")
    await compute.close()


async def test_a_connection_that_breaks_before_the_answer_leaves_the_start_in_doubt(azure, compute) -> None:
    def broken(request: web.Request) -> web.Response:
        request.transport.abort()
        return web.Response()

    azure.answer = broken
    with pytest.raises(Unreachable) as lost:
        await compute.start(scale_set("web"), "0")
    assert not isinstance(lost.value, NotSent)
    assert len(azure.seen) == 1


@pytest.mark.parametrize("body", [{"status": "Failed", "error": "x"}, {"status": "Failed", "error": [1]}])
async def test_a_failed_operation_without_a_readable_error_has_failed(azure, compute, body) -> None:
    azure.answer = lambda _: web.json_response(body)
    assert (await compute.operation(f"{azure.url}/op")).status == "Failed"


ODD_VIEWS: tuple[Any, ...] = (
    7, "x", [], {"statuses": 7}, {"statuses": [7, None, {"code": 7}]}, {"vmHealth": "x"},
    {"vmHealth": {"status": "x"}}, {"maintenanceRedeployStatus": "x"}, {"platformUpdateDomain": "0"},
    {"placementGroupId": 7}, {"maintenanceRedeployStatus": {"preMaintenanceWindowStartTime": {"a": 1}}},
)  # fmt: skip


@pytest.mark.parametrize("view", ODD_VIEWS)
async def test_a_strange_view_is_read_as_far_as_it_goes_or_is_trouble_with_azure(
    azure, compute, view
) -> None:
    raw = {"instanceId": "0", "name": "web_0", "properties": {"instanceView": view}}
    azure.answer = lambda _: web.json_response({"value": [raw]})
    try:
        (instance,) = await compute.instances(scale_set("web"))
    except Unreachable:
        return
    assert instance.id == "0"
    assert not instance.running
    assert instance.unreadable or instance.status is None or not instance.status.allowed


@pytest.mark.parametrize("odd", ["yesterday", 7, {"a": 1}, [], "", None, "0001-01-01T00:00:00+14:00"])
async def test_a_creation_time_that_cannot_be_read_is_left_out_and_hides_nothing(azure, compute, odd) -> None:
    raw = {"instanceId": "0", "id": scale_set("web").id, "properties": {"timeCreated": odd}}
    azure.answer = lambda _: web.json_response({"value": [raw]})
    assert [instance.created for instance in await compute.instances(scale_set("web"))] == [None]
    assert [scale_set.created for scale_set in await listed(compute)] == [None]


@pytest.mark.parametrize(
    "raw", [{"properties": 7, "instanceId": "0"}, {"properties": {}}, {"instanceId": ""}]
)
async def test_an_instance_without_a_name_or_a_body_is_never_one_to_start(azure, compute, raw) -> None:
    azure.answer = lambda _: web.json_response({"value": [raw]})
    try:
        found = await compute.instances(scale_set("web"))
    except Unreachable:
        return
    assert all(instance.unreadable and not instance.running for instance in found)


@pytest.mark.parametrize("properties", [{}, {"instanceView": None}, {"instanceView": {}}])
@pytest.mark.parametrize("mode", Orchestration)
async def test_an_instance_without_the_view_that_was_asked_for_is_unreadable_and_not_without_maintenance(
    azure, compute, mode, properties
) -> None:
    raw = {"instanceId": "0", "name": "0", "properties": {"provisioningState": "Succeeded", **properties}}
    azure.answer = lambda _: web.json_response({"value": [raw]})
    (instance,) = await compute.instances(scale_set("web", orchestration=mode))
    assert instance.unreadable == "Azure sent it without its instance view"
    assert instance.maintenance is not None
    assert not serving(instance, HealthRule.IGNORE)
    assert not instance.switched_off


async def test_a_view_without_a_power_state_is_neither_running_nor_stopped_nor_without_maintenance(
    azure, compute
) -> None:
    view = {"statuses": [{"code": "ProvisioningState/succeeded"}]}
    raw = {"instanceId": "0", "properties": {"instanceView": view}}
    azure.answer = lambda _: web.json_response({"value": [raw]})
    (instance,) = await compute.instances(scale_set("web"))
    assert instance.unreadable == "Azure sent its instance view without a power state"
    assert not instance.running
    assert not instance.down
    assert not instance.switched_off


async def test_a_status_that_does_not_say_whether_it_may_be_started_is_unreadable(azure, compute) -> None:
    status = {"preMaintenanceWindowStartTime": "2026-11-22T00:00:00Z"}
    view = {"statuses": [{"code": "PowerState/running"}], "maintenanceRedeployStatus": status}
    raw = {"instanceId": "0", "properties": {"instanceView": view}}
    azure.answer = lambda _: web.json_response({"value": [raw]})
    (instance,) = await compute.instances(scale_set("web"))
    assert "does not say whether it may be started" in instance.unreadable


@pytest.mark.parametrize("mode", Orchestration)
async def test_one_instance_is_read_by_itself_with_its_view(azure, compute, mode) -> None:
    view = {"statuses": [{"code": "PowerState/running"}]}
    raw = {"instanceId": "3", "name": "3", "properties": {"instanceView": view}}
    azure.answer = lambda _: web.json_response(raw)
    one = await compute.instance(scale_set("web", orchestration=mode), "3")
    assert (one.id, one.power, one.maintenance) == ("3", "running", None)
    ((method, path, _),) = azure.seen
    assert method == "GET"
    assert "/virtualmachines/3?$expand=instanceview&" in path.lower()


async def test_what_is_not_an_instance_id_is_not_read(azure, compute) -> None:
    with pytest.raises(Refused, match="nothing was read"):
        await compute.instance(scale_set("web"), "..")
    assert azure.seen == []


@pytest.mark.parametrize("instance", ["", ".", "..", "*", "0/../..", "0?x", "0#"])
async def test_what_is_not_an_instance_id_is_not_started_because_it_might_mean_all(
    azure, compute, instance: str
) -> None:
    azure.answer = lambda _: web.Response(status=202)
    for mode in Orchestration:
        with pytest.raises(Refused, match="nothing was started"):
            await compute.start(scale_set("web", orchestration=mode), instance)
    assert azure.seen == []


async def test_503_with_a_long_retry_after_is_not_slept_through(azure, compute) -> None:
    azure.answer = lambda _: web.Response(status=503, headers={"Retry-After": "3600"})
    async with asyncio.timeout(5):
        with pytest.raises(Unreachable):
            await listed(compute)
        with pytest.raises(Unreachable):
            await compute.start(scale_set("web"), "0")
    assert [method for method, _, _ in azure.seen] == ["GET", "POST"]


@pytest.mark.parametrize("asked", ["soon", "inf", "nan", "-5", "1e400", "Wed, 21 Oct 2099 07:28:00 GMT", ""])
@pytest.mark.parametrize("status", [429, 503])
async def test_an_invalid_retry_after_does_no_harm(azure, compute, status: int, asked: str) -> None:
    azure.answer = lambda _: web.Response(status=status, headers={"Retry-After": asked})
    async with asyncio.timeout(8):
        with pytest.raises(Throttled if status == 429 else Unreachable) as trouble:
            await listed(compute)
    if isinstance(trouble.value, Throttled):
        assert timedelta(seconds=1) <= trouble.value.retry_after <= timedelta(days=1)


@pytest.mark.parametrize(
    ("status", "body", "kind", "says"),
    [
        (403, {"error": {"code": "AuthorizationFailed", "message": "No role."}}, Forbidden, "No role."),
        (401, {"error": {"code": "InvalidAuthenticationToken", "message": "Bad."}}, Forbidden, "identity"),
        (409, {"error": {"code": "Conflict", "message": "Busy."}}, Refused, "Busy."),
        (409, {"code": "Old", "message": "Flat."}, Refused, "Flat."),
        (400, {"error": "text"}, Refused, ""),
        (400, [], Refused, ""),
        (409, {"error": {"message": "x" * 9000}}, Refused, "xxx"),
        (409, {"error": {"code": "ScopeLocked", "message": "'/x' is locked. " * 900}}, Refused, "locked"),
    ],
)
async def test_azures_errors_keep_their_words_whatever_their_shape(
    azure, compute, status: int, body: Any, kind: type[AzureTrouble], says: str
) -> None:
    azure.answer = lambda _: web.Response(
        status=status, text=json.dumps(body), content_type="application/json"
    )
    with pytest.raises(kind) as trouble:
        await compute.start(scale_set("web"), "0")
    assert says in trouble.value.sentence
    assert len(trouble.value.sentence) <= (1000 if "locked" in trouble.value.sentence else 600)
    assert "the-secret" not in trouble.value.sentence


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ResourceNotFound", NotFound),
        ("ResourceGroupNotFound", NotFound),
        ("NotFound", NotFound),
        ("SubscriptionNotFound", Forbidden),
        ("NoRegisteredProviderFound", Unreachable),
        ("", Unreachable),
    ],
)
async def test_only_a_404_of_azure_about_the_resource_says_that_it_is_gone(
    azure, compute, code, kind
) -> None:
    """What is gone is skipped and its run completed: a proxy's page or a hidden subscription must not do that."""
    body = {"error": {"code": code, "message": "It could not be found."}} if code else "<h1>Not Found</h1>"
    azure.answer = lambda _: web.Response(
        status=404, text=body if isinstance(body, str) else json.dumps(body)
    )
    for call in (compute.instances(scale_set("web")), compute.scale_set(scale_set("web").id)):
        with pytest.raises(AzureTrouble) as said:
            await call
        assert type(said.value) is kind
        assert code in said.value.sentence


async def test_an_operation_forgotten_by_azure_is_unknown_even_without_a_code(azure, compute) -> None:
    azure.answer = lambda _: web.Response(status=404)
    address = (
        f"{azure.url}/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/locations/west/operations/1"
    )
    assert (await compute.operation(address)).status == "Unknown"


async def test_the_locked_scope_is_kept_even_with_names_as_long_as_azure_allows(azure, compute) -> None:
    group = f"/subscriptions/{'s' * 36}/resourceGroups/{'g' * 90}"
    one = f"{group}/providers/Microsoft.Compute/virtualMachineScaleSets/{'w' * 64}"
    said = (
        f"The scope '{one}/virtualMachines/10' cannot perform write operation because following scope(s) are "
        f"locked: '{one}'. Please remove the lock and try again."
    )
    azure.answer = lambda _: web.Response(
        status=409,
        text=json.dumps({"error": {"code": "ScopeLocked", "message": said}}),
        content_type="application/json",
    )
    with pytest.raises(Refused) as refused:
        await compute.start(scale_set("web"), "10")
    assert refused.value.code == "ScopeLocked"
    assert lock_of(refused.value.sentence).scope == one
