"""The extra look-ups of a wave: how the scale sets of one subscription have lived lately.

A fixed number of lists, whatever the number of scale sets, read side by side. What may not be read is said
with the role that is missing; what a later try may read better is told apart from it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from handlers.cloud import activity, around
from handlers.cloud.errors import AzureTrouble, Forbidden, NotFound, Refused, Throttled, Unreachable
from handlers.cloud.notes import Notes, machine
from handlers.cloud.reading import Counted, ReadsArm
from planner.azure.fleet import ScaleSet
from planner.azure.usage import LOOK_BACK, Evidence, Source
from planner.text.phrases import long, many, upper

logger = logging.getLogger(__name__)


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

LISTS_WITHIN, MACHINES_WITHIN = timedelta(seconds=90), timedelta(seconds=20)
"""How long all lists together may take, and after them who the machines in them belong to: less than half of
`functionTimeout` (host.json). Whoever goes over that takes the whole process along."""

UNREGISTERED = "MissingSubscriptionRegistration"
"""Nothing can exist of a provider that the subscription has never registered."""


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
) -> Looked:
    """Look up these scale sets of one subscription as of `now` (aware UTC); `listed` were there a moment ago.

    Raises nothing: what cannot be read `within` that time is unread, with a sentence that says how far the
    reading came; what was read until then counts.
    """
    observation = _Observation(arm, scale_sets, listed, now, within)
    await observation.over()
    troubles = [trouble for _, trouble in observation.later.values()]
    waits = [one for one in troubles if isinstance(one, Throttled)]
    for source, (right, trouble) in observation.later.items():
        observation.say(source, _unread(right, trouble))
    evidence = Evidence(
        at=now,
        since=observation.since,
        unread=dict(sorted(observation.unread.items())),
        scale_sets=observation.notes.habits(scale_sets, observation.machines),
    )
    longest = max(waits, key=lambda one: one.retry_after, default=None)
    about = tuple(scale_set.key for scale_set in scale_sets)
    return Looked(evidence, longest or next(iter(troubles), None), about)


class _Observation:
    """One poll at all sources. `later` has the trouble of those that a later try may read."""

    def __init__(
        self,
        arm: ReadsArm,
        scale_sets: Collection[ScaleSet],
        listed: Collection[ScaleSet],
        now: datetime,
        within: timedelta,
    ) -> None:
        self.arm, self.scale_sets, self.listed = arm, scale_sets, listed
        self.now, self.since = now, now - LOOK_BACK
        self.within = within
        self.notes = Notes()
        self.machines: Mapping[str, str] = {}
        self.unread: dict[Source, str] = {}
        self.later: dict[Source, tuple[Right, AzureTrouble]] = {}

    async def over(self) -> None:
        await asyncio.gather(
            self._read(self._log(activity.stops), Source.ACTIVITY_LOG, log=activity.COMPUTE),
            self._read(self._log(activity.scale_ins), Source.ACTIVITY_LOG, log=activity.INSIGHTS),
            self._read(lambda arm: around.changes(arm, self.notes), Source.CHANGES),
            self._read(lambda arm: around.autoscale(arm, self.notes), Source.AUTOSCALE),
            self._read(lambda arm: around.schedules(arm, self.notes), Source.SCHEDULES),
            self._read(self._groups, Source.GROUPS),
        )
        about = self._about_machines()
        if about:
            self.within = min(self.within, MACHINES_WITHIN)
            await self._read(self._machines, *about, right=MACHINES)

    def say(self, source: Source, why: str) -> None:
        """A source is unread, or not all of it is read; several reasons stand one after the other."""
        known = self.unread.get(source, "")
        if why not in known:
            self.unread[source] = f"{known} {why}".strip()

    async def _read(
        self,
        reading: Callable[[Counted], Awaitable[None]],
        *sources: Source,
        right: Right | None = None,
        log: str = "",
    ) -> None:
        right = right or RIGHTS[sources[0]]
        arm = Counted(self.arm)
        try:
            async with asyncio.timeout(self.within.total_seconds()):
                await reading(arm)
        except TimeoutError:
            self._over_time(right, arm.read, sources, self.notes.logs.get(log, ""))
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
            logger.exception(
                "look_up.failed", extra={"what": right.what, "subscription": self.arm.subscription}
            )
            odd = Unreachable("Something unexpected went wrong; the log has the details.")
            self.later |= dict.fromkeys(sources, (right, odd))

    def _over_time(self, right: Right, pages: int, sources: Sequence[Source], so_far: str) -> None:
        """What does not end is read as far as it goes; what did not even begin, a later try may read."""
        within = long(self.within)
        if not pages:
            slow = Unreachable(f"Azure showed nothing of it within {within}.")
            self.later |= dict.fromkeys(sources, (right, slow))
            return
        for one in sources:
            self.say(
                one,
                f"{upper(right.what)} could not be read to the end within {within}: "
                f"{many(pages, 'page')} read{so_far and f' ({so_far})'}, then the time was over.",
            )

    def _missing(self, right: Right) -> str:
        return (
            f"{right.action} on subscription {self.arm.subscription} is missing. Breakwater's own role has "
            f"it (docs/deploy.md), and so has Azure's role {right.role}."
        )

    def _log(
        self, reading: Callable[[ReadsArm, datetime, datetime, Notes], Awaitable[str]]
    ) -> Callable[[Counted], Awaitable[None]]:
        async def log(arm: Counted) -> None:
            longer = await reading(arm, self.since, self.now, self.notes)
            if longer:
                self.say(Source.ACTIVITY_LOG, longer)

        return log

    async def _groups(self, arm: Counted) -> None:
        await around.groups(arm, self.notes)
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
        if not any(scale_set.flexible for scale_set in self.scale_sets):
            return []
        said = {
            Source.ACTIVITY_LOG: (one.target for one in self.notes.stops),
            Source.CHANGES: (target for target, _ in self.notes.healed),
            Source.SCHEDULES: (target for target, _ in self.notes.shutdown),
        }
        return [source for source, targets in said.items() if any(map(machine, targets))]

    async def _machines(self, arm: Counted) -> None:
        self.machines = await around.machines(arm)


def _unread(right: Right, trouble: AzureTrouble) -> str:
    return f"{upper(right.what)} could not be read: {trouble.sentence}"
