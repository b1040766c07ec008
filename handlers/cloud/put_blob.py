"""Put Blob through the container client's own pipeline: its credential, retries, timeouts, hooks and logging.

`upload_blob` makes the same request with 40 % more CPU: it builds a client for each blob, dozens of optional
headers and a dictionary of answers that nobody reads, and a wave writes hundreds of documents. The one thing
used here that the SDK keeps to itself is the pipeline; a test compares what both send.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.core.rest import HttpRequest
from azure.core.tracing.decorator_async import distributed_trace_async

if TYPE_CHECKING:
    from azure.storage.blob.aio import ContainerClient

_ERRORS: dict[int, type[HttpResponseError]] = {
    401: ClientAuthenticationError,
    404: ResourceNotFoundError,
    409: ResourceExistsError,
    412: ResourceModifiedError,
}


@distributed_trace_async
async def put_json(
    container: "ContainerClient", path: str, body: bytes, etag: str | None, metadata: Mapping[str, str]
) -> str:
    """Write a JSON document whole if it has this quoted ETag, without one if there is none yet; the new ETag.

    Raises what `upload_blob` raises, with storage's own name for the error as `error_code`.
    """
    address, _, query = container.url.partition("?")
    condition = {"If-Match": etag} if etag is not None else {"If-None-Match": "*"}
    headers = {
        "x-ms-version": container.api_version,
        "x-ms-blob-type": "BlockBlob",
        "x-ms-blob-content-type": "application/json",
        "Content-Type": "application/octet-stream",
        "Content-Length": str(len(body)),
        "Accept": "application/xml",
        **condition,
        **{f"x-ms-meta-{key}": value for key, value in metadata.items()},
    }
    url = f"{address}/{quote(path, safe='~/')}{query and '?'}{query}"
    request = HttpRequest("PUT", url, headers=headers, content=body)
    pipeline: Any = container._pipeline  # noqa: SLF001 - see above
    response = (await pipeline.run(request, stream=False)).http_response
    if response.status_code != 201:
        error = _ERRORS.get(response.status_code, HttpResponseError)(response=response)
        error.error_code = response.headers.get("x-ms-error-code", "")  # type: ignore[attr-defined]
        raise error
    return str(response.headers["ETag"])
