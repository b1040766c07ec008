"""What a decision says: what Azure offers, whether there is a need for it, and what follows."""

from collections.abc import Iterable
from datetime import datetime

from planner.text.phrases import inner, lower, say, upper
from planner.words.checks import THE_POLICY, accepted

WAVE_CANCELLED = "Not affected: the wave is cancelled and no instance shows maintenance."
NOT_AFFECTED = (
    "Not affected: no instance shows maintenance. Maintenance without a reboot only pauses an instance "
    "for a few seconds, one fault domain at a time, and needs no plan."
)


def left_to_azure(why: str) -> str:
    """`why` is a sentence."""
    return f"Left to Azure: {lower(why)}"


def left_for_checks(reasons: Iterable[str]) -> str:
    """Left to Azure for what these checks say, in their own words."""
    return f"Left to Azure: {' '.join(reasons)}"


def never(source: str = THE_POLICY) -> str:
    return f"Left to Azure: self-service is `never` ({source})."


NOBODY_NEEDS_IT = "Left to Azure: nobody declared a need for self-service."


def would_be_rebooted(need: str) -> str:
    return f"Would be rebooted by us ({inner(need)}), but its mode is `observe`."


def rebooted_by_us(need: str) -> str:
    return f"We reboot it, since {lower(need)}"


def show_maintenance(number: int, instances: int) -> str:
    if not number:
        return f"None of {instances} instances shows maintenance."
    return f"{number} of {instances} instances show maintenance."


NOTHING_TO_OFFER = "No instance shows maintenance, so there is nothing to offer."
NO_WINDOW = "Azure shows maintenance but no self-service window."
NOT_OFFERED = "Azure does not offer self-service for any of its instances."


def offered_for(number: int, instances: int) -> str:
    return f"Azure offers self-service for {number} of {instances} instances."


def offered_from(start: datetime) -> str:
    return f"Azure offers self-service from {say(start)}."


def window_closed(end: datetime) -> str:
    return f"The self-service window closed at {say(end)}."


ALWAYS = "self-service is `always`"
WINDOWS = "maintenance windows are declared"
ORDER = "an order between scale sets is declared"
DOMAINS_ACCEPTED = "`azure-domains` is accepted"
LONG_PAUSES = "it wants more than 30 minutes between domains"
"""What makes a need."""


def done_by(at: datetime) -> str:
    return f"it must be done by {say(at)}"


NO_NEED = "No need for self-service is declared."


def needed(needs: Iterable[str]) -> str:
    return f"{upper('; '.join(needs))}."


def no_azure_domains(domains: int, *, flexible: bool) -> str:
    why = "its instances share one" if domains else "Azure shows none"
    why = "a Flexible scale set shows none" if flexible else why
    return f"No update domains that Azure could take one by one: {why}."


def azure_domains_not_enough(domains: int) -> str:
    return f"{_one_by_one(domains)}; a need for more than that is declared."


def azure_domains_enough(domains: int) -> str:
    return f"{_one_by_one(domains)}, which protects it as well as we could; no need for more is declared."


def azure_domains_accepted(domains: int, where: str = THE_POLICY) -> str:
    return accepted(f"{_one_by_one(domains)}, which protects it as well as we could.", where)


def _one_by_one(domains: int) -> str:
    return f"Azure would take its {domains} update domains one at a time, 30 minutes apart"


def goes_after(names: Iterable[str]) -> str:
    """The order, as it is declared; `names` may be none."""
    first = ", ".join(names)
    return f"It goes after {first}." if first else "No scale set goes before it."


def nobody_of_that_name(names: Iterable[str]) -> str:
    return (
        f"`after` names {', '.join(names)}, and no scale set or tier of the wave is called that. "
        "Correct `after`, or resume to go ahead without it."
    )


def circular_order(circle: Iterable[str]) -> str:
    return f"The order is circular: {' after '.join(circle)}. Correct `after` of one of them."
