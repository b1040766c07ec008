"""The Azure of a drill: invented instances that reboot by the clock. It has no connection to anything.

It answers what `handlers.cloud.compute.Compute` answers, from the drill's record alone: no client, no token,
no address. What is started here is a line in that record.
"""

from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import Any

from handlers.cloud.accepted import Accepted
from handlers.cloud.errors import NotFound, Refused, Unreachable
from handlers.cloud.names import drill_path
from handlers.cloud.storage import Conflict
from handlers.wire.drill_record import DrillRecord, PlayedSet, arm_id
from planner.azure.drill import is_drill
from planner.azure.fleet import (
    Health,
    Instance,
    Interval,
    MaintenanceStatus,
    Power,
    Provisioning,
    ScaleSet,
)
from planner.record.observation import OperationSeen, OperationStatus

REBOOT, RECOVERY = timedelta(seconds=30), timedelta(seconds=45)
"""How long an instance is down after its start, and after how long its application is healthy."""

ILL = timedelta(minutes=10)
"""How long the instance that does not come back stays unhealthy."""

APART = timedelta(seconds=20)
"""Between two instances in Azure's own turn."""

TRIES = 5


class PlayedAzure:
    """One drill. `records` and `now` are all it is given. Raises ValueError for no drill's."""

    def __init__(self, subscription: str, records: Callable[[], Any], now: Callable[[], datetime]) -> None:
        if not is_drill(subscription):
            raise ValueError("Only a drill is played.")
        self.subscription = subscription
        self._records = records
        self._now = now

    async def ready(self) -> None:
        """Nothing has to be fetched."""

    async def close(self) -> None:
        """Nothing is open."""

    async def scale_sets(self, start: str = "") -> AsyncIterator[tuple[list[ScaleSet], str]]:
        """The drill's scale sets on one page, none before it is on record."""
        del start
        drill, _ = await self._read()
        yield [self._shown(played) for played in drill.scale_sets] if drill is not None else [], ""

    async def scale_set(self, arm_id: str) -> ScaleSet:
        """One of them; NotFound when the drill has none of this id."""
        _, played = await self._find(arm_id)
        return self._shown(played)

    async def rolling_upgrade(self, arm_id: str) -> str:
        """There is none in a drill."""
        await self._find(arm_id)
        return ""

    async def repairs(self, arm_id: str) -> str:
        """There are none in a drill."""
        await self._find(arm_id)
        return ""

    async def set_repairs(self, arm_id: str, *, suspend: bool) -> None:
        """Never asked for: no played scale set has automatic repairs."""
        del suspend
        raise Refused("NotPlayed", f"{arm_id} is played and has no automatic repairs.")

    async def instances(self, scale_set: ScaleSet) -> tuple[Instance, ...]:
        """Its instances as they are now."""
        drill, played = await self._find(scale_set.id)
        return tuple(self._instance(drill, played, number) for number in range(played.instances))

    async def instance(self, scale_set: ScaleSet, instance: str) -> Instance:
        """One of them; NotFound when there is none of this id."""
        drill, played = await self._find(scale_set.id)
        if not (instance.isdecimal() and int(instance) < played.instances):
            raise NotFound(f"InstanceNotFound: the drill has no instance {instance[:40]}.")
        return self._instance(drill, played, int(instance))

    async def start(self, scale_set: ScaleSet, instance: str) -> Accepted:
        """Write down that it was started now. Raises Refused outside of the window, Unreachable, NotFound."""
        for _ in range(TRIES):
            shown = await self.instance(scale_set, instance)
            if shown.status is None or not shown.status.allowed:
                raise Refused("MaintenanceNotAllowed", "It is not due in this drill.")
            drill, etag = await self._read()
            assert drill is not None
            starts = {**drill.starts, _key(scale_set.id, instance): self._now()}
            made = drill.model_copy(update={"starts": starts})
            try:
                await self._records().write(
                    self._path, made.model_dump_json().encode(), etag=etag, metadata=made.metadata
                )
            except Conflict:
                continue
            return Accepted(operation=f"played:{_key(scale_set.id, instance)}")
        raise Unreachable("The drill's record is written by others again and again.")

    async def operation(self, address: str) -> OperationSeen:
        """Under way until its reboot is over."""
        drill, _ = await self._read()
        at = drill.starts.get(address.removeprefix("played:")) if drill is not None else None
        if at is None:
            return OperationSeen(OperationStatus.UNKNOWN, message="The drill knows no such start.")
        going = self._now() - at < REBOOT
        return OperationSeen(OperationStatus.IN_PROGRESS if going else OperationStatus.SUCCEEDED)

    async def pages(self, path: str) -> AsyncIterator[list[dict[str, Any]]]:
        """For the extra look-ups: the resource groups, and of everything else that nothing ever happened."""
        drill, _ = await self._read()
        groups = sorted({each.resource_group for each in drill.scale_sets}) if drill is not None else []
        asked = "/resourcegroups?" in path.lower()
        yield [{"name": name, "location": "westeurope"} for name in groups] if asked else []

    async def post_json(self, path: str, payload: dict[str, Any]) -> dict[str, Any]:
        """For the extra look-ups: Resource Graph knows nothing of a drill."""
        del path, payload
        return {"data": []}

    @property
    def _path(self) -> str:
        return drill_path(self.subscription)

    async def _read(self) -> tuple[DrillRecord | None, str | None]:
        stored = await self._records().read(self._path)
        if stored is None:
            return None, None
        return DrillRecord.model_validate_json(stored.body), stored.etag

    async def _find(self, wanted: str) -> tuple[DrillRecord, PlayedSet]:
        drill, _ = await self._read()
        for played in drill.scale_sets if drill is not None else ():
            if arm_id(self.subscription, played).lower() == wanted.lower():
                assert drill is not None
                return drill, played
        raise NotFound("ResourceNotFound: this drill has no such scale set.")

    def _shown(self, played: PlayedSet) -> ScaleSet:
        return ScaleSet(
            arm_id(self.subscription, played),
            self.subscription,
            played.resource_group,
            played.name,
            played.location,
            tags=dict(played.tags),
        )

    def _instance(self, drill: DrillRecord, played: PlayedSet, number: int) -> Instance:
        now, key = self._now(), str(number)
        at = drill.starts.get(_key(arm_id(self.subscription, played), key)) or _azures_turn(
            drill, number, now
        )
        since = now - at if at is not None else None
        down = since is not None and since < REBOOT
        ill = since is not None and since < (ILL if played.fails == key else RECOVERY)
        return Instance(
            key,
            update_domain=number % 5,
            power=Power.STOPPED if down else Power.RUNNING,
            provisioning="updating" if down else Provisioning.SUCCEEDED,
            health=Health.UNHEALTHY if ill else Health.HEALTHY,
            created=drill.began_at - timedelta(days=30),
            maintenance=None
            if now >= drill.ends_at or (since is not None and not down)
            else _status(drill, now, due=at is None),
        )


def _status(drill: DrillRecord, now: datetime, *, due: bool) -> MaintenanceStatus:
    closes = _closes(drill)
    ours = Interval(drill.began_at, closes)
    theirs = Interval(closes, max(drill.ends_at, closes + APART))
    return MaintenanceStatus(due and now in ours, ours, theirs)


def _closes(drill: DrillRecord) -> datetime:
    """When its self-service window closes: the last quarter is Azure's own turn."""
    return drill.began_at + (drill.ends_at - drill.began_at) * 3 / 4


def _azures_turn(drill: DrillRecord, number: int, now: datetime) -> datetime | None:
    at = _closes(drill) + number * APART
    return at if at <= now else None


def _key(arm_id_: str, instance: str) -> str:
    return f"{arm_id_.lower()}/{instance}"
