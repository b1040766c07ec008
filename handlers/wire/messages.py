"""What travels on the queues: ids, never fleets. A message is refused here or not at all.

Readers accept older versions and ignore unknown fields; a message of a newer version goes back for five
minutes, until the deployment that understands it has finished.
"""

import re
from datetime import timedelta
from typing import Annotated, Final, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from handlers.wire.ids import (
    ALERTS,
    GUID,
    NOTICES,
    RESOURCE_GROUP,
    RUNS,
    SCALE_SET,
    SCALE_SETS,
    TRACKING_ID,
    Queue,
    checked_resource_group,
    checked_scale_set,
)
from handlers.wire.outside_json import faults
from handlers.wire.versions import VERSION, version_of
from planner.record.command import Command, CommandKind

NEWER_WAIT: Final = timedelta(minutes=5)
"""When what this version cannot read yet is tried again."""


class BadMessage(ValueError):
    """The message cannot be one of ours; the text says why. It belongs in quarantine."""


class NewerMessage(Exception):
    """A newer version of the app wrote it; send it again in five minutes."""


_ARM_ID = re.compile(
    rf"/subscriptions/({GUID})/resourceGroups/({RESOURCE_GROUP})"
    rf"/providers/Microsoft\.Compute/virtualMachineScaleSets/({SCALE_SET})",
    re.ASCII | re.IGNORECASE,
)


def arm_parts(scale_set: str) -> tuple[str, str, str]:
    """Subscription, resource group and name of a scale set's ARM id; ValueError when it is not one."""
    found = _ARM_ID.fullmatch(scale_set)
    if found is None:
        raise ValueError(f"{scale_set[:200]!r} is not the ARM id of a Virtual Machine Scale Set.")
    return found[1], checked_resource_group(found[2]), checked_scale_set(found[3])


def _scale_set_id(text: str) -> str:
    try:
        arm_parts(text)
    except ValueError:
        raise ValueError("it is not the ARM id of a Virtual Machine Scale Set") from None
    return text


def _renewable(text: str) -> str:
    return text if text in {"", EVERY} else _scale_set_id(text)


AlertHash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
TrackingId = Annotated[str, Field(pattern=rf"^{TRACKING_ID}$")]
Subscription = Annotated[str, Field(pattern=rf"^{GUID}$")]
ScaleSetId = Annotated[str, AfterValidator(_scale_set_id)]
ResourceGroup = Annotated[str, AfterValidator(checked_resource_group)]
ScaleSetName = Annotated[str, AfterValidator(checked_scale_set)]
Names = tuple[Annotated[str, Field(min_length=1, max_length=200)], ...]


