"""What Azure writes down about a fleet besides its state, and what is set up around its scale sets.

Facts only; `simulator.arm` gives them Azure's shapes. Times are aware UTC, resources are ARM ids.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import NAMESPACE_URL, uuid5

Outcome = Literal["Succeeded", "Failed", "Started"]

PERSON = "ana@example.org"
AUTOSCALE = "Microsoft.Insights/autoscaleSettings"
OPERATOR = "5f1e0c9a-6a53-4a5e-9a2e-0d9f6f7b1c11"
"""The application id of whoever starts maintenance by the API: callers without an `@` are applications."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """One operation of the activity log; `outcome` Started means that how it ended is not in the log."""

    at: datetime
    operation: str
    resource: str
    caller: str
    correlation: str
    outcome: Outcome = "Succeeded"
    properties: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A changed property of a resource, by its path (`sku.name`)."""

    at: datetime
    resource: str
    path: str
    before: str
    after: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """What Resource Health says happened to a machine, by its published name."""

    at: datetime
    resource: str
    name: str
    planned: bool = False


@dataclass(slots=True, kw_only=True)
class Profile:
    """A profile of an autoscale setting; `recurrence` has its days, none for the profile that always holds."""

    name: str
    minimum: int
    maximum: int
    directions: tuple[Literal["Increase", "Decrease"], ...] = ("Increase", "Decrease")
    recurrence: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class AutoscaleSetting:
    name: str
    target: str
    location: str
    profiles: tuple[Profile, ...]
    enabled: bool = True


@dataclass(slots=True, kw_only=True)
class Shutdown:
    """An auto-shutdown schedule (DevTest Labs) of one machine, or of a scale set; `time` is local, HHMM."""

    name: str
    target: str
    location: str
    time: str = "1900"
    enabled: bool = True
    task: str = "ComputeVmShutdownTask"


@dataclass(slots=True, kw_only=True)
class Group:
    """A resource group; a hidden one is not shown to whoever asks, without a word."""

    subscription: str
    name: str
    location: str
    managed_by: str = ""
    hidden: bool = False


@dataclass(slots=True)
class Records:
    activities: list[Activity] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    annotations: list[Annotation] = field(default_factory=list)
    autoscale: list[AutoscaleSetting] = field(default_factory=list)
    shutdowns: list[Shutdown] = field(default_factory=list)
    groups: dict[tuple[str, str], Group] = field(default_factory=dict)

    def group(self, subscription: str, name: str, location: str) -> Group:
        """The resource group, there from now on if it was not."""
        key = (subscription.lower(), name.lower())
        return self.groups.setdefault(key, Group(subscription=subscription, name=name, location=location))

    def act(self, at: datetime, operation: str, resource: str, by: str, **more: Any) -> Activity:
        """Somebody did something; a correlation of its own unless one is given."""
        number = len(self.activities)
        more.setdefault("correlation", str(uuid5(NAMESPACE_URL, f"correlation/{number}")))
        made = Activity(at=at, operation=operation, resource=resource, caller=by, **more)
        self.activities.append(made)
        return made
