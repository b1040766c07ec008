"""Managed identity as App Service serves it (api 2019-08-01), and the tokens ARM accepts.

Tokens live in real time, whatever the fleet's clock shows: the client that keeps them does.
"""

import secrets
import time
from typing import Any

from simulator.arm.answers import Refusal

LIFETIME = 24 * 3600
AUDIENCES = frozenset({"https://management.azure.com", "https://management.core.windows.net"})


class Identity:
    def __init__(self) -> None:
        self.header = secrets.token_hex(16)
        self._tokens: dict[str, tuple[str, float]] = {}
        self.token = self.issue("https://management.azure.com/", "")["access_token"]

    def issue(self, resource: str, client_id: str) -> dict[str, Any]:
        """A token for a resource, in the protocol's answer."""
        token = secrets.token_urlsafe(48)
        expires = time.time() + LIFETIME
        self._tokens[token] = (resource.rstrip("/"), expires)
        return {
            "access_token": token,
            "client_id": client_id or "00000000-0000-0000-0000-000000000001",
            "expires_on": str(int(expires)),
            "not_before": str(int(time.time()) - 300),
            "resource": resource,
            "token_type": "Bearer",
        }

    def answer(self, header: str | None, query: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Status and body of a call to the identity endpoint."""
        if header != self.header:
            return 401, {"statusCode": 401, "message": "X-IDENTITY-HEADER is missing or wrong"}
        if query.get("api-version") != "2019-08-01" or not query.get("resource"):
            return 400, {"statusCode": 400, "message": "resource and api-version=2019-08-01 are required"}
        return 200, self.issue(query["resource"], query.get("client_id", ""))

    def check(self, authorization: str | None) -> None:
        """Raises Refusal unless the header carries one of our tokens, meant for ARM and not expired."""
        scheme, _, token = (authorization or "").partition(" ")
        audience, expires = self._tokens.get(token, ("", 0.0))
        if scheme.lower() != "bearer" or not token:
            raise self._refuse("AuthenticationFailed", "The 'Authorization' header is missing.")
        if expires < time.time():
            raise self._refuse("ExpiredAuthenticationToken", "The access token is unknown or expired.")
        if audience not in AUDIENCES:
            raise self._refuse(
                "InvalidAuthenticationTokenAudience", f"The access token is for {audience!r}, not for ARM."
            )

    @staticmethod
    def _refuse(code: str, message: str) -> Refusal:
        challenge = (
            'Bearer authorization_uri="https://login.microsoftonline.com/simulated", '
            f'error="invalid_token", error_description="{message}"'
        )
        return Refusal(401, code, message, {"WWW-Authenticate": challenge})