class _Envelope(BaseModel):
    """What every message carries: its version and the trace it belongs to.

    `lives` counts how often the host gave it up though nothing was wrong with it, and it was sent again.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    v: int = VERSION
    traceparent: str = Field(default="", max_length=200)
    lives: int = Field(default=0, ge=0)


class _Patient(_Envelope):
    """A message that throttling may delay: since when without a break, and whether people were told."""

    throttled_since: AwareDatetime | None = None
    throttled_told: bool = False


EVERY: Final = "*"
"""In place of a scale set: all of the wave."""


class AlertMessage(_Patient):
    """A stored alert is to be discovered; `tries` counts how often Azure was down for it.

    `renew` names the scale set (EVERY for all) whose extra look-ups alone are to be made again, of a wave
    discovered before; `look_ups` counts how often Azure could not be read for them. `relist`: only list the
    scale sets of an open wave again. `swept`: the sweep sent it, and would again.
    """

    alert: AlertHash
    tries: int = Field(default=0, ge=0)
    renew: Annotated[str, AfterValidator(_renewable)] = ""
    look_ups: int = Field(default=0, ge=0)
    relist: bool = False
    swept: bool = False


class ScaleSetMessage(_Patient):
    """A scale set needs a plan. `wave_generation` is the wave's generation when this was sent.

    `attempt` counts how often Azure could not be read for it; `absent_since` is when Azure first did not find
    the scale set.
    """

    tracking_id: TrackingId
    subscription: Subscription
    scale_set: ScaleSetId
    reason: Literal["announced", "recheck", "replan", "renewed", "swept"]
    wave_generation: int = Field(default=0, ge=0)
    attempt: int = Field(default=0, ge=0)
    absent_since: AwareDatetime | None = None

    @model_validator(mode="after")
    def _one_subscription(self) -> Self:
        if arm_parts(self.scale_set)[0].lower() != self.subscription.lower():
            raise ValueError("the scale set is not of this subscription")
        return self


class PersonEvent(BaseModel):
    """A command of `bury` about a run, or one that an older version sent for a person.

    Applied once by its id.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str = Field(min_length=1, max_length=100)
    kind: CommandKind
    actor: str = Field(min_length=1, max_length=200)
    comment: str = Field(default="", max_length=2000)
    at: AwareDatetime
    checksum: str = Field(default="", max_length=128)
    instances: Names = Field(default=(), max_length=1000)
    domains: Names = Field(default=(), max_length=1000)
    raised: dict[Annotated[str, Field(max_length=40)], Annotated[str, Field(max_length=1000)]] = Field(
        default_factory=dict, max_length=10
    )

    def event(self) -> Command:
        """The command as the planner knows it."""
        return Command(**dict(self))


class RunMessage(_Envelope):
    """A run is to be polled; `generation` is the record's after the poll that sent this.

    `wake`: its turn has come, whenever it meant to be polled next.
    """

    subscription: Subscription
    resource_group: ResourceGroup
    name: ScaleSetName
    generation: int = Field(ge=0)
    event: PersonEvent | None = None
    wake: bool = False


class NoticeMessage(_Envelope):
    """People have to be told. `wave` gathers a wave's untold notices; the other kinds carry their text.

    `about` identifies what is told only once for a wave, however it is worded; without it the text does.
    `unread`: nothing is in quarantine, Azure cannot be read and we keep trying. `stuck` are the channels of
    `receiver` that fail, which people have to learn in another way.
    """

    tracking_id: Annotated[str, Field(pattern=rf"^({TRACKING_ID})?$")] = ""
    kind: Literal["wave", "wired", "quarantined", "unknown_wave", "empty_wave", "channel"]
    alert: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    text: str = Field(default="", max_length=4000)
    about: str = Field(default="", max_length=300)
    unread: bool = False
    receiver: str = Field(default="", max_length=300)
    stuck: tuple[Annotated[str, Field(max_length=200)], ...] = Field(default=(), max_length=20)

    @model_validator(mode="after")
    def _of_a_wave(self) -> Self:
        if self.kind == "wave" and not self.tracking_id:
            raise ValueError("a wave's notices need its tracking id")
        return self


type Message = AlertMessage | ScaleSetMessage | RunMessage | NoticeMessage

_MODELS: Final[dict[Queue, type[AlertMessage | ScaleSetMessage | RunMessage | NoticeMessage]]] = {
    ALERTS: AlertMessage,
    SCALE_SETS: ScaleSetMessage,
    RUNS: RunMessage,
    NOTICES: NoticeMessage,
}


def parse(queue: Queue, body: str | bytes) -> Message:
    """The message of a queue. Raises BadMessage with a sentence, or NewerMessage."""
    try:
        message = _MODELS[queue].model_validate_json(body)
    except ValidationError as error:
        if (version := version_of(body)) > VERSION:
            raise NewerMessage(f"A message of {queue} has version {version}.") from None
        raise BadMessage(
            f"This is not a message of the queue {queue}: {'; '.join(faults(error)[:5])}."
        ) from None
    if message.v > VERSION:
        raise NewerMessage(f"A message of {queue} has version {message.v}.")
    return message
