"""What sets a function off, encoded as the .NET host puts it on the wire."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from simulator.host.protocol import protocol

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Trigger(Protocol):
    """Something a function can be invoked with."""

    def data(self) -> Any:
        """The trigger's value, a TypedData."""
        ...

    def metadata(self) -> dict[str, Any]:
        """The trigger metadata, TypedData by name."""
        ...


@dataclass(frozen=True, slots=True)
class HttpCall:
    """One request; header names in lower case, `params` from the route, empty bodies stay unset."""

    method: str = "GET"
    url: str = "http://127.0.0.1/api"
    headers: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def data(self) -> Any:
        """The request as TypedData.http."""
        pb = protocol()
        http = pb.RpcHttp(
            method=self.method,
            url=self.url,
            headers={name.lower(): value for name, value in self.headers.items()},
            params=dict(self.params),
            query=dict(self.query),
        )
        if self.body:
            http.body.bytes = self.body
        return pb.TypedData(http=http)

    def metadata(self) -> dict[str, Any]:
        """Nothing: the host stopped sending HTTP metadata when the worker said it need not."""
        return {}


@dataclass(frozen=True, slots=True)
class QueueItem:
    """One queue message, decoded; times are aware UTC."""

    body: str
    queue: str = ""
    id: str = "00000000-0000-0000-0000-000000000000"
    pop_receipt: str = ""
    dequeue_count: int = 1
    inserted_at: datetime = _EPOCH
    expires_at: datetime = _EPOCH
    next_visible_at: datetime = _EPOCH

    def data(self) -> Any:
        """The body as TypedData.string."""
        return protocol().TypedData(string=self.body)

    def metadata(self) -> dict[str, Any]:
        """Strings as strings, numbers and times as JSON."""
        typed = protocol().TypedData
        return {
            "Id": typed(string=self.id),
            "PopReceipt": typed(string=self.pop_receipt),
            "QueueTrigger": typed(string=self.body),
            "DequeueCount": typed(json=json.dumps(self.dequeue_count)),
            "InsertionTime": typed(json=json.dumps(self.inserted_at.isoformat())),
            "ExpirationTime": typed(json=json.dumps(self.expires_at.isoformat())),
            "NextVisibleTime": typed(json=json.dumps(self.next_visible_at.isoformat())),
        }


@dataclass(frozen=True, slots=True)
class TimerTick:
    """One occurrence of a schedule; times are aware UTC, `last` is None before the first."""

    next: datetime
    last: datetime | None = None
    past_due: bool = False

    def data(self) -> Any:
        """The occurrence as TypedData.json."""
        last = (self.last or _EPOCH).isoformat()
        status = {"Last": last, "Next": self.next.isoformat(), "LastUpdated": last}
        tick = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": status, "IsPastDue": self.past_due}
        return protocol().TypedData(json=json.dumps(tick))

    def metadata(self) -> dict[str, Any]:
        """Nothing."""
        return {}
