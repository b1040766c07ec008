"""The api-versions a call is answered in: those of a service's past, up to the one whose shapes are written here.

Azure goes on answering old versions and refuses what it has not published, so that a slip in a version shows
here before it does in Azure. Whoever asks in an older version gets the same shape.
"""

import re
from datetime import date

from simulator.arm.answers import bad_request
from simulator.arm.routes import Call

COMPUTE = "2026-04-01"
OTHERS = {
    "resource graph": "2024-04-01",
    "activity log": "2015-04-01",
    "autoscale settings": "2022-10-01",
    "auto-shutdown schedules": "2018-09-15",
    "resource groups": "2025-04-01",
    "list subscriptions": "2022-12-01",
    "permissions": "2022-04-01",
    "alert rules": "2020-10-01",
    "action group": "2023-01-01",
    "role assignments": "2022-04-01",
    "role definition": "2022-04-01",
}
"""The newest by kind of call; every other call is Microsoft.Compute's."""

_VERSION = re.compile(r"(\d{4}-\d{2}-\d{2})(-preview)?", re.ASCII)


def check(call: Call, asked: str) -> None:
    """Raises Refusal, as Azure does, unless the call is made in a version it is answered in."""
    if not asked:
        raise bad_request(
            "The api-version query parameter (?api-version=) is required for all requests.",
            "MissingApiVersionParameter",
        )
    newest = OTHERS.get(call.kind, COMPUTE)
    if not _published(asked, newest):
        raise bad_request(
            f"No registered resource provider found for API version '{asked}' for '{call.kind}'. "
            f"The newest supported api-version is '{newest}'.",
            "NoRegisteredProviderFound",
        )


def _published(asked: str, newest: str) -> bool:
    """Versions are dates; ISO dates sort as text."""
    found = _VERSION.fullmatch(asked)
    if found is None:
        return False
    try:
        date.fromisoformat(found[1])
    except ValueError:
        return False
    return found[1] <= newest
