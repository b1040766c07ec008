"""Who goes down together: domains, zones, placement groups, and how many at once."""

from collections.abc import Iterable, Sequence

from planner.azure.fleet import Domain, Instance, ScaleSet, domain_label, domain_of, natural
from planner.policy.model import Rules
from planner.record.batch import Batch
from planner.record.instance import InstanceProgress

MOST_NAMED = 2
"""Instances that the name of a Flexible set's batch spells out."""


DEFAULT_SHARE = 5
"""A domain, but at most a fifth of the running instances (docs/policy.md, `max-unavailable`)."""


def most_down(scale_set: ScaleSet, rules: Rules, running: int, domain_size: int) -> int:
    """How many instances may be down at once: never more than the domain, never less than one."""
    bounds = [share.of(running) for share in rules.max_unavailable]
    if rules.default_share or not bounds:
        bounds.append(1 if scale_set.flexible else max(1, running // DEFAULT_SHARE))
    return max(1, min(domain_size, *bounds))


def batches_of(
    scale_set: ScaleSet, concerned: Iterable[Instance], running: int, rules: Rules
) -> tuple[Batch, ...]:
    """The instances concerned, in batches by domain, in an order that is the same every time."""
    groups: dict[Domain, list[Instance]] = {}
    for instance in concerned:
        groups.setdefault(together(scale_set, instance), []).append(instance)
    letters = _group_letters({group for _, group, _ in groups})
    batches: list[Batch] = []
    for domain in sorted(groups, key=_order):
        members = sorted(groups[domain], key=lambda one: natural(one.id))
        size = most_down(scale_set, rules, running, len(members))
        for at in range(0, len(members), size):
            part = members[at : at + size]
            batches.append(
                Batch(
                    number=len(batches) + 1,
                    domain=_label(scale_set, domain, part, group_letters=letters),
                    instances=tuple(map(_progress, part)),
                )
            )
    return tuple(batches)


def _progress(instance: Instance) -> InstanceProgress:
    status = instance.status
    if status is None:
        return InstanceProgress(instance.id, instance.zone)
    return InstanceProgress(instance.id, instance.zone, window=status.self_service, code=status.result)


def together(scale_set: ScaleSet, instance: Instance) -> Domain:
    """What instances share that may be in one batch."""
    # A Flexible set has no usable domains: max-unavailable may widen one at a time, within one zone.
    return (instance.zone, "", "") if scale_set.flexible else domain_of(scale_set, instance)


def _order(domain: Domain) -> tuple[object, ...]:
    return tuple(natural(part) for part in domain)


def _group_letters(groups: set[str]) -> int:
    """How much of a placement group's name tells it from the others: people name domains by their labels."""
    if len(groups) < 2:
        return 0
    most = max(map(len, groups))
    return next((one for one in range(8, most) if len({name[:one] for name in groups}) == len(groups)), most)


def _label(scale_set: ScaleSet, domain: Domain, part: Sequence[Instance], *, group_letters: int) -> str:
    if not scale_set.flexible:
        return domain_label(domain, group_letters=group_letters)
    zone = f"zone {domain[0]}, " if domain[0] else ""
    if len(part) > MOST_NAMED:
        # A name has to be said and typed; the first and the last tell batches of one zone apart.
        return f"{zone}instances {part[0].id} to {part[-1].id} ({len(part)})"
    return f"{zone}{'instance' if len(part) == 1 else 'instances'} {', '.join(one.id for one in part)}"
