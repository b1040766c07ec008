"""A snapshot without names: pseudonyms that are the same all through one file, and that nobody can undo.

They are made with a random key that is forgotten at once. What decides a plan stays: regions, zones, times,
states, the types of managing resources, and the values of Breakwater's own tags that are no names.
"""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256

from handlers.cli.snapshot import Lookups, Snapshot, Subscription, Trouble
from handlers.cloud.graph import Found
from planner.azure.fleet import Instance, ScaleSet, Unreadable
from planner.azure.usage import Evidence, Habits
from planner.decision.managed import NODE_GROUP
from planner.policy.keys import TAG_PREFIX

NAMING = frozenset({"after", "tier", "owner"})
"""Tags of ours whose values are names: scale sets, tiers, receivers."""

LENGTH = 8
"""Characters of a pseudonym: enough to tell thousands of names apart."""


def anonymised(snapshot: Snapshot) -> Snapshot:
    """The snapshot with every name replaced."""
    names = _Names(secrets.token_bytes(32))
    return replace(
        snapshot,
        subscriptions=tuple(names.subscription(each) for each in snapshot.subscriptions),
        anonymised=True,
    )


@dataclass(frozen=True, slots=True)
class _Names:
    """Pseudonyms by one key; case does not count, as in Azure."""

    key: bytes

    def _hash(self, name: str) -> str:
        return hmac.new(self.key, name.lower().encode(), sha256).hexdigest()

    def _name(self, kind: str, name: str) -> str:
        return f"{kind}-{self._hash(name)[:LENGTH]}" if name else ""

    def guid(self, name: str) -> str:
        made = self._hash(name)
        return f"{made[:8]}-{made[8:12]}-{made[12:16]}-{made[16:20]}-{made[20:32]}"

    def _group(self, name: str) -> str:
        """The beginning by which AKS names its groups stays: it decides."""
        begins = name[: len(NODE_GROUP)] if name.lower().startswith(NODE_GROUP) else ""
        return f"{begins}{self._name('rg', name)}"

    def set_name(self, name: str) -> str:
        return self._name("set", name)

    def arm_id(self, text: str) -> str:
        """An ARM id with its names replaced, and what it is an id of as it was."""
        parts = text.split("/")
        for at in range(1, len(parts) - 1, 2):
            key, value = parts[at].lower(), parts[at + 1]
            if key == "providers":
                return "/".join((*parts[: at + 2], *self._typed(parts[at + 2 :])))
            parts[at + 1] = self._value(key, value)
        return "/".join(parts)

    def _typed(self, parts: list[str]) -> list[str]:
        """Types and names take turns after the provider."""
        return [self._value(parts[at - 1].lower(), part) if at % 2 else part for at, part in enumerate(parts)]

    def _value(self, kind: str, value: str) -> str:
        match kind:
            case "subscriptions":
                return self.guid(value)
            case "resourcegroups":
                return self._group(value)
            case "virtualmachinescalesets":
                return self.set_name(value)
            case "virtualmachines":
                return self.instance_id(value)
            case _:
                return self._name("res", value)

    def instance_id(self, name: str) -> str:
        """Ids of Uniform instances are numbers and name nobody."""
        return name if name.isdigit() else self._name("vm", name)

    def scale_set(self, found: ScaleSet) -> ScaleSet:
        return replace(
            found,
            id=self.arm_id(found.id),
            subscription=self.guid(found.subscription),
            resource_group=self._group(found.resource_group),
            name=self.set_name(found.name),
            tags={name: self.tag(name, value) for name, value in found.tags.items()},
            managed_by=self.arm_id(found.managed_by),
            unreadable=tuple("Something of it could not be read." for _ in found.unreadable),
        )

    def tag(self, name: str, value: str) -> str:
        low = name.lower()
        if not low.startswith(TAG_PREFIX):
            # Some services are known by a tag's value.
            if value.lower().startswith("/subscriptions/"):
                return self.arm_id(value)
            return value if value.lower() in {"true", "false", ""} else self._name("value", value)
        if low.removeprefix(TAG_PREFIX) not in NAMING:
            return value
        return ", ".join(self.set_name(part.strip()) for part in value.split(",") if part.strip())

    def instance(self, found: Instance) -> Instance:
        maintenance = found.maintenance
        if isinstance(maintenance, Unreadable):
            maintenance = Unreadable("Azure left out its view")
        elif maintenance is not None:
            maintenance = replace(maintenance, message="")
        return replace(
            found,
            id=self.instance_id(found.id),
            placement_group=self._name("group", found.placement_group),
            maintenance=maintenance,
        )

    def place(self, key: str) -> str:
        """The key of a scale set, or of an instance of it (`key/id`)."""
        low = key.lower()
        if low.count("/") % 2 or not low.startswith("/subscriptions/"):
            owner, _, instance = key.rpartition("/")
            return f"{self.arm_id(owner).lower()}/{self.instance_id(instance)}" if owner else key
        return self.arm_id(key).lower()

    def habits(self, found: Habits) -> Habits:
        return replace(
            found,
            stopped_by=self._name("caller", found.stopped_by),
            stopped={self.instance_id(each): at for each, at in found.stopped.items()},
            healed={self.instance_id(each): at for each, at in found.healed.items()},
            autoscale=self._name("autoscale", found.autoscale),
            to_zero=self._name("profile", found.to_zero),
            shutdown=self._name("schedule", found.shutdown),
            group_managed_by=self.arm_id(found.group_managed_by),
        )

    def lookups(self, found: Lookups) -> Lookups:
        evidence: Evidence = replace(
            found.evidence,
            unread=dict.fromkeys(found.evidence.unread, "It could not be read."),
            scale_sets={
                self.arm_id(key).lower(): self.habits(habits)
                for key, habits in found.evidence.scale_sets.items()
            },
        )
        return Lookups(tuple(self.arm_id(key).lower() for key in found.about), evidence)

    def wave(self, found: Found) -> Found:
        return replace(found, subscription=self.guid(found.subscription), title="Maintenance", summary="")

    def subscription(self, seen: Subscription) -> Subscription:
        instances: Mapping[str, tuple[Instance, ...]] = {
            self.place(key): tuple(map(self.instance, listed)) for key, listed in seen.instances.items()
        }
        return Subscription(
            id=self.guid(seen.id),
            maintenance=tuple(map(self.wave, seen.maintenance)) if seen.maintenance is not None else None,
            scale_sets=tuple(map(self.scale_set, seen.scale_sets)) if seen.scale_sets is not None else None,
            instances=instances,
            single={self.place(key): self.instance(each) for key, each in seen.single.items()},
            lookups=tuple(map(self.lookups, seen.lookups)),
            troubles={
                self.place(name): Trouble(each.kind, "It could not be read.", each.code, each.wait)
                for name, each in seen.troubles.items()
            },
        )
