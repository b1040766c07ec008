"""Why a run is planned again, and what a new plan changes."""

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
