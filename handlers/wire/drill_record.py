"""A drill on record: its invented scale sets, what has been started of them, and when it ends."""

import re
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from handlers.wire.ids import checked_resource_group, checked_scale_set
from handlers.wire.outside_json import faults
from planner.azure.drill import is_drill

LONGEST = 50
"""Minutes: the sweep that ends a drill comes every five, so that it is over within an hour."""

SHORTEST = 20
"""In less no plan fits before Azure's own turn."""

MOST_SETS, MOST_INSTANCES = 20, 20

Name = Annotated[str, StringConstraints(min_length=1, max_length=90)]
Tags = Annotated[dict[str, str], Field(max_length=15)]


class BadDrill(ValueError):
    """What is asked for is no drill; the text is for people."""


class PlayedSet(BaseModel):
    """A scale set that is played. `fails` is the instance that does not come back for long, or empty."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    resource_group: Name = "rg-drill"
    name: Name
    location: Name = "westeurope"
    instances: int = Field(default=3, ge=1, le=MOST_INSTANCES)
    tags: Tags = Field(default_factory=dict)
    fails: str = ""


class DrillRecord(BaseModel):
    """`starts`: when instances were started, by scale set and instance. `closed`: its end is announced."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    v: int = 1
    tracking_id: str
    subscription: str
    actor: str
    began_at: AwareDatetime
    ends_at: AwareDatetime
    scale_sets: tuple[PlayedSet, ...]
    starts: dict[str, AwareDatetime] = Field(default_factory=dict)
    closed: bool = False

    @property
    def metadata(self) -> dict[str, str]:
        """What a listing shows of it."""
        return {"v": "1", "ends": self.ends_at.isoformat(), "closed": "true" if self.closed else "false"}


class Asked(BaseModel):
    """What a person asks for: `scale_sets` with none are three that are invented."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    actor: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    scale_sets: tuple[PlayedSet, ...] = Field(default=(), max_length=MOST_SETS)
    minutes: int = Field(default=LONGEST, ge=SHORTEST, le=LONGEST)


DEFAULT_SETS = (
    PlayedSet(name="drill-web", tags={"breakwater-mode": "approve"}),
    PlayedSet(name="drill-db", fails="1"),
    PlayedSet(name="drill-cache"),
)
"""One that asks for approval, one of which an instance does not come back, one that goes well."""


def asked(given: Any) -> Asked:
    """What a request asks for. Raises BadDrill."""
    try:
        found = Asked.model_validate(given)
    except ValidationError as error:
        raise BadDrill(f"This is not a drill that can be played: {faults(error)[0]}.") from None
    try:
        for each in found.scale_sets:
            checked_resource_group(each.resource_group)
            checked_scale_set(each.name)
    except ValueError as error:
        raise BadDrill(str(error)) from error
    names = [(each.resource_group.lower(), each.name.lower()) for each in found.scale_sets]
    if len(set(names)) < len(names):
        raise BadDrill("A scale set is named twice.")
    return found


def arm_id(subscription: str, played: PlayedSet) -> str:
    """The ARM id that a played scale set has. Raises ValueError for a subscription that is not a drill's."""
    if not is_drill(subscription):
        raise ValueError("Only a drill's scale sets are played.")
    group = re.sub(r"/", "", played.resource_group)
    provider = "providers/Microsoft.Compute/virtualMachineScaleSets"
    return f"/subscriptions/{subscription}/resourceGroups/{group}/{provider}/{played.name}"
