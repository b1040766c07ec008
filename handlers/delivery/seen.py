"""What one poll of notify finds of a wave: the runs that somebody has to be told of, and the records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote

from handlers.cloud.records import Listed
from handlers.delivery.deliver import NOBODY
from handlers.waves import figures
from handlers.wire.documents import waves_of
from handlers.wire.messages import NoticeMessage
from handlers.wire.run_lines import paging
from handlers.wiring import Wiring
from planner.azure.wave import Wave
from planner.notices.alarms import Ring
from planner.notices.delivery import Delivery, behind, furthest
from planner.notices.digest import Overview
from planner.policy.hearing import deaf, default_receiver
from planner.policy.model import Policy, Receiver
from planner.record.run import Run

BUILT_IN = Receiver("")
"""How pages come again where the policy declares no receiver."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one poll found of a wave; `runs` are those that some channel has to be told of."""

    message: NoticeMessage
    now: datetime
    waves: tuple[Wave, ...]
    overview: Overview
    listed: Mapping[str, Listed]
    runs: Mapping[str, Run]
    deliveries: Mapping[str, tuple[Delivery, str]]
    policy: Policy

    @property
    def receivers(self) -> list[str]:
        """Who has been told something or may have to be, each once whatever the case."""
        names = [delivery.receiver for delivery, _ in self.deliveries.values()]
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
        return known[0].told if known is not None else {}

    def reached_by_others(self, receiver: str) -> Mapping[str, int]:
        """What other receivers know: a run that changed hands is not told from its beginning."""
        return furthest(
            other.reached()
            for other, _ in self.deliveries.values()
            if other.receiver.lower() != receiver.lower()
        )

    def lent(self) -> Mapping[str, int]:
        """The last notice per run that another receiver has been told in place of the run's own."""
        return furthest(delivery.lent() for delivery, _ in self.deliveries.values())

    def rings(self, receiver: str) -> Mapping[str, Ring]:
        """The runs that page this receiver: its own, and those that escalate to it."""
        found: dict[str, Ring] = {}
        for path, line in self.listed.items():
            if (page := paging(line.metadata)) is None:
                continue
            name = unquote(line.metadata.get("receiver", "")) or NOBODY
            owner = self.policy.receiver(name) or BUILT_IN
            mine = name.lower() == receiver.lower()
            if mine or owner.escalate_to.lower() == receiver.lower():
                found[path] = Ring(*page, owner.repeat_every, owner.escalate_after, escalated=not mine)
        return found


def receiver_of(run: Run) -> str:
    """Whose notices a run's are, by name."""
    return run.terms.receiver or NOBODY


async def see(message: NoticeMessage, members: Sequence[Listed], policy: Policy, wiring: Wiring) -> Seen:
    """Read what is untold, on its way, or pages. Raises what storage raises."""
    tracking_id = message.tracking_id
    stored = [found async for found in wiring.deliveries.of_wave(tracking_id)]
    told_here = {line.path: line for line in members if waves_of(line.metadata)[0] == tracking_id}
    last_notices = {path: int(line.metadata.get("last_notice", "0")) for path, line in told_here.items()}
    wanted = {*behind((delivery for delivery, _ in stored), last_notices)}
    wanted |= {path for path, line in told_here.items() if "page" in line.metadata}
    for delivery, _ in stored:
        for state in delivery.channels.values():
            wanted |= state.sending.runs if state.sending else frozenset()
            wanted |= {path for path, paged in state.paged.items() if paged.escalated}
    waves = await wiring.waves.of(tracking_id)
    counts = figures.overview(waves, {line.path: line for line in members})
    runs = await wiring.runs.read_listed([told_here[path] for path in sorted(wanted & told_here.keys())])
    deliveries = {delivery.receiver.lower(): (delivery, etag) for delivery, etag in stored}
    return Seen(message, wiring.now(), waves, counts, told_here, runs, deliveries, policy)
