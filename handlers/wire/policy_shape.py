"""The shape of the policy file. Its descriptions become the published JSON Schema."""

from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from handlers.wire.policy_fields import (
    LIST,
    STRING,
    Address,
    Beginning,
    Duration,
    End,
    Flag,
    Globs,
    Kinds,
    Loosenable,
    Mailboxes,
    Name,
    PaceText,
    YesNo,
    choice,
    join,
    period,
)
from planner.policy.keys import ACCEPTABLE, PARSERS
from planner.policy.model import HealthRule, Mode, SelfService
from planner.policy.pace import AT_ONCE, FEW, Rhythm


class Strict(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=lambda name: name.replace("_", "-"),
        hide_input_in_errors=True,
    )


class MatchShape(Strict):
    """Which scale sets: every field given must match one of its globs; case is ignored."""

    subscription: Globs = Field((), description="Subscription ids.")
    resource_group: Globs = Field((), description="Names of resource groups, such as rg-*-prod.")
    name: Globs = Field((), description="Names of scale sets.")
    location: Globs = Field((), description="Locations; `East US 2` and `eastus2` are one.")
    tags: dict[str, Globs] = Field({}, description="Names of tags and globs for their values.")


def _key(description: str) -> Any:
    """A key that may be left out."""
    return Field(None, description=description)


