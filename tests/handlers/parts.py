"""What the tests of the stages share: a clock, a fake Azure, queues that remember, alerts made to order."""

import copy
import hashlib
import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from handlers.cloud.names import SWEEP_STATE, run_path
from handlers.cloud.queues import Queues
from handlers.wire.documents import encode, run_metadata
from handlers.wire.messages import Message
from handlers.wire.settings import Settings
from handlers.wiring import Wiring
from planner.azure.fleet import Orchestration, ScaleSet
from planner.policy.model import Policy
from planner.record.batch import Batch
from planner.record.instance import InstanceProgress
from planner.record.run import Run, Target, Verdict
from planner.record.states import RunState
from tests.altered import made
from tests.places import SAMPLES

SUBSCRIPTION = "aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e"
OTHER = "bbbb0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class Clock:
    def __init__(self, at: datetime = NOW) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **span: float) -> None:
        self.at += timedelta(**span)


class FakeCompute:
    """Lists what it is given, or raises; counts what it is asked.

    Extra look-ups find the scale sets' resource groups, and whatever `lists` and `tables` have by a word of
    the path or of the query; an exception there is raised.
    """

    subscription = SUBSCRIPTION

    def __init__(self, *sets: ScaleSet) -> None:
        self.sets = list(sets)
        self.trouble: Exception | None = None
        self.rows: list[dict[str, Any]] = []
        self.listings = 0
        self.posts: list[tuple[str, dict[str, Any]]] = []
        self.lists: dict[str, Any] = {}
        self.tables: dict[str, Any] = {}
        self.looked: list[str] = []

    async def scale_sets(self, start: str = "") -> AsyncIterator[tuple[list[ScaleSet], str]]:
        self.listings += 1
        if self.trouble is not None:
            raise self.trouble
        yield list(self.sets), ""

    async def pages(self, path: str) -> AsyncIterator[list[dict[str, Any]]]:
        self.looked.append(path)
        groups = [{"name": name} for name in {one.resource_group for one in self.sets}]
        known = self.lists if "resourcegroups?" not in path else {"resourcegroups": groups, **self.lists}
        yield self._found(path, known)

    def _found(self, asked: str, known: dict[str, Any]) -> list[dict[str, Any]]:
        found = next((value for word, value in known.items() if word.lower() in asked.lower()), [])
        if isinstance(found, Exception):
            raise found
        return found

    async def post_json(self, path: str, payload: dict[str, Any]) -> dict[str, Any]:
        if not payload["query"].startswith("servicehealthresources"):
            self.looked.append(payload["query"])
            return {"data": self._found(payload["query"], self.tables)}
        self.posts.append((path, payload))
        if self.trouble is not None:
            raise self.trouble
        return {"totalRecords": len(self.rows), "data": self.rows}


class SpyQueues(Queues):
    """The real queues, remembering what was sent with which delay."""

    sent: list[tuple[str, Message, timedelta]]

    async def send(self, queue: str, message: Message, *, delay: timedelta = timedelta(0)) -> None:
        await super().send(queue, message, delay=delay)
        self.__dict__.setdefault("sent", []).append((queue, message, delay))

    async def send_together(
        self, queue: str, messages: Sequence[Message], *, delay: timedelta = timedelta(0)
    ) -> None:
        await super().send_together(queue, messages, delay=delay)
        self.__dict__.setdefault("sent", []).extend((queue, message, delay) for message in messages)

    def of(self, queue: str) -> list[Message]:
        return [message for name, message, _ in self.__dict__.get("sent", []) if name == queue]

    def delays(self, queue: str) -> list[timedelta]:
        return [delay for name, _, delay in self.__dict__.get("sent", []) if name == queue]

    def forget(self) -> None:
        self.__dict__.pop("sent", None)


class TestWiring(Wiring):
    """The real wiring over Azurite, with a fake Azure and a clock of the test's."""

    __test__ = False

    def __init__(self, storage: str, clock: Clock, **settings: Any) -> None:
        super().__init__(Settings(storage=storage, **settings), clock)
        self.clock = clock
        self.fake = FakeCompute()
        self.rules = Policy()
        self.__dict__["queues"] = SpyQueues.from_settings(self.settings)

    def compute(self, subscription: str) -> Any:
        return self.fake

    def policy(self) -> Policy:
        return self.rules

    @property
    def spy(self) -> SpyQueues:
        return self.__dict__["queues"]


def scale_set(name: str, location: str = "eastus2", group: str = "Prod-RG", **more: Any) -> ScaleSet:
    where = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers"
    arm_id = f"{where}/Microsoft.Compute/virtualMachineScaleSets/{name}"
    return ScaleSet(arm_id, SUBSCRIPTION, group, name, location, **more)


def run(name: str = "web", **more: Any) -> Run:
    one = scale_set(name)
    fields = {
        "target": Target(
            one.id, SUBSCRIPTION, one.resource_group, name, one.location, Orchestration.UNIFORM, 2
        ),
        "waves": ("VM12-3AB",),
        "state": RunState.SCHEDULED,
        "reason": "Waits for its lead time.",
        "verdict": Verdict.SELF_SERVICE,
        "due": NOW + timedelta(hours=1),
        "planned_at": NOW,
        "generation": 3,
        "checksum": "c0ffee",
        "batches": (Batch(1, "domain 0", (InstanceProgress("0"), InstanceProgress("1"))),),
    }
    return made(**(fields | more))


def sample(name: str) -> dict[str, Any]:
    return json.loads((SAMPLES / "alerts" / f"{name}.json").read_text())


def alert(schema: str = "common", **properties: Any) -> dict[str, Any]:
    """A planned-maintenance alert of ours; properties replace or (None) remove single ones."""
    raw = copy.deepcopy(sample(f"{schema}-maintenance-planned"))
    facts = event(raw)["properties"]
    for key, value in properties.items():
        facts[key] = value
        if value is None:
            del facts[key]
    return raw


def event(raw: dict[str, Any]) -> dict[str, Any]:
    data = raw["data"]
    if "alertContext" in data:
        return data["alertContext"]
    return data["context"]["activityLog"] if "context" in data else data


def body(raw: Any) -> bytes:
    return json.dumps(raw).encode()


def later(raw: dict[str, Any], *, hours: float, communication: str, **properties: Any) -> dict[str, Any]:
    """The next communication about the same wave, so many hours after the sample's."""
    raw = copy.deepcopy(raw)
    one = event(raw)
    for key in ("eventTimestamp", "submissionTimestamp"):
        one[key] = (datetime.fromisoformat(one[key]) + timedelta(hours=hours)).isoformat()
    one["properties"] |= {"communicationId": communication, **properties}
    return raw


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def at_present(storage: str) -> TestWiring:
    """Over a clock that begins now: storage stamps its documents with the time it is."""
    return TestWiring(storage, Clock(datetime.now(UTC)), subscriptions=SUBSCRIPTION)


async def put(wiring: Wiring, one: Run) -> str:
    """Put a run on record, whatever stands there; its path."""
    path = run_path(one.target.subscription, one.target.resource_group, one.target.name)
    stored = await wiring.records.read(path)
    await wiring.records.write(path, encode(one), etag=stored and stored.etag, metadata=run_metadata(one))
    return path


async def state(wiring: Wiring) -> Any:
    """What the sweep remembers."""
    return json.loads((await wiring.records.read(SWEEP_STATE)).body)
