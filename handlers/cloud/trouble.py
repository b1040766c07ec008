"""The SDK's errors as the few kinds that the stages distinguish."""

import json

from aiohttp import ClientConnectorError
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
)

from handlers.cloud.errors import (
    AzureTrouble,
    Forbidden,
    NotFound,
    NotSent,
    Refused,
    Throttled,
    Unreachable,
    short,
)
from handlers.cloud.patience import retry_after

HIDDEN = frozenset({"SubscriptionNotFound", "InvalidSubscriptionId"})
"""404s about the subscription: moved to another tenant, disabled, or our role on it was removed."""

UNSERVED = frozenset({"InvalidResourceType", "InvalidResourceNamespace", "NoRegisteredProviderFound"})
"""404s about the API: they say nothing about the resource."""

LOCKED = "ScopeLocked"

LONGEST, LONGEST_LOCKED = 500, 1000
"""Characters of Azure's message that are kept; a lock is named last, after what was requested."""

OPERATIONS = "/operations/"
"""In the address of an operation; for one it has forgotten, Azure may answer 404 without a code."""


def translated(error: AzureError) -> AzureTrouble:
    """Azure's error as one of ours. Only what Azure says was not done counts as not done."""
    if isinstance(error, ClientAuthenticationError) and error.response is None:
        return NotSent(f"Azure gave no token: {short(error)}")
    if isinstance(error, ClientAuthenticationError):
        return Forbidden(f"Azure refused the app's identity: {short(error)}")
    if _never_connected(error):
        return NotSent(f"Azure could not be reached: {short(error)}")
    if not isinstance(error, HttpResponseError):
        return Unreachable(f"Azure did not answer: {short(error)}")
    status = error.status_code or 0
    code, message = _code(error)
    if status == 429:
        return Throttled(retry_after(error))
    if status == 404:
        return _absent(error, code, message)
    if status == 403:
        return Forbidden(message)
    if status >= 500 or status == 408 or status < 400:
        return Unreachable(f"Azure answered {status} {code}: {message}")
    return Refused(code or str(status), message)


def _absent(error: HttpResponseError, code: str, message: str) -> AzureTrouble:
    """What a 404 means: "gone" ends a run, so it counts only where Azure says it of the resource itself."""
    if code in HIDDEN:
        return Forbidden(f"Azure does not show it to us ({code}): {message}")
    if code in UNSERVED or (not code and OPERATIONS not in str(getattr(error.response, "url", ""))):
        return Unreachable(f"Azure answered 404 {code}: {message}")
    return NotFound(f"{code or 'NotFound'}: {message}")


def _never_connected(error: AzureError) -> bool:
    """Whether the request cannot have left.

    The SDK's ServiceRequestError alone does not tell: it also stands for a connection that broke before the
    answer, when Azure may well have carried out the request.
    """
    if isinstance(error, ServiceRequestTimeoutError):
        return True
    return isinstance(error, ServiceRequestError) and isinstance(error.inner_exception, ClientConnectorError)


def _code(error: HttpResponseError) -> tuple[str, str]:
    """The code and message of ARM's error body; bare requests carry no parsed model."""
    try:
        body = json.loads(error.response.content) if error.response is not None else {}  # type: ignore[attr-defined]
        detail = body.get("error", body)
        code = str(detail.get("code", ""))
        return code, str(detail.get("message", ""))[: LONGEST_LOCKED if code == LOCKED else LONGEST]
    except (ValueError, AttributeError, TypeError):
        parsed = error.error
        return (str(parsed.code) if parsed else ""), short(error)
