"""The decision for one scale set: verdict, every check, and for self-service the plan.

The rules are those of Microsoft's guidance on planned maintenance notifications for scale sets ("When to
start a maintenance using self-service during the self-service phase"): leaving it to Azure is the plan
unless somebody declared a need.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from planner.azure.fleet import Instance, Interval, ScaleSet, domain_of, impacted
from planner.azure.wave import OVER, Announcement, Stage
from planner.decision import checks
from planner.policy.fingerprint import digest
from planner.policy.model import CheckName, Mode, Policy, Rules, SelfService
from planner.policy.overrides import NOTHING, with_raised
from planner.policy.resolve import rules_for
from planner.record.batch import Batch
from planner.record.check import Check, Outcome
from planner.record.run import Verdict
from planner.schedule import batching
from planner.text.phrases import inner, lower, say, upper

LONG_SOAK = timedelta(minutes=30)
"""Azure itself pauses 30 minutes between update domains; a longer pause is a need."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What should happen to a scale set, and why.

    `offered` is the portal's column: Yes, No or -; `concerned` are the instances that show maintenance;
    `emergency`: Azure calls the maintenance an emergency, so the plan pages.
    """

    verdict: Verdict
    reason: str
    checks: tuple[Check, ...]
    rules: Rules
    policy: str
    batches: tuple[Batch, ...]
    self_service: Interval | None
    scheduled: Interval | None
    offered: str
    concerned: tuple[Instance, ...] = ()
    emergency: bool = False


def decide(
    scale_set: ScaleSet,
    instances: Sequence[Instance],
    announcements: Sequence[Announcement],
    policy: Policy,
    now: datetime,
    *,
    raised: Mapping[str, str] = NOTHING,
    order_problem: str = "",
) -> Decision:
    """Decide for a scale set by what its instances show now; announcements only name the waves.

    `instances` are those of one listing with instance view, `raised` what a person has raised for this run,
    `order_problem` what is wrong with the order between the wave's scale sets. Raises nothing: what cannot be
    understood comes out as a check that blocks.
    """
    declared = rules_for(policy, scale_set)
    rules = with_raised(declared, raised)
    concerned = impacted(instances)
    statuses = [status for instance in concerned if (status := instance.status) is not None]
    windows = [status.self_service for status in statuses if status.self_service is not None]
    # A window that is over says nothing about the instances that still have one to come.
    self_service = _common([window for window in windows if now < window.end]) or _common(windows)
    scheduled = _common([status.scheduled for status in statuses if status.scheduled is not None])
    structural = checks.counter_indications(scale_set, instances, rules, now)
    offer = _offered(concerned, self_service, now)
    known = _known_domains(scale_set, concerned)
    need = _need(rules, known)
    if need.outcome is not Outcome.PASS:
        # What a person raises for one run removes no need: with a shorter pause it is still our plan.
        need = _need(declared, known)
    domains = _azure_domains(scale_set, known, need, rules)
    stopping = checks.in_the_way(structural, scale_set)
    verdict, reason = _verdict(concerned, stopping, offer, need, rules, announcements)
    momentary = checks.conditions(scale_set, instances, rules) if concerned else ()
    running = sum(instance.running for instance in instances)
    return Decision(
        verdict=verdict,
        reason=reason,
        checks=(
            _impacted(concerned, instances),
            offer,
            need,
            domains,
            *structural,
            *((_order(rules, order_problem),) if concerned else ()),
            *momentary,
        ),
        rules=rules,
        policy=digest(policy),
        batches=batching.batches_of(scale_set, concerned, running, rules),
        self_service=self_service,
        scheduled=scheduled,
        offered="-" if not concerned else "Yes" if offer.instances else "No",
        concerned=concerned,
        emergency=bool(concerned)
        and any(announcement.emergency for announcement in announcements if announcement.stage not in OVER),
    )


def _verdict(
    concerned: Sequence[Instance],
    stopping: Sequence[Check],
    offer: Check,
    need: Check,
    rules: Rules,
    announcements: Sequence[Announcement],
) -> tuple[Verdict, str]:
    if not concerned:
        return Verdict.NOT_IMPACTED, _not_impacted(announcements)
    if offer.outcome is Outcome.BLOCK:
        return Verdict.LEAVE_TO_AZURE, f"Left to Azure: {lower(offer.reason)}"
    if rules.self_service is SelfService.NEVER:
        source = rules.sources.get("self-service", "the policy")
        return Verdict.LEAVE_TO_AZURE, f"Left to Azure: self-service is `never` ({source})."
    if need.outcome is not Outcome.PASS:
        return Verdict.LEAVE_TO_AZURE, "Left to Azure: nobody declared a need for self-service."
    if stopping:
        return Verdict.LEAVE_TO_AZURE, "Left to Azure: " + " ".join(check.reason for check in stopping)
    if rules.mode is Mode.OBSERVE:
        words = f"Would be rebooted by us ({inner(need.reason)}), but its mode is `observe`."
        return Verdict.SELF_SERVICE, words
    return Verdict.SELF_SERVICE, f"We reboot it, since {lower(need.reason)}"


def _not_impacted(announcements: Sequence[Announcement]) -> str:
    if announcements and all(announcement.stage is Stage.CANCELED for announcement in announcements):
        return "Not affected: the wave is cancelled and no instance shows maintenance."
    # The guidance: maintenance without a reboot pauses instances for seconds, fault domain by fault domain.
    return (
        "Not affected: no instance shows maintenance. Maintenance without a reboot only pauses an instance "
        "for a few seconds, one fault domain at a time, and needs no plan."
    )


def _impacted(concerned: Sequence[Instance], instances: Sequence[Instance]) -> Check:
    show = f"{len(concerned)} of {len(instances)} instances show maintenance."
    words = show if concerned else f"None of {len(instances)} instances shows maintenance."
    return Check(CheckName.IMPACTED, Outcome.PASS, words, tuple(instance.id for instance in concerned))


def _offered(concerned: Sequence[Instance], window: Interval | None, now: datetime) -> Check:
    """Allowed now, or allowed later: before the window opens is a date, not a refusal."""
    name = CheckName.OFFERED
    if not concerned:
        return Check(name, Outcome.PASS, "No instance shows maintenance, so there is nothing to offer.")
    allowed = _allowed(concerned)
    if allowed:
        words = f"Azure offers self-service for {len(allowed)} of {len(concerned)} instances."
        return Check(name, Outcome.PASS, words, allowed)
    if window is None:
        return Check(name, Outcome.BLOCK, "Azure shows maintenance but no self-service window.")
    if now < window.start:
        return Check(name, Outcome.PASS, f"Azure offers self-service from {say(window.start)}.")
    if now >= window.end:
        return Check(name, Outcome.BLOCK, f"The self-service window closed at {say(window.end)}.")
    return Check(name, Outcome.BLOCK, "Azure does not offer self-service for any of its instances.")


def _allowed(concerned: Sequence[Instance]) -> tuple[str, ...]:
    return tuple(instance.id for instance in concerned if (status := instance.status) and status.allowed)


def _known_domains(scale_set: ScaleSet, concerned: Sequence[Instance]) -> int:
    """How many update domains Azure shows; a Flexible scale set shows none that could be relied on."""
    if scale_set.flexible:
        return 0
    known = (instance for instance in concerned if instance.update_domain is not None)
    return len({domain_of(scale_set, instance) for instance in known})


def _need(rules: Rules, domains: int) -> Check:
    """An exact window, a date, an order, a pause above 30 minutes, or `always` (the guidance's use cases)."""
    needs: list[str] = []
    if rules.self_service is SelfService.ALWAYS:
        needs.append("self-service is `always`")
    if rules.windows:
        needs.append("maintenance windows are declared")
    if rules.complete_by is not None:
        needs.append(f"it must be done by {say(rules.complete_by)}")
    if rules.tier or rules.after:
        needs.append("an order between scale sets is declared")
    if CheckName.AZURE_DOMAINS in rules.accept and domains > 1:
        needs.append("`azure-domains` is accepted")
    if rules.soak > LONG_SOAK:
        needs.append("it wants more than 30 minutes between domains")
    if not needs:
        return Check(CheckName.NEED, Outcome.NOT_DECLARED, "No need for self-service is declared.")
    return Check(CheckName.NEED, Outcome.PASS, f"{upper('; '.join(needs))}.")


def _azure_domains(scale_set: ScaleSet, domains: int, need: Check, rules: Rules) -> Check:
    """The guidance on availability sets: Azure takes one domain at a time by itself, and waits in between."""
    name = CheckName.AZURE_DOMAINS
    if domains < 2:
        why = "its instances share one" if domains else "Azure shows none"
        why = "a Flexible scale set shows none" if scale_set.flexible else why
        return Check(name, Outcome.PASS, f"No update domains that Azure could take one by one: {why}.")
    ours = f"Azure would take its {domains} update domains one at a time, 30 minutes apart"
    if name in rules.accept:
        where = rules.sources.get("accept", "the policy")
        words = f"{ours}, which protects it as well as we could. Accepted ({where})."
        return Check(name, Outcome.ACCEPTED, words)
    if need.outcome is Outcome.PASS:
        return Check(name, Outcome.PASS, f"{ours}; a need for more than that is declared.")
    words = f"{ours}, which protects it as well as we could; no need for more is declared."
    return Check(name, Outcome.BLOCK, words)


def _order(rules: Rules, problem: str) -> Check:
    after = f"It goes after {', '.join(rules.after)}." if rules.after else "No scale set goes before it."
    return Check(CheckName.ORDER, Outcome.BLOCK if problem else Outcome.PASS, problem or after)


def _common(windows: Sequence[Interval]) -> Interval | None:
    """The common ground of several windows: the earliest start and the earliest end."""
    if not windows:
        return None
    return Interval(min(window.start for window in windows), min(window.end for window in windows))
