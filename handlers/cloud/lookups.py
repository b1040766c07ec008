"""The extra look-ups of a wave: how the scale sets of one subscription have lived lately.

A fixed number of lists, whatever the number of scale sets, read side by side. What may not be read is said
with the role that is missing; what a later try may read better is told apart from it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from handlers.cloud import activity, around
from handlers.cloud.errors import AzureTrouble, Forbidden, NotFound, Refused, Throttled, Unreachable
from handlers.cloud.notes import Notes, machine
from handlers.cloud.reading import ReadsArm
from planner.fleet import ScaleSet
from planner.habits import LOOK_BACK, Evidence, Source

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Right:
    """What is read, the action it takes, and the least of Azure's own roles that has it."""

    what: str
    action: str
    role: str


GRAPH = "Microsoft.ResourceGraph/resources/read"
RIGHTS: Mapping[Source, Right] = {
    Source.ACTIVITY_LOG: Right(
        "the activity log", "Microsoft.Insights/eventtypes/values/read", "Monitoring Reader"
    ),
    Source.CHANGES: Right("the changes of resources", GRAPH, "Reader"),
    Source.AUTOSCALE: Right(
        "the autoscale settings", "Microsoft.Insights/autoscaleSettings/read", "Monitoring Reader"
    ),
    Source.SCHEDULES: Right("the auto-shutdown schedules", "Microsoft.DevTestLab/schedules/read", "Reader"),
    Source.GROUPS: Right(
        "the resource groups", "Microsoft.Resources/subscriptions/resourceGroups/read", "Reader"
    ),
}
MACHINES = Right("which machines belong to Flexible scale sets", GRAPH, "Reader")

UNREGISTERED = "MissingSubscriptionRegistration"
"""Nothing can exist of a provider that the subscription has never registered."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found, and the trouble of a source that is unread now but may be read later, if any."""

    evidence: Evidence
    trouble: AzureTrouble | None


async def look_up(
    arm: ReadsArm, scale_sets: Collection[ScaleSet], now: datetime, listed: Collection[ScaleSet] = ()
) -> Looked:
    """Look up these scale sets of one subscription as of `now` (aware UTC); `listed` were there a moment ago.

    Raises nothing: what cannot be read is unread, with a sentence.
    """
    look = _Look(arm, scale_sets, listed, now)
    await look.over()
    troubles = [trouble for _, trouble in look.later.values()]
    waits = [one for one in troubles if isinstance(one, Throttled)]
    for source, (right, trouble) in look.later.items():
        look.say(source, _unread(right, trouble))
    evidence = Evidence(
        at=now,
        since=look.since,
        unread=dict(sorted(look.unread.items())),
        scale_sets=look.notes.habits(scale_sets, look.machines),
    )
    longest = max(waits, key=lambda one: one.retry_after, default=None)
    return Looked(evidence, longest or next(iter(troubles), None))


class _Look:
    """One look at all sources. `later` has the trouble of those that a later try may read."""

    def __init__(
        self, arm: ReadsArm, scale_sets: Collection[ScaleSet], listed: Collection[ScaleSet], now: datetime
    ) -> None:
        self.arm, self.scale_sets, self.listed = arm, scale_sets, listed
        self.now, self.since = now, now - LOOK_BACK
        self.notes = Notes()
        self.machines: Mapping[str, str] = {}
        self.unread: dict[Source, str] = {}
        self.later: dict[Source, tuple[Right, AzureTrouble]] = {}

    async def over(self) -> None:
        await asyncio.gather(
            self._read(self._log(activity.stops), Source.ACTIVITY_LOG),
            self._read(self._log(activity.scale_ins), Source.ACTIVITY_LOG),
            self._read(around.changes(self.arm, self.notes), Source.CHANGES),
            self._read(around.autoscale(self.arm, self.notes), Source.AUTOSCALE),
            self._read(around.schedules(self.arm, self.notes), Source.SCHEDULES),
            self._read(self._groups(), Source.GROUPS),
        )
        about = self._about_machines()
        if about:
            await self._read(self._machines(), *about, right=MACHINES)

    def say(self, source: Source, why: str) -> None:
        """A source is unread, or not all of it is read; several reasons stand one after the other."""
        known = self.unread.get(source, "")
        if why not in known:
            self.unread[source] = f"{known} {why}".strip()

    async def _read(self, reading: Awaitable[None], *sources: Source, right: Right | None = None) -> None:
        right = right or RIGHTS[sources[0]]
        try:
            await reading
        except Forbidden:
            for one in sources:
                self.say(one, f"Breakwater may not read {right.what}: {self._missing(right)}")
        except (Refused, NotFound) as error:
            if not (isinstance(error, Refused) and error.code == UNREGISTERED):
                for one in sources:
                    self.say(one, _unread(right, error))
        except AzureTrouble as error:
            self.later |= dict.fromkeys(sources, (right, error))
        except Exception:
            # Whatever it is, a wave is worth more than what is looked up for it.
            log.exception("look_up.failed", extra={"what": right.what, "subscription": self.arm.subscription})
            odd = Unreachable("Something unexpected went wrong; the log has the details.")
            self.later |= dict.fromkeys(sources, (right, odd))

    def _missing(self, right: Right) -> str:
        return (
            f"{right.action} on subscription {self.arm.subscription} is missing. Breakwater's own role has "
            f"it (docs/deploy.md), and so has Azure's role {right.role}."
        )

    async def _log(self, reading: Callable[[ReadsArm, datetime, datetime, Notes], Awaitable[str]]) -> None:
        longer = await reading(self.arm, self.since, self.now, self.notes)
        if longer:
            self.say(Source.ACTIVITY_LOG, longer)

    async def _groups(self) -> None:
        await around.groups(self.arm, self.notes)
        # Azure lists the groups it shows us and doesn't say that there are others; what was listed must be
        # in one. A scale set that was not listed now may be gone with its group.
        sure = self.listed or (() if self.notes.groups else self.scale_sets)
        hidden = sorted(
            {one.resource_group for one in sure if one.resource_group.lower() not in self.notes.groups}
        )
        if hidden:
            some = ", ".join(hidden[:3]) + (f" and {len(hidden) - 3} more" if len(hidden) > 3 else "")
            right = RIGHTS[Source.GROUPS]
            self.say(
                Source.GROUPS, f"Azure does not show Breakwater resource group {some}: {self._missing(right)}"
            )

    def _about_machines(self) -> list[Source]:
        """The sources that spoke of machines which may be of a Flexible scale set."""
        if not any(one.flexible for one in self.scale_sets):
            return []
        said = {
            Source.ACTIVITY_LOG: (one.target for one in self.notes.stops),
            Source.CHANGES: (target for target, _ in self.notes.healed),
            Source.SCHEDULES: (target for target, _ in self.notes.shutdown),
        }
        return [source for source, targets in said.items() if any(map(machine, targets))]

    async def _machines(self) -> None:
        self.machines = await around.machines(self.arm)


def _unread(right: Right, trouble: AzureTrouble) -> str:
    what = right.what[:1].upper() + right.what[1:]
    return f"{what} could not be read: {trouble.sentence}"
