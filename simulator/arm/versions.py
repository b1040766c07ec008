"""The api-version each call is answered in; Azure answers no other than those it has published.

One a service: the one whose shapes are written here. A call in any other is refused, so that a slip in a
version shows here before it does in Azure.
"""

from simulator.arm.answers import bad_request
from simulator.arm.routes import Call

COMPUTE = "2026-04-01"
OTHERS = {
    "resource graph": "2021-03-01",
    "activity log": "2015-04-01",
    "autoscale settings": "2022-10-01",
    "auto-shutdown schedules": "2018-09-15",
    "resource groups": "2021-04-01",
}
"""By kind of call; every other call is Microsoft.Compute's."""


def check(call: Call, asked: str) -> None:
    """Raises Refusal, as Azure does, unless the call is made in the version it is answered in."""
    if not asked:
        raise bad_request(
            "The api-version query parameter (?api-version=) is required for all requests.",
            "MissingApiVersionParameter",
        )
    answered = OTHERS.get(call.kind, COMPUTE)
    if asked != answered:
        raise bad_request(
            f"No registered resource provider found for API version '{asked}' for '{call.kind}'. "
            f"The supported api-versions are '{answered}'.",
            "NoRegisteredProviderFound",
        )
