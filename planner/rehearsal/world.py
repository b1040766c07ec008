"""What the scale sets of one subscription share: waves, policy, queue, and the records of their runs."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from planner.azure.fleet import Instance, Interval, ScaleSet
from planner.azure.usage import LOOK_BACK, Evidence, Habits
from planner.azure.wave import Stage, Wave, informed, with_announcement
from planner.policy.fingerprint import digest
from planner.policy.model import Policy
from planner.policy.resolve import member_for, rules_for
from planner.record.action import StartOutcome, StartResult
from planner.record.copying import replace
from planner.record.run import Run
from planner.rehearsal import azures_turn
from planner.rehearsal.machines import Machines
from planner.rehearsal.part import Part, Snapshot
from planner.rehearsal.queue import Queue
from planner.rehearsal.trouble import Throttling, Trouble, fate
from planner.words import refusals as words


class World:
    """One subscription; `waves` by tracking id, `parts` and `runs` by key of the scale set."""

    def __init__(
        self,
        fleet: Sequence[Snapshot],
        waves: Sequence[Wave],
        policy: Policy,
        trouble: Trouble,
        seed: int,
        start: datetime,
    ) -> None:
        self.policy, self.policy_digest = policy, digest(policy)
        self.stopped = policy.why_stopped
        self._throttled = _spans(trouble.throttled, start)
        self._unread = _spans(trouble.unread, start)
        self.queue = Queue(policy.limits)
        self.waves = {wave.tracking_id: _discovered(wave, fleet, policy, start) for wave in waves}
        self.runs: dict[str, Run] = {}
        self.parts: dict[str, Part] = {}
        for each in sorted(fleet, key=lambda each: each.scale_set.key):
            key = each.scale_set.key
            scale_set = informed(each.scale_set, tuple(self.waves.values()))

            azures = partial(self._azures, scale_set, seed)
            machines = Machines(each.instances, start, partial(fate, trouble, seed, key), azures)
            self.parts[key] = Part(key, scale_set, machines, rules_for(policy, scale_set))
        self._named = {name.lower() for part in self.parts.values() for name in part.rules.after}

    @staticmethod
    def _azures(
        scale_set: ScaleSet, seed: int, left: Sequence[Instance], window: Interval
    ) -> Mapping[str, datetime]:
        return azures_turn.moments(scale_set, left, window, seed)

    def waves_of(self, run: Run) -> list[Wave]:
        """The waves that a run belongs to."""
        return [self.waves[name] for name in run.waves if name in self.waves]

    def covered_by(self, wave: Wave) -> list[Part]:
        """The scale sets on the roster of a wave."""
        return [self.parts[member.scale_set.key] for member in wave.roster]

    def followed(self, part: Part) -> bool:
        """Whether others go after this scale set."""
        return not self._named.isdisjoint({part.scale_set.name.lower(), part.rules.tier.lower()})

    def written(self, part: Part, run: Run) -> None:
        """A run's record is replaced."""
        part.run = self.runs[part.key] = run
        self.queue.written(part.key, run)

    def start(self, part: Part, instance: str, now: datetime) -> StartResult:
        """What Azure answers to a start."""
        for span, wait in self._throttled:
            if now in span:
                asked = words.wait_asked_for(wait)
                return StartResult(instance, StartOutcome.WITHDRAWN, message=asked, retry_after=wait)
        return part.machines.start(instance, now)

    def throttles_reads(self, now: datetime) -> timedelta | None:
        """How long Azure asks to be left alone; None while it can be read."""
        return next((wait for span, wait in self._unread if now in span), None)

    def turns(self) -> list[datetime]:
        """When Azure begins to throttle reads, or no longer does."""
        return [at for span, _ in self._unread for at in (span.start, span.end)]

    def announce(self, tracking_id: str, stage: Stage, now: datetime) -> Wave:
        """Azure announces a wave anew."""
        wave = self.waves[tracking_id]
        name = f"{tracking_id} {stage} {now.isoformat()}"
        new = replace(
            wave.current,
            communication_id=name,
            alert=name,
            stage=stage,
            event_time=now,
            submitted_at=now,
            received_at=now,
        )
        self.waves[tracking_id] = with_announcement(wave, new)
        return self.waves[tracking_id]

    def last_closing(self) -> datetime | None:
        """When the last window closes, Azure's own ones too, as the machines show it now."""
        return max(
            (at for part in self.parts.values() for at in part.machines.closings()),
            default=None,
        )


def _spans(throttled: Sequence[Throttling], start: datetime) -> list[tuple[Interval, timedelta]]:
    return [(Interval(start + each.after, start + each.after + each.lasts), each.wait) for each in throttled]


def _discovered(wave: Wave, fleet: Sequence[Snapshot], policy: Policy, start: datetime) -> Wave:
    """The wave with the fleet as its roster, and what is known of its habits as its look-ups."""
    covered = [each.scale_set for each in fleet if wave.current.covers(each.scale_set.location)]
    members = sorted((member_for(policy, each) for each in covered), key=lambda member: member.scale_set.key)
    unread = {source: why for each in covered for source, why in each.unread.items()}
    habits: Mapping[str, Habits] = {each.key: each.habits for each in covered if each.habits is not None}
    evidence = wave.evidence or Evidence(start, start - LOOK_BACK, unread, habits)
    return replace(wave, roster=tuple(members), evidence=evidence, unlooked=())
