"""Who goes down together: domains, zones, placement groups, and how many at once."""

from collections.abc import Iterable, Sequence

from planner.azure.fleet import Domain, Instance, ScaleSet, domain_of, natural
from planner.policy.model import Rules
from planner.record.batch import Batch
from planner.record.instance import InstanceProgress
from planner.words import batches as words

DEFAULT_SHARE = 5
"""A domain, but at most a fifth of the running instances (docs/policy.md, `max-unavailable`)."""

FEWEST_LETTERS = 8
"""Letters of a placement group's name that a label has at least, where there is more than one group."""


def most_down(scale_set: ScaleSet, rules: Rules, running: int, domain_size: int) -> int:
    """How many instances may be down at once: never more than the domain, never less than one."""
    bounds = [share.of(running) for share in rules.max_unavailable]
    if rules.default_share or not bounds:
        bounds.append(1 if scale_set.flexible else running // DEFAULT_SHARE)
    return max(1, min(domain_size, *bounds))


def batches_of(
    scale_set: ScaleSet, concerned: Iterable[Instance], running: int, rules: Rules
) -> tuple[Batch, ...]:
    """The instances concerned, in batches by domain, in an order that is the same every time."""
    groups: dict[Domain, list[Instance]] = {}
    for instance in concerned:
        groups.setdefault(domain_of(scale_set, instance), []).append(instance)
    letters = _group_letters({group for _, group, _ in groups})
    batches: list[Batch] = []
    for domain in sorted(groups, key=lambda parts: tuple(map(natural, parts))):
        members = sorted(groups[domain], key=lambda instance: natural(instance.id))
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
    window, code = (status.self_service, status.result) if status is not None else (None, "")
    return InstanceProgress(instance.id, instance.zone, window=window, code=code)


def _group_letters(groups: set[str]) -> int:
    """How much of a placement group's name tells it from the others: people name domains by their labels."""
    if len(groups) < 2:
        return 0
    most = max(map(len, groups))
    enough = (
        letters
        for letters in range(FEWEST_LETTERS, most)
        if len({name[:letters] for name in groups}) == len(groups)
    )
    return next(enough, most)


def _label(scale_set: ScaleSet, domain: Domain, part: Sequence[Instance], *, group_letters: int) -> str:
    """The batch's domain for people; a Flexible set's batch is named by its instances."""
    zone, group, update_domain = domain
    parts = [words.zone(zone)] if zone else []
    if group[:group_letters]:
        parts.append(words.placement_group(group[:group_letters]))
    if not scale_set.flexible:
        parts.append(words.update_domain(update_domain))
    else:
        parts.append(words.instances([instance.id for instance in part]))
    return words.domain(parts)
