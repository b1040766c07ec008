"""What sets a function off, encoded as the .NET host puts it on the wire."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from simulator.host.callers import NOBODY, Caller
from simulator.host.protocol import protocol
from simulator.host.traces import about_request

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER = datetime(1, 1, 1, tzinfo=UTC)


class Trigger(Protocol):
    """Something a function can be invoked with."""

    def data(self) -> Any:
        """The trigger's value, a TypedData."""
        ...

    def metadata(self) -> dict[str, Any]:
        """The trigger metadata, TypedData by name."""
        ...

    def trace(self) -> Any:
        """Where the invocation belongs in a trace, an RpcTraceContext."""
        ...


@dataclass(frozen=True, slots=True)
class HttpCall:
    """One request. `headers` and `query` as sent, decoded, in order; `params` from the route."""

    method: str = "GET"
    url: str = "http://127.0.0.1/api"
    headers: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    query: Sequence[tuple[str, str]] = ()
    body: bytes = b""
    caller: Caller = NOBODY

    def data(self) -> Any:
        """The request as TypedData.http: header names in lower case, blank values of the query dropped."""
        pb = protocol()
        http = pb.RpcHttp(
            method=self.method,
            url=self.url,
            headers={name.lower(): value for name, value in self.headers.items()},
            params=dict(self.params),
            query=joined((name, value) for name, value in self.query if value),
            identities=[self.caller.identity()],
        )
        if self.body:  # an empty one stays unset
            http.body.bytes = self.body
        return pb.TypedData(http=http)

    def metadata(self) -> dict[str, Any]:
        """Headers and query as the host's own bindings see them, then each value by name, the route's last."""
        typed, last = protocol().TypedData, dict(self.query)
        return {
            "Headers": typed(json=_json(dict(self.headers))),
            "Query": typed(json=_json(last)),
            **{name: typed(string=value) for name, value in {**last, **self.params}.items()},
        }

    def trace(self) -> Any:
        """A span of its own, in the caller's trace where it sent one."""
        return about_request(
            self.method, self.url, {name.lower(): said for name, said in self.headers.items()}
        )


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
        """Strings as strings, numbers and times as JSON; what a JSON object says on its first level, too."""
        typed = protocol().TypedData
        return {
            **{name: typed(string=value) for name, value in _first_level(self.body).items()},
            "Id": typed(string=self.id),
            "PopReceipt": typed(string=self.pop_receipt),
            "QueueTrigger": typed(string=self.body),
            "DequeueCount": typed(json=_json(self.dequeue_count)),
            "InsertionTime": typed(json=_json(self.inserted_at.isoformat())),
            "ExpirationTime": typed(json=_json(self.expires_at.isoformat())),
            "NextVisibleTime": typed(json=_json(self.next_visible_at.isoformat())),
        }

    def trace(self) -> Any:
        """Nothing: a message carries no trace."""
        return protocol().RpcTraceContext()


@dataclass(frozen=True, slots=True)
class TimerStatus:
    """What is on record of a timer: when it last ran (None before the first time), runs next, was written."""

    last: datetime | None
    next: datetime
    updated: datetime


@dataclass(frozen=True, slots=True)
class TimerTick:
    """One occurrence of a schedule, `at` that moment (aware UTC).

    `status` is what was on record before it, so that `next` is this occurrence. The host keeps none for schedules of
    less than a minute.
    """

    at: datetime
    status: TimerStatus | None = None
    past_due: bool = False

    def data(self) -> Any:
        """The occurrence as TypedData.json."""
        status = self.status and {
            "Last": (self.status.last or _NEVER).isoformat(),
            "Next": self.status.next.isoformat(),
            "LastUpdated": self.status.updated.isoformat(),
        }
        tick = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": status, "IsPastDue": self.past_due}
        return protocol().TypedData(json=_json(tick))

    def metadata(self) -> dict[str, Any]:
        """The moment, as .NET writes it where no culture is set."""
        return {"TimerTrigger": protocol().TypedData(string=self.at.strftime("%m/%d/%Y %H:%M:%S"))}

    def trace(self) -> Any:
        """Nothing: a timer begins none."""
        return protocol().RpcTraceContext()


def joined(pairs: Any) -> dict[str, str]:
    """Names that come again, in whatever case, become one; their values are joined by commas."""
    names: dict[str, str] = {}
    values: dict[str, str] = {}
    for name, value in pairs:
        first = names.setdefault(name.lower(), name)
        values[first] = f"{values[first]},{value}" if first in values else value
    return values


def _first_level(body: str) -> dict[str, str]:
    """Strings and whole numbers of a JSON object by name; nothing of anything else.

    The real host takes other values over as well; how it writes those was not recorded.
    """
    try:
        said = json.loads(body) if body.lstrip().startswith("{") else {}
    except ValueError:
        return {}
    taken = {name: value for name, value in said.items() if isinstance(value, str | int)}
    return {name: str(value) for name, value in taken.items() if not isinstance(value, bool)}


def _json(said: Any) -> str:
    return json.dumps(said, separators=(",", ":"), ensure_ascii=False)
