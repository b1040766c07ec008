"""Why a run is planned again, and what a new plan changes."""

from collections.abc import Sequence
from datetime import datetime

from planner.text.phrases import many, say, some

PLANNED_AGAIN = "planned again"
SCHEDULED_AGAIN = "scheduled again"
"""Events of a history."""


def planned_again(why: str) -> str:
    return f"Planned again: {why}."


def to_be_planned_again(why: str) -> str:
    return f"To be planned again: {why}."


def waits_for_plan(why: str) -> str:
    """What a start waits for."""
    return f"it has to be planned again: {why}"


RULES_CHANGED = "the policy or the tags have changed since the plan was made"
FILE_CHANGED = "the policy file has changed since the plan was made"


def no_longer_one_domain(domain: str) -> str:
    return f"the instances of {domain} are no longer in one domain"


def batch_too_large(allowed: int, running: int, size: int) -> str:
    return f"only {allowed} of {running} instances may be down at once and the batch has {size}"


def not_planned(instance: str) -> str:
    return f"instance {instance} shows maintenance and is not in the plan"


def shown_again(instance: str) -> str:
    return f"instance {instance} shows maintenance again"


def offered_anew(instance: str) -> str:
    return f"instance {instance} was maintained and Azure offers it again"


def window_moved_forward(instance: str) -> str:
    return f"the self-service window of instance {instance} has been moved forward"


def azure_begins_sooner(instance: str) -> str:
    return f"Azure's own window of instance {instance} begins sooner than it was planned by"


def window_open_longer(instance: str) -> str:
    return f"the self-service window of instance {instance} is open longer than it was planned by"


def looked_at_again(state: str) -> str:
    return f"{state} is looked at again"


def planned_as(state: str) -> str:
    """An event of a history."""
    return f"planned as {state}"


EMERGENCY = "Azure has raised this maintenance to an emergency (level Warning)."


def because(why: str) -> str:
    return f"Why: {why}."


def opened_again(due: Sequence[tuple[str, str]], more: int) -> str:
    """Instances that are due, each with what is new about it, and how many more there are."""
    named = "; ".join(f"instance {instance} {why}" for instance, why in due)
    others = f"; and {many(more, 'more instance')}" if more else ""
    return f"Opened again: {named}{others}."


JOINED = "has joined the wave"
CAN_BE_MAINTAINED = "can be maintained again"
NEW_WINDOW = "has a new maintenance window"
OFFERED = "is offered by Azure and not done"
"""What is new about an instance."""


def joined(ids: Sequence[str]) -> str:
    return f"{many(len(ids), 'instance')} joined: {some(ids)}."


def left(ids: Sequence[str]) -> str:
    return f"{many(len(ids), 'instance')} left the plan: {some(ids)}."


def pace(most: int, instead_of: int) -> str:
    return f"At most {most} down at a time instead of {instead_of}."


def starts(at: datetime, instead_of: datetime) -> str:
    return f"Starts {say(at)} instead of {say(instead_of)}."


def ends(at: datetime, instead_of: datetime) -> str:
    return f"Should be done by {say(at)} instead of {say(instead_of)}."


def deadline(at: datetime, instead_of: datetime) -> str:
    return f"Must be done by {say(at)} instead of {say(instead_of)}."
