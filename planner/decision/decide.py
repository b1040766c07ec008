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
from planner.words import verdicts as words
from planner.words.checks import THE_POLICY

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
        return Verdict.LEAVE_TO_AZURE, words.left_to_azure(offer.reason)
    if rules.self_service is SelfService.NEVER:
        source = rules.sources.get("self-service", THE_POLICY)
        return Verdict.LEAVE_TO_AZURE, words.never(source)
    if need.outcome is not Outcome.PASS:
        return Verdict.LEAVE_TO_AZURE, words.NOBODY_NEEDS_IT
    if stopping:
        return Verdict.LEAVE_TO_AZURE, words.left_for_checks(check.reason for check in stopping)
    if rules.mode is Mode.OBSERVE:
        return Verdict.SELF_SERVICE, words.would_be_rebooted(need.reason)
    return Verdict.SELF_SERVICE, words.rebooted_by_us(need.reason)


def _not_impacted(announcements: Sequence[Announcement]) -> str:
    if announcements and all(announcement.stage is Stage.CANCELED for announcement in announcements):
        return words.WAVE_CANCELLED
    # The guidance: maintenance without a reboot pauses instances for seconds, fault domain by fault domain.
    return words.NOT_AFFECTED


def _impacted(concerned: Sequence[Instance], instances: Sequence[Instance]) -> Check:
    show = words.show_maintenance(len(concerned), len(instances))
    return Check(CheckName.IMPACTED, Outcome.PASS, show, tuple(instance.id for instance in concerned))


def _offered(concerned: Sequence[Instance], window: Interval | None, now: datetime) -> Check:
    """Allowed now, or allowed later: before the window opens is a date, not a refusal."""
    name = CheckName.OFFERED
    if not concerned:
        return Check(name, Outcome.PASS, words.NOTHING_TO_OFFER)
    allowed = _allowed(concerned)
    if allowed:
        return Check(name, Outcome.PASS, words.offered_for(len(allowed), len(concerned)), allowed)
    if window is None:
        return Check(name, Outcome.BLOCK, words.NO_WINDOW)
    if now < window.start:
        return Check(name, Outcome.PASS, words.offered_from(window.start))
    if now >= window.end:
        return Check(name, Outcome.BLOCK, words.window_closed(window.end))
    return Check(name, Outcome.BLOCK, words.NOT_OFFERED)


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
        needs.append(words.ALWAYS)
    if rules.windows:
        needs.append(words.WINDOWS)
    if rules.complete_by is not None:
        needs.append(words.done_by(rules.complete_by))
    if rules.tier or rules.after:
        needs.append(words.ORDER)
    if CheckName.AZURE_DOMAINS in rules.accept and domains > 1:
        needs.append(words.DOMAINS_ACCEPTED)
    if rules.soak > LONG_SOAK:
        needs.append(words.LONG_PAUSES)
    if not needs:
        return Check(CheckName.NEED, Outcome.NOT_DECLARED, words.NO_NEED)
    return Check(CheckName.NEED, Outcome.PASS, words.needed(needs))


def _azure_domains(scale_set: ScaleSet, domains: int, need: Check, rules: Rules) -> Check:
    """The guidance on availability sets: Azure takes one domain at a time by itself, and waits in between."""
    name = CheckName.AZURE_DOMAINS
    if domains < 2:
        return Check(name, Outcome.PASS, words.no_azure_domains(domains, flexible=scale_set.flexible))
    if name in rules.accept:
        where = rules.sources.get("accept", THE_POLICY)
        return Check(name, Outcome.ACCEPTED, words.azure_domains_accepted(domains, where))
    if need.outcome is Outcome.PASS:
        return Check(name, Outcome.PASS, words.azure_domains_not_enough(domains))
    return Check(name, Outcome.BLOCK, words.azure_domains_enough(domains))


def _order(rules: Rules, problem: str) -> Check:
    outcome = Outcome.BLOCK if problem else Outcome.PASS
    return Check(CheckName.ORDER, outcome, problem or words.goes_after(rules.after))


def _common(windows: Sequence[Interval]) -> Interval | None:
    """The common ground of several windows: the earliest start and the earliest end."""
    if not windows:
        return None
    return Interval(min(window.start for window in windows), min(window.end for window in windows))
