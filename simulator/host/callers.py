"""Who calls an HTTP function, and how the host tells the worker."""

from dataclasses import dataclass
from typing import Any

from simulator.host.protocol import protocol

_NAME = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name"
_ROLE = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"
_CLAIMS = "http://schemas.microsoft.com/2017/07/functions/claims"


@dataclass(frozen=True, slots=True)
class Caller:
    """The level that a key gives, as Azure spells it, and the key's name; empty without a key."""

    level: str = ""
    key_name: str = ""

    def identity(self) -> Any:
        """The RpcClaimsIdentity that goes along with each request."""
        pb = protocol()
        identity = pb.RpcClaimsIdentity()
        identity.name_claim_type.value = _NAME
        identity.role_claim_type.value = _ROLE
        if self.level:
            identity.authentication_type.value = "WebJobsAuthLevel"
            said = {"authlevel": self.level, "invoke": "true", "keyid": self.key_name}
            for kind, value in said.items():
                identity.claims.add(value=value, type=f"{_CLAIMS}/{kind}")
        return identity


NOBODY = Caller()
