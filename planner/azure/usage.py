"""What the extra look-ups of a wave showed: how the subscription's scale sets have been used lately.

Looked up once per subscription and wave by `discover` and kept with the wave, where the checks read it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

LOOK_BACK = timedelta(days=14)
"""How far back the activity log and the changes are read; Resource Graph keeps changes for 14 days."""


class Source(StrEnum):
    """Where the look-ups read. Each may be closed to us on its own."""

    ACTIVITY_LOG = "activity log"
    CHANGES = "resource changes"
    AUTOSCALE = "autoscale settings"
    SCHEDULES = "auto-shutdown schedules"
    GROUPS = "resource groups"


@dataclass(frozen=True, slots=True)
class Habits:
    """One scale set over the look-back; all times aware UTC, counts since `Evidence.since`.

    `stops` counts the occasions on which somebody stopped or deallocated the set or instances of it, however
    many; `stopped_by` is the caller of the last one (a sign-in name, or an application's id). `stopped` and
    `healed` say when an instance (id or, Flexible, the machine's name, in lower case) was last stopped by
    somebody, as far as Azure says which, or last moved by Azure to repair it (service healing).
    `resizes` counts changes of the size. `scaled_in` counts instances that autoscale removed. `autoscale`
    names an enabled autoscale setting, `scales_in` whether one of its rules removes instances, `to_zero` the
    recurring profile that scales to none. `shutdown` names an enabled auto-shutdown schedule for the set or
    one of its machines. `group_managed_by` is what manages the resource group.
    """

    stops: int = 0
    last_stop: datetime | None = None
    stopped_by: str = ""
    stopped: Mapping[str, datetime] = field(default_factory=dict)
    healed: Mapping[str, datetime] = field(default_factory=dict)
    resizes: int = 0
    last_resize: datetime | None = None
    scaled_in: int = 0
    autoscale: str = ""
    scales_in: bool = False
    to_zero: str = ""
    shutdown: str = ""
    group_managed_by: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The look-ups of one subscription, made at `at` over the time since `since`.

    `unread` says why a source could not be read, or not to its end, and which role is missing if that is why;
    what was found in it all the same counts. `scale_sets` has what was found, by lower-case id; sets with
    nothing found are left out.
    """

    at: datetime
    since: datetime
    unread: Mapping[Source, str] = field(default_factory=dict)
    scale_sets: Mapping[str, Habits] = field(default_factory=dict)

    def of(self, key: str) -> Habits:
        return self.scale_sets.get(key.lower(), Habits())