class Values(Strict):
    """What a rule or the defaults can say about a scale set."""

    self_service: Annotated[str | None, choice(SelfService)] = _key(
        "Start maintenance yourself when-needed (built in), always or never."
    )
    mode: Annotated[str | None, choice(Mode)] = _key(
        "auto (built in), approve (a person says go), observe (only say what would be done).",
    )
    lead: Duration = _key("Least time between telling the plan and its first start. Built in: 24h.")
    windows: Annotated[str | None, join("; "), LIST] = _key(
        "Such as Sat,Sun 02:00-06:00 Europe/Berlin; several by `;`. Built in: any time."
    )
    complete_by: Annotated[str | None, STRING] = _key(
        "A date (its end in UTC) or a time with its zone, or none. Built in: none."
    )
    tier: Annotated[str | None, WithJsonSchema({"type": ["string", "integer"]})] = _key(
        "The scale set's own tier, for others to go after."
    )
    after: Annotated[str | None, join(", "), LIST] = _key("Scale sets or tiers that go first.")
    soak: Duration = _key("Pause after a healthy domain. Built in: 30m.")
    max_unavailable: Annotated[
        str | None,
        WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string"}]}),
    ] = _key(
        "A count or a percentage of the running instances, or default: the domain, at most a "
        "fifth of the running instances, at least one.",
    )
    health: Annotated[str | None, choice(HealthRule)] = _key(
        "Whether application health is required, counts if-reported (built in) or not."
    )
    recover_within: Duration = _key("From start to healthy. Built in: 60m.")
    stalled_after: Duration = _key(
        "How long a scale set that may start by its times, and does not, waits before people are "
        "told. Built in: 4h.",
    )
    scheduled_events: YesNo = _key("The workload relies on scheduled events.")
    local_state: YesNo = _key("Instances keep state on local disks, which a redeployment loses.")
    short_lived: YesNo = _key("Instances live shorter than a wave.")
    often_stopped: YesNo = _key("Instances are often stopped or shut down.")
    often_resized: YesNo = _key("Instances are often resized.")
    accept: Annotated[str | None, join(", "), LIST] = _key(
        f"Checks whose counter-indication is accepted, or none: {', '.join(ACCEPTABLE)}.",
    )
    owner: Annotated[str | None, STRING] = _key("The receiver of this scale set's notices.")
    tags_may_loosen: Loosenable = _key("Keys where a tag may be looser than the file.")

    @field_validator(*(key.replace("-", "_") for key in PARSERS))
    @classmethod
    def _readable(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None:
            PARSERS[str(info.field_name).replace("_", "-")](value)
        return value

    def texts(self) -> dict[str, str]:
        """What was written, by key."""
        found = ((key, getattr(self, key.replace("-", "_"))) for key in PARSERS)
        return {key: text for key, text in found if text is not None}


class RuleShape(Values):
    """Values for the scale sets that match; the first rule that matches counts."""

    name: str = Field("", max_length=60, description="What people call this rule.")
    match: MatchShape = Field(description="Which scale sets it is about; `{}` is all of them.")


class FreezeShape(Strict):
    """Nothing new starts between the two."""

    start: Beginning = Field(
        alias="from", description="A date (its beginning in UTC) or a time with its zone."
    )
    end: End = Field(alias="to", description="A date (its end in UTC) or a time with its zone.")
    reason: str = Field(min_length=1, max_length=200, description="What people are told.")
    match: MatchShape = Field(MatchShape(), description="Which scale sets it is about; all without it.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.end <= self.start:
            raise ValueError("`to` is not after `from`, so the freeze would never hold")
        return self


class MatchLimitShape(Strict):
    """How many of the scale sets that match may be in flight at once in one subscription."""

    match: MatchShape = Field(description="Which scale sets count.")
    scale_sets: int = Field(ge=1, le=10_000, description="Of them at once.")


class LimitsShape(Strict):
    """How much of one subscription may be in flight at once; all of it counts."""

    regions: int = Field(1, ge=1, le=100, description="Regions at once.")
    scale_sets: int = Field(5, ge=1, le=10_000, description="Scale sets at once.")
    per_region: int | None = Field(None, ge=1, le=10_000, description="Scale sets at once in any one region.")
    by_match: dict[Name, MatchLimitShape] = Field(
        {}, max_length=20, description="By name: scale sets at once of those that match."
    )


class ReceiverShape(Strict):
    """Somebody who is told, and where."""

    teams: Address = Field("", repr=False, description="Address of a Teams workflow, or env:NAME.")
    email: Mailboxes = Field((), description="Mail addresses.")
    webhook: Address = Field("", repr=False, description="Address of a webhook, or env:NAME.")
    least: Literal["know", "act", "page"] = Field(
        "know",
        alias="from",
        description="The quietest that it hears: know (built in) all, act what asks, page only pages.",
    )
    kinds: Kinds = Field(None, description="The kinds of notices that it hears; all without it.")
    know: PaceText = Field(
        FEW,
        json_schema_extra={"default": str(FEW)},
        description="When it is told what only informs: at once, few (built in: five a day at once, then one "
        "every six hours), hourly, or daily 08:00 Europe/Berlin.",
    )
    act: PaceText = Field(
        AT_ONCE,
        json_schema_extra={"default": str(AT_ONCE)},
        description="When it is told what asks for an answer: at once (built in), hourly, or daily.",
    )
    repeat_every: Annotated[timedelta, *period(timedelta(minutes=5), timedelta(hours=1))] = Field(
        timedelta(minutes=15),
        json_schema_extra={"default": "15m"},
        description="How often a page that nobody has acknowledged comes again at first. Built in: 15m.",
    )
    escalate_to: str = Field("", description="The receiver that is paged as well when nobody acknowledges.")
    escalate_after: Annotated[timedelta, *period(timedelta(minutes=5), timedelta(hours=12))] = Field(
        timedelta(minutes=30),
        json_schema_extra={"default": "30m"},
        description="After how long that is. Built in: 30m.",
    )

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if not (self.teams or self.email or self.webhook):
            raise ValueError("it can't be reached: give it teams, email or webhook")
        if self.act.rhythm is Rhythm.FEW:
            raise ValueError(
                "`act: few` would keep questions back: write at once, hourly, or daily with a time"
            )
        return self


class RouteShape(Strict):
    """Notices about the scale sets that match go to this receiver."""

    match: MatchShape = Field(description="Which scale sets; `{}` is all of them.")
    receiver: str = Field(description="A name under receivers.")


class PolicyShape(Strict):
    """Which maintenance Breakwater may start itself, when, and who is told."""

    stop: Flag = Field(default=False, description="true: nothing new starts anywhere.")
    defaults: Values = Field(Values(), description="Values where no rule that matches says otherwise.")
    rules: tuple[RuleShape, ...] = Field((), description="The first one that matches counts.")
    freezes: tuple[FreezeShape, ...] = Field((), description="Times in which nothing new starts.")
    limits: LimitsShape = Field(LimitsShape(), description="How much may be in flight, per subscription.")
    receivers: dict[Name, ReceiverShape] = Field({}, description="Who can be told.")
    routes: tuple[RouteShape, ...] = Field((), description="Who is told; the first one that matches counts.")


SHAPES: dict[str, type[Strict]] = {
    "defaults": Values,
    "rules": RuleShape,
    "match": MatchShape,
    "freezes": FreezeShape,
    "limits": LimitsShape,
    "by-match": MatchLimitShape,
    "receivers": ReceiverShape,
    "routes": RouteShape,
}
"""The shape below each key, for saying which keys are known there."""
