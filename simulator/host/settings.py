"""host.json, the parts of it this host honours, with the real host's defaults."""

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path


class HostJsonError(ValueError):
    """host.json cannot be read; the message says which setting and what it should look like."""


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """`extensions.queues`."""

    batch_size: int = 16
    new_batch_threshold: int = 8
    max_dequeue_count: int = 5
    visibility_timeout: timedelta = timedelta(0)
    max_polling_interval: timedelta = timedelta(minutes=1)
    base64: bool = True


@dataclass(frozen=True, slots=True)
class HostSettings:
    """What host.json says."""

    route_prefix: str = "api"
    function_timeout: timedelta = timedelta(minutes=30)
    queues: QueueSettings = QueueSettings()


@dataclass(frozen=True, slots=True)
class Switches:
    """What a person or a test sets about the host itself; None leaves what host.json says.

    `lock`: how long a taken message stays invisible unless renewed, whole seconds. `timeout`: functionTimeout.
    `retry`: visibilityTimeout, after which a failed message is tried again. `level`: the lowest of the log that is
    shown. `wire`: a file for every message between host and worker.
    """

    lock: timedelta = timedelta(minutes=10)
    timeout: timedelta | None = None
    retry: timedelta | None = None
    level: str = "WARNING"
    wire: Path | None = None

    def over(self, said: HostSettings) -> HostSettings:
        """host.json's settings with what is set here in their place."""
        if self.timeout is not None:
            said = replace(said, function_timeout=self.timeout)
        if self.retry is not None:
            said = replace(said, queues=replace(said.queues, visibility_timeout=self.retry))
        return said


def read(directory: Path) -> HostSettings:
    """Read the app's host.json.

    Raises:
        HostJsonError: it is missing or a setting has the wrong form.
    """
    path = directory / "host.json"
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise HostJsonError(f"{path} is missing; the real host does not start without it either.") from None
    except ValueError as wrong:
        raise HostJsonError(f"{path} is not JSON: {wrong}") from None
    extensions = said.get("extensions", {})
    queues = extensions.get("queues", {})
    default = QueueSettings()
    batch_size = int(queues.get("batchSize", default.batch_size))
    if not 1 <= batch_size <= 32:
        raise HostJsonError(f"extensions.queues.batchSize is {batch_size}; storage hands out 1 to 32.")
    return HostSettings(
        route_prefix=extensions.get("http", {}).get("routePrefix", "api").strip("/"),
        function_timeout=_duration(said, "functionTimeout", HostSettings().function_timeout),
        queues=QueueSettings(
            batch_size=batch_size,
            new_batch_threshold=int(queues.get("newBatchThreshold", batch_size // 2)),
            max_dequeue_count=int(queues.get("maxDequeueCount", default.max_dequeue_count)),
            visibility_timeout=_duration(queues, "visibilityTimeout", default.visibility_timeout),
            max_polling_interval=_duration(queues, "maxPollingInterval", default.max_polling_interval),
            base64=queues.get("messageEncoding", "base64").lower() == "base64",
        ),
    )


def _duration(said: dict[str, str], name: str, default: timedelta) -> timedelta:
    """.NET's hh:mm:ss; a fraction of a second is allowed, days are not needed here."""
    if name not in said:
        return default
    try:
        hours, minutes, seconds = said[name].split(":")
        return timedelta(hours=int(hours), minutes=int(minutes), seconds=float(seconds))
    except ValueError:
        raise HostJsonError(f"{name} is {said[name]!r}; it should look like 00:00:30.") from None
