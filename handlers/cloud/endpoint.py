"""Addresses that Azure hands out: followed on the management endpoint and nowhere else.

ARM writes next pages and operations with the default port in some answers
(`https://management.azure.com:443/...`, JulianHayward/AzAPICall#8) and without it in others (RFC 3986 section
6.2.3: both name the same thing).
"""

from urllib.parse import SplitResult, urlsplit

_PORTS = {"http": 80, "https": 443}


def on_endpoint(address: str, endpoint: str) -> str | None:
    """The address on `endpoint`; None when its scheme, host or effective port differ.

    The result is always the endpoint itself with the address's path and query: however another URL parser
    would read the address, the token is sent to no other host.
    """
    there, here = _origin(address), _origin(endpoint)
    if there is None or here is None or there[0] != here[0]:
        return None
    parts, base = there[1], here[1].path.rstrip("/")
    if not parts.path.startswith(f"{base}/"):
        return None
    query = f"?{parts.query}" if parts.query else ""
    return f"{endpoint.rstrip('/')}{parts.path.removeprefix(base)}{query}"


def host_of(address: str) -> str:
    """Where an address leads, for people."""
    try:
        return urlsplit(address).netloc[:200] or "none"
    except ValueError:
        return "an address that cannot be read"


def _origin(address: str) -> tuple[tuple[str, str, int], SplitResult] | None:
    """Scheme, host and effective port of an address; None for an invalid one or one that names a user."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not host or "@" in parts.netloc:
        return None
    return (parts.scheme, host, _PORTS[parts.scheme] if port is None else port), parts
