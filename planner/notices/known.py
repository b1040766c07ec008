"""What is known of a wave when its receivers are told: who has to hear what, and what they have heard."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from planner.notices import ears
from planner.notices.alarms import Ring
from planner.notices.delivery import ChannelState, Delivery, furthest
from planner.notices.digest import Overview
from planner.policy.hearing import deaf, default_receiver
from planner.policy.model import Policy, Receiver
from planner.record.notice import Notice
from planner.record.run import Run

NOBODY = "nobody"
"""The receiver, and the channel, where the policy names nobody to tell."""

BUILT_IN = Receiver("")
"""How pages come again where the policy declares no receiver."""


@dataclass(frozen=True, slots=True)
class Page:
    """A run that pages by its notice `number`, since when (aware UTC); `receiver` is its own, by name."""

    receiver: str
    number: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """A wave at `now` (aware UTC): `runs` by key are those that some channel has to be told of.

    `deliveries` are the records by receiver in lower case, `pages` the runs that page by key.
    """

    now: datetime
    policy: Policy
    overview: Overview
    runs: Mapping[str, Run]
    deliveries: Mapping[str, Delivery]
    pages: Mapping[str, Page]

    @property
    def receivers(self) -> list[str]:
        """Who has been told something or may have to be, each once whatever the case."""
        names = [delivery.receiver for delivery in self.deliveries.values()]
        names += map(receiver_of, self.runs.values())
        owners = [owner for name in names if (owner := self.policy.receiver(name)) is not None]
        names += [owner.escalate_to for owner in owners if owner.escalate_to]
        default = default_receiver(self.policy)
        if default is not None and any(map(deaf, owners)):
            names.append(default.name)
        return sorted({name.lower(): name for name in reversed(names)}.values())

    def owner(self, run: Run) -> Receiver | None:
        """The run's own receiver as the policy has it now."""
        return self.policy.receiver(receiver_of(run))

    def runs_of(self, receiver: str) -> Mapping[str, Run]:
        return {path: run for path, run in self.runs.items() if receiver_of(run).lower() == receiver.lower()}

    def told_to(self, receiver: str) -> Mapping[str, int]:
        """The last notice per run that all channels of this receiver have."""
        known = self.deliveries.get(receiver.lower())
        return known.told if known is not None else {}

    def reached_by_others(self, receiver: str) -> Mapping[str, int]:
        """What other receivers know: a run that changed hands is not told from its beginning."""
        return furthest(
            other.reached()
            for other in self.deliveries.values()
            if other.receiver.lower() != receiver.lower()
        )

    def lent(self) -> Mapping[str, int]:
        """The last notice per run that another receiver has been told in place of the run's own."""
        return furthest(delivery.lent() for delivery in self.deliveries.values())

    def rings(self, receiver: str) -> Mapping[str, Ring]:
        """The runs that page this receiver: its own, and those that escalate to it."""
        found: dict[str, Ring] = {}
        for path, page in self.pages.items():
            owner = self.policy.receiver(page.receiver) or BUILT_IN
            mine = page.receiver.lower() == receiver.lower()
            if mine or owner.escalate_to.lower() == receiver.lower():
                found[path] = Ring(
                    page.number, page.since, owner.repeat_every, owner.escalate_after, escalated=not mine
                )
        return found

    def borrowed(self, key: str, state: ChannelState, receiver: str) -> tuple[Notice, ...]:
        """What a receiver has to be told of another's run, since that one has chosen not to hear it."""
        run, mine = self.runs[key], self.policy.receiver(receiver)
        owner = self.owner(run)
        if mine is None or owner is None:
            return ()
        told = max(state.lent.get(key, 0), self.told_to(owner.name).get(key, 0))
        return ears.by_another(run, told, owner, mine, self.policy)


def receiver_of(run: Run) -> str:
    """Whose notices a run's are, by name."""
    return run.terms.receiver or NOBODY
