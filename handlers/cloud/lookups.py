"""The extra look-ups of a wave: what happened lately to the scale sets of one subscription.

A fixed number of lists, whatever the number of scale sets, read side by side. What Breakwater may not read is
named with the missing role; what a later try may read is kept apart from it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from handlers.cloud import activity, around
from handlers.cloud.errors import AzureTrouble, Forbidden, NotFound, Refused, Throttled, Unreachable
from handlers.cloud.notes import Notes, machine
from handlers.cloud.reading import Counted, ReadsArm
from handlers.cloud.rights import CHANGES
from handlers.log import logger
from planner.azure.fleet import ScaleSet
from planner.azure.usage import LOOK_BACK, Evidence, Source
from planner.text.phrases import long, many, upper

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Right:
    """What is read, the action that needs, and the least of Azure's own roles that has it."""

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

LISTS_WITHIN, MACHINES_WITHIN = timedelta(seconds=90), timedelta(seconds=20)
"""How long all lists together may take, and after them the owners of the machines in them."""

UNREGISTERED = "MissingSubscriptionRegistration"
"""A provider that the subscription has never registered has nothing to read."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found, and the trouble of a source that is unread now but may be read later, if any.

    `about` are the keys of the scale sets that were looked up.
    """

    evidence: Evidence
    trouble: AzureTrouble | None
    about: tuple[str, ...] = ()


async def look_up(
    arm: ReadsArm,
    scale_sets: Collection[ScaleSet],
    now: datetime,
    listed: Collection[ScaleSet] = (),
    *,
    within: timedelta = LISTS_WITHIN,
    lacking: Collection[str] = (),
) -> Looked:
    """Look up these scale sets of one subscription as of `now` (aware UTC); `listed` existed a moment ago.

    `lacking` are the rights that are known to be missing: without them an empty table proves nothing.

    Raises nothing: what cannot be read `within` that time is unread, with a sentence that says how much was
    read, and that much counts.
    """
    notes = Notes(now - LOOK_BACK, now)
    making = _LookUp(arm, scale_sets, listed, within, notes)
    await making.all()
    making.doubt(lacking)
    for source, (right, trouble) in making.later.items():
        making.say(_unread(right, trouble), source)
    evidence = Evidence(
        at=now,
        since=notes.since,
        unread=dict(sorted(making.unread.items())),
        scale_sets=notes.habits(scale_sets, making.machines),
    )
    troubles = [trouble for _, trouble in making.later.values()]
    throttled = [trouble for trouble in troubles if isinstance(trouble, Throttled)]
    longest = max(throttled, key=lambda trouble: trouble.retry_after, default=None)
    about = tuple(scale_set.key for scale_set in scale_sets)
    return Looked(evidence, longest or next(iter(troubles), None), about)


