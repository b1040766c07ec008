"""The W3C trace context of a request: https://www.w3.org/TR/trace-context/."""

import re
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from simulator.host.protocol import protocol

_PARENT = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


def about_request(method: str, url: str, headers: Mapping[str, str]) -> Any:
    """The RpcTraceContext of a request; header names in lower case."""
    found = _PARENT.fullmatch(headers.get("traceparent", ""))
    trace_id = found[1] if found else secrets.token_hex(16)
    asked = urlsplit(url)
    attributes = {
        "http.request.method": method,
        "network.protocol.version": "1.1",
        "url.scheme": asked.scheme,
        "url.path": asked.path,
        "server.address": asked.hostname or "",
    }
    if agent := headers.get("user-agent"):
        attributes["user_agent.original"] = agent
    if asked.query:
        names = (pair.partition("=")[0] for pair in asked.query.split("&"))
        attributes["url.query"] = "?" + "&".join(f"{name}=Redacted" for name in names)
    return protocol().RpcTraceContext(
        trace_parent=f"00-{trace_id}-{secrets.token_hex(8)}-01",
        trace_state=headers.get("tracestate", ""),
        attributes=attributes,
    )
