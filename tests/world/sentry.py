"""Every start at the moment Azure is asked for it, judged by what people want by then and by what is down.

The fleet's ledger does not know what people have written into tags and policy, so this stands at Azure's door.
"""

from collections.abc import Callable, Iterator
from datetime import datetime

from planner.policy.model import Policy
from simulator.fleet import Instance
from tests.world.served import Served, most_down

FORBIDDEN = {"self-service": "never", "mode": "observe"}


class Sentry:
    """`policy` is the one in force, `raised` names the sets for whose run a person has raised a key."""

    def __init__(
        self, policy: Callable[[], Policy], raised: Callable[[str], set[str]], served: Served | None = None
    ) -> None:
        self.findings: list[str] = []
        self._policy, self._raised, self._served = policy, raised, served

    def asked(self, instance: Instance, now: datetime) -> None:
        """Called when the customer asks for a start, before Azure answers."""
        if self._served is not None:
            self._served.asked(instance, now)
        what = f"{now:%Y-%m-%d %H:%M:%S}Z {instance.name} of {instance.owner.name} was started"
        self.findings += [
            f"{what} {why}" for why in (*self._wanted(instance, now), *self._together(instance))
        ]

    def _wanted(self, instance: Instance, now: datetime) -> Iterator[str]:
        policy, tags = self._policy(), instance.owner.tags
        if policy.stop:
            yield "although everything is stopped"
        for freeze in policy.freezes:
            if freeze.start <= now < freeze.end:
                yield f"in the freeze from {freeze.start} to {freeze.end}"
        for key, word in FORBIDDEN.items():
            if word in {tags.get(f"breakwater-{key}"), policy.defaults.get(key)}:
                yield f"although its {key} is {word}"
        if instance.protect_from_actions:
            yield "although it is protected from scale-set actions"

    def _together(self, instance: Instance) -> Iterator[str]:
        owner = instance.owner
        if owner.name in self._raised("max-unavailable"):
            return
        flying = [
            one.name
            for one in owner.instances.values()
            if one is not instance and one.operation is not None and one.operation.who == "customer"
        ]
        most = most_down(owner)
        if len(flying) + 1 > most:
            yield f"with {', '.join(flying)} under way, and {most} of {len(owner.instances)} may be down at once"