@dataclass
class _LookUp:
    """One reading of all sources. `later` has the trouble of those that a later try may read."""

    arm: ReadsArm
    scale_sets: Collection[ScaleSet]
    listed: Collection[ScaleSet]
    within: timedelta
    notes: Notes
    machines: Mapping[str, str] = field(default_factory=dict)
    unread: dict[Source, str] = field(default_factory=dict)
    later: dict[Source, tuple[Right, AzureTrouble]] = field(default_factory=dict)

    async def all(self) -> None:
        await asyncio.gather(
            self._read(partial(self._log, activity.stops), Source.ACTIVITY_LOG, events=activity.COMPUTE),
            self._read(partial(self._log, activity.scale_ins), Source.ACTIVITY_LOG, events=activity.INSIGHTS),
            self._read(partial(around.changes, notes=self.notes), Source.CHANGES),
            self._read(partial(around.autoscale, notes=self.notes), Source.AUTOSCALE),
            self._read(partial(around.schedules, notes=self.notes), Source.SCHEDULES),
            self._read(self._groups, Source.GROUPS),
        )
        about = self._about_machines()
        if about:
            self.within = min(self.within, MACHINES_WITHIN)
            await self._read(self._machines, *about, right=MACHINES)

    def doubt(self, lacking: Collection[str]) -> None:
        """Resource Graph refuses nothing: where a right is missing its table is empty."""
        for action in CHANGES:
            if action in lacking:
                right = Right(RIGHTS[Source.CHANGES].what, action, "Reader")
                self.say(f"Breakwater may not read {right.what}: {self._missing(right)}", Source.CHANGES)

    def say(self, why: str, *sources: Source) -> None:
        """Sources are unread, or not all of them is read; several reasons for one follow each other."""
        for source in sources:
            known = self.unread.get(source, "")
            if why not in known:
                self.unread[source] = f"{known} {why}".strip()

    async def _read(
        self,
        reading: Callable[[Counted], Awaitable[None]],
        *sources: Source,
        right: Right | None = None,
        events: str = "",
    ) -> None:
        right = right or RIGHTS[sources[0]]
        arm = Counted(self.arm)
        try:
            async with asyncio.timeout(self.within.total_seconds()):
                await reading(arm)
        except TimeoutError:
            self._over_time(right, arm.read, sources, self.notes.logs.get(events, ""))
        except Forbidden:
            self.say(f"Breakwater may not read {right.what}: {self._missing(right)}", *sources)
        except (Refused, NotFound) as error:
            if not (isinstance(error, Refused) and error.code == UNREGISTERED):
                self.say(_unread(right, error), *sources)
        except AzureTrouble as error:
            self.later |= dict.fromkeys(sources, (right, error))
        except Exception:
            # Whatever it is, it must not stop the wave.
            log.exception("look_up.failed", extra={"what": right.what, "subscription": self.arm.subscription})
            odd = Unreachable("Something unexpected went wrong; the log has the details.")
            self.later |= dict.fromkeys(sources, (right, odd))

    def _over_time(self, right: Right, pages: int, sources: Sequence[Source], so_far: str) -> None:
        """What was read before the time was over counts; what did not even begin, a later try may read."""
        within = long(self.within)
        if not pages:
            slow = Unreachable(f"Azure showed nothing of it within {within}.")
            self.later |= dict.fromkeys(sources, (right, slow))
            return
        why = (
            f"{upper(right.what)} could not be read to the end within {within}: "
            f"{many(pages, 'page')} read{so_far and f' ({so_far})'}, then time ran out."
        )
        self.say(why, *sources)

    def _missing(self, right: Right) -> str:
        return (
            f"{right.action} on subscription {self.arm.subscription} is missing. Breakwater's own role has "
            f"it (docs/deploy.md), and so has Azure's role {right.role}."
        )

    async def _log(self, reading: Callable[[ReadsArm, Notes], Awaitable[str]], arm: Counted) -> None:
        if longer := await reading(arm, self.notes):
            self.say(longer, Source.ACTIVITY_LOG)

    async def _groups(self, arm: Counted) -> None:
        await around.groups(arm, self.notes)
        # Azure lists only the groups it shows us; a scale set that was listed just now must be in one. One
        # that was not may be gone with its group.
        sure = self.listed or (() if self.notes.groups else self.scale_sets)
        groups = {scale_set.resource_group for scale_set in sure}
        hidden = sorted(group for group in groups if group.lower() not in self.notes.groups)
        if hidden:
            some = ", ".join(hidden[:3]) + (f" and {len(hidden) - 3} more" if len(hidden) > 3 else "")
            missing = self._missing(RIGHTS[Source.GROUPS])
            self.say(f"Azure does not show Breakwater resource group {some}: {missing}", Source.GROUPS)

    def _about_machines(self) -> list[Source]:
        """The sources that named machines which may be of a Flexible scale set."""
        if not any(scale_set.flexible for scale_set in self.scale_sets):
            return []
        named = {
            Source.ACTIVITY_LOG: (stop.target for stop in self.notes.stops),
            Source.CHANGES: (target for target, _ in self.notes.healed),
            Source.SCHEDULES: (target for target, _ in self.notes.shutdown),
        }
        return [source for source, targets in named.items() if any(map(machine, targets))]

    async def _machines(self, arm: Counted) -> None:
        self.machines = await around.machines(arm)


def _unread(right: Right, trouble: AzureTrouble) -> str:
    return f"{upper(right.what)} could not be read: {trouble.sentence}"
