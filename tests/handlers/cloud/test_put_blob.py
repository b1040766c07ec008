"""Put Blob by hand is the SDK's `upload_blob`: the same request, the same errors."""

from typing import Any

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.storage.blob import ContentSettings
from azure.storage.blob.aio import ContainerClient

from handlers.cloud.put_blob import put_json

PATH = "runs/a/prod%28eu%29 ü~/web.json"
METADATA = {"state": "scheduled", "resource_group": "Prod%28EU%29", "v": "1"}
OWN_EACH_TIME = {"authorization", "x-ms-date", "x-ms-client-request-id"}


class Remembers(SansIOHTTPPolicy[Any, Any]):
    """The requests as they leave, signed and with all headers."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, dict[str, str], Any]] = []

    def on_request(self, request: PipelineRequest[Any]) -> None:
        sent = request.http_request
        headers = {key.lower(): value for key, value in sent.headers.items()}
        self.seen.append((sent.method, sent.url, headers, getattr(sent, "data", None) or sent.content))


@pytest.fixture
def remembers() -> Remembers:
    return Remembers()


@pytest.fixture
async def container(storage: str, remembers: Remembers):
    made = ContainerClient.from_connection_string(
        storage, "breakwater", retry_total=0, _additional_pipeline_policies=[remembers]
    )
    async with made:
        await made.create_container()
        remembers.seen.clear()
        yield made


async def by_the_sdk(container: ContainerClient, body: bytes, etag: str | None) -> str:
    condition: dict[str, Any] = {"overwrite": etag is not None}
    if etag is not None:
        condition |= {"etag": etag, "match_condition": MatchConditions.IfNotModified}
    answer = await container.get_blob_client(PATH).upload_blob(
        body,
        length=len(body),
        metadata=METADATA,
        content_settings=ContentSettings(content_type="application/json"),
        **condition,
    )
    return str(answer["etag"])


async def by_hand(container: ContainerClient, body: bytes, etag: str | None) -> str:
    return await put_json(container, PATH, body, etag, METADATA)


async def test_what_is_sent_is_what_the_sdk_sends(container, remembers: Remembers) -> None:
    first = await by_the_sdk(container, b'{"v": 1}', None)
    await by_the_sdk(container, b'{"v": 2}', first)
    await container.delete_blob(PATH)
    first_by_hand = await by_hand(container, b'{"v": 1}', None)
    await by_hand(container, b'{"v": 2}', first_by_hand)
    create, update, _, own_create, own_update = remembers.seen
    assert _comparable(own_create) == _comparable(create)
    assert _comparable(own_update, first_by_hand) == _comparable(update, first)
    assert create[2].keys() == own_create[2].keys()
    stored = await container.download_blob(PATH)
    assert await stored.readall() == b'{"v": 2}'
    assert stored.properties.metadata == METADATA
    assert stored.properties.content_settings.content_type == "application/json"


def _comparable(sent: tuple[str, str, dict[str, str], Any], etag: str = "") -> Any:
    method, url, headers, body = sent
    same = {key: value for key, value in headers.items() if key not in OWN_EACH_TIME}
    if etag:
        assert same.pop("if-match") == etag
    return method, url, same, body


async def _outcomes(put: Any, container: ContainerClient) -> list[Any]:
    """What happens where it is there already, where somebody wrote in between, and where it is gone."""
    etag = await put(container, b"1", None)
    newer = await put(container, b"2", etag)
    assert newer != etag
    found: list[Any] = []
    for stale in (None, etag):
        with pytest.raises(HttpResponseError) as error:
            await put(container, b"3", stale)
        found.append(_said(error.value))
    await container.delete_blob(PATH)
    with pytest.raises(HttpResponseError) as error:
        await put(container, b"3", newer)
    found.append(_said(error.value))
    await container.delete_container()
    with pytest.raises(HttpResponseError) as error:
        await put(container, b"3", None)
    found.append(_said(error.value))
    return found


def _said(error: HttpResponseError) -> tuple[type[HttpResponseError], int | None, str]:
    code = error.error_code  # type: ignore[attr-defined]
    return type(error), error.status_code, str(getattr(code, "value", code))


async def test_every_error_is_the_one_that_the_sdk_raises(container) -> None:
    own = await _outcomes(by_hand, container)
    await container.create_container()
    assert own == await _outcomes(by_the_sdk, container)


async def test_a_shared_access_signature_in_the_address_stays_behind_the_path(storage: str) -> None:
    seen = Remembers()
    url = "http://127.0.0.1:1/account/breakwater?sv=2026&sig=abc%3D"
    async with ContainerClient.from_container_url(
        url, retry_total=0, _additional_pipeline_policies=[seen]
    ) as client:
        for put in (by_the_sdk, by_hand):
            with pytest.raises(Exception, match="Cannot connect"):
                await put(client, b"1", None)
    assert seen.seen[0][1] == seen.seen[1][1]
    assert seen.seen[0][1].endswith("web.json?sv=2026&sig=abc%3D")
