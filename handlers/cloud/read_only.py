"""Keeps a client of Azure from changing anything: it lets reads pass and refuses the rest before they leave.

Resource Graph takes its queries by POST; that one address reads as well.
"""

from typing import Any
from urllib.parse import urlsplit

from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import SansIOHTTPPolicy

from handlers.cloud.errors import Refused

READS = frozenset({"GET", "HEAD"})
QUERIES = "/providers/microsoft.resourcegraph/resources"


class ReadOnly(SansIOHTTPPolicy[Any, Any]):
    """A policy for the front of a client's pipeline. Raises Refused for every request that is not a read."""

    def on_request(self, request: PipelineRequest[Any]) -> None:
        method, url = request.http_request.method.upper(), str(request.http_request.url)
        path = urlsplit(url).path
        if method in READS or (method == "POST" and path.rstrip("/").lower() == QUERIES):
            return
        raise Refused("ReadOnly", f"{method} {path} was not sent: this command only reads.")
