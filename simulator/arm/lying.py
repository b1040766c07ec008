"""The HTTP face of the lies: which call is about what, and bodies distorted on their way out."""

import json
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from simulator.arm.answers import Refusal, Reply, Request
from simulator.arm.compute import SET_FILTER
from simulator.arm.routes import Call
from simulator.lies import Liar

PORTS = {"http": 80, "https": 443}
ADDRESSES = ("Azure-AsyncOperation", "Location")


def before(liar: Liar, call: Call, request: Request) -> Reply | None:
    """What is answered in place of the truth, None when the call goes through; raises Refusal."""
    continued = "$skiptoken" in {key.lower() for key in request.query}
    told = liar.instead(call.kind, _thing(call, request), continued=continued)
    if told is None:
        return None
    if not told.status:
        return Reply(dropped=True)
    wait = {"Retry-After": str(max(1, round(told.retry_after.total_seconds())))} if told.retry_after else {}
    raise Refusal(told.status, told.code, told.message, wait)


def after(liar: Liar, call: Call, request: Request, reply: Reply) -> Reply:
    """The reply as it is told; one without a body, or of a kind nobody lies about, is as it was."""
    if call.kind == "start" and liar.happens("odd-address"):
        reply.headers |= {key: spelled(reply.headers[key]) for key in ADDRESSES if key in reply.headers}
    if not reply.body or reply.status != 200:
        return reply
    match call.kind:
        case "list instances" | "list virtual machines" | "list scale sets":
            body = _page(liar, call, json.loads(reply.body))
        case "get instance" | "get virtual machine":
            body = liar.instance(json.loads(reply.body))
        case "instance view":
            body = liar.view(_thing(call, request), json.loads(reply.body))
        case "get scale set":
            body = liar.scale_set(json.loads(reply.body))
        case "resource graph":
            body = json.loads(reply.body)
            rows = liar.graph(body["data"])
            if len(rows) != len(body["data"]):
                body = {**body, "data": rows, "count": 0, "totalRecords": 0}
        case _:
            return reply
    reply.body = json.dumps(body, separators=(",", ":")).encode()
    return reply


def _page(liar: Liar, call: Call, body: dict[str, Any]) -> dict[str, Any]:
    link = body.get("nextLink")
    if call.kind == "list scale sets":
        told: dict[str, Any] = {"value": liar.scale_sets(body["value"], whole=not link)}
        ends = bool(link) and liar.happens("missing-set")
    else:
        told = {"value": liar.instances(body["value"], whole=not link)}
        # What comes on later pages is not known here; the next look has them again.
        ends = bool(link) and liar.happens("fewer-pages")
    if link and not ends:
        told["nextLink"] = spelled(link) if liar.happens("odd-address") else link
    return told


def spelled(address: str) -> str:
    """The same address, spelled as Azure sometimes does: host in capitals, the default port named."""
    parts = urlsplit(address)
    host = (parts.hostname or "").upper()
    port = parts.port or PORTS.get(parts.scheme, 0)
    return urlunsplit(parts._replace(netloc=f"{host}:{port}"))


def _thing(call: Call, request: Request) -> str:
    """The ARM id a call is about, lower case."""
    names, path = call.names, request.path.lower().rstrip("/")
    if call.kind == "operation":
        return names["operation"]
    if call.kind == "list virtual machines":
        asked = SET_FILTER.match(unquote(request.query.get("$filter", "")))
        return asked.group(1).lower() if asked else path
    if call.kind == "list instances":
        return path.removesuffix("/virtualmachines")
    return path.removesuffix("/instanceview")
