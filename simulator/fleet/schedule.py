"""The life of waves: planned, moved, cancelled, done; and Azure's own turn in the scheduled window.

Azure works on all sets at once, and within a set domain by domain: `azure_reboot` for the domain,
`azure_pause`, the next one (about 25 and 30 minutes, azure-facts 9). It asks nobody and looks at no flag.
"""

from collections import defaultdict
from datetime import datetime

from simulator.fleet.ledger import WaveBecame
from simulator.fleet.maintenance import Maintenance
from simulator.fleet.model import Instance, ScaleSet
from simulator.fleet.waves import Ticket, Wave, WaveState, Window
from simulator.fleet.world import World


class Schedule:
    def __init__(self, world: World, maintenance: Maintenance) -> None:
        self._world = world
        self._maintenance = maintenance
        self._at_work: set[tuple[str, int, str]] = set()

    def plan(self, wave: Wave) -> None:
        """Announce a wave: from now on the impacted instances show their status."""
        self._world.look()
        if wave.tracking_id in self._world.waves:
            raise ValueError(f"wave {wave.tracking_id} is planned already; reschedule it instead")
        self._world.waves[wave.tracking_id] = wave
        self._world.subscriptions.update(wave.subscriptions)
        for instance in self._world.instances():
            owner = instance.owner
            covered = owner.subscription in wave.subscriptions and owner.location in wave.regions
            if covered and wave.impacted(instance):
                self._admit(wave, instance)
        self._become(wave, "planned")
        self._set_dates(wave)

    def include(self, tracking_id: str, instance: Instance) -> None:
        """Make an instance part of a wave late, as one created into it is: without any announcement."""
        self._world.look()
        self._admit(self._world.waves[tracking_id], instance)

    def reschedule(
        self, tracking_id: str, self_service: Window, scheduled: Window, *, again: bool = False
    ) -> None:
        """Move a wave to new windows; a cancelled one reopens.

        again: what was maintained already is scheduled a second time too.
        """
        now = self._world.look()
        wave = self._world.waves[tracking_id]
        wave.self_service, wave.scheduled = self_service, scheduled
        for instance, ticket in wave.tickets:
            if again or ticket.done_at is None:
                ticket.renew(self_service, scheduled)
                self._show(instance, now)
        self._become(wave, "planned")
        self._set_dates(wave)

    def schedule_again(
        self, tracking_id: str, instance: Instance, self_service: Window, scheduled: Window
    ) -> None:
        """Bring one instance back into the wave with windows of its own, maintained or not."""
        now = self._world.look()
        wave = self._world.waves[tracking_id]
        for other, ticket in wave.tickets:
            if other is instance:
                ticket.renew(self_service, scheduled)
        self._show(instance, now)
        for moment in (self_service.start, self_service.end):
            self._world.timeline.at(moment, instance.touch)
        generation = wave.generation
        self._world.timeline.at(scheduled.start, lambda: self._next_domain(wave, generation, instance.owner))

    def cancel(self, tracking_id: str) -> None:
        """Call a wave off: its status vanishes from every instance, and what is in flight runs to its end."""
        self._world.look()
        self._close(tracking_id, "cancelled")

    def complete(self, tracking_id: str) -> None:
        self._world.look()
        self._close(tracking_id, "complete")

    def _close(self, tracking_id: str, state: WaveState) -> None:
        wave = self._world.waves[tracking_id]
        self._become(wave, state)
        for instance, _ in wave.tickets:
            self._show(instance, self._world.now)

    def _admit(self, wave: Wave, instance: Instance) -> None:
        ticket = Ticket(wave, wave.eligible(instance), wave.self_service, wave.scheduled)
        instance.tickets.append(ticket)
        wave.tickets.append((instance, ticket))
        self._show(instance, self._world.now)

    def _show(self, instance: Instance, now: datetime) -> None:
        instance.shown_since = now
        instance.touch()

    def _become(self, wave: Wave, state: WaveState) -> None:
        if state != "in_progress":
            wave.generation += 1
        wave.state, wave.updated_at = state, self._world.now
        self._world.ledger.write(WaveBecame(at=self._world.now, tracking_id=wave.tracking_id, state=state))

    def _set_dates(self, wave: Wave) -> None:
        generation = wave.generation

        def touch_all() -> None:
            if wave.generation == generation:
                for instance, _ in wave.tickets:
                    instance.touch()

        timeline = self._world.timeline
        timeline.at(wave.self_service.start, touch_all)
        timeline.at(wave.self_service.end, touch_all)
        timeline.at(wave.scheduled.start, lambda: self._azures_turn(wave, generation))
        timeline.at(wave.scheduled.end, lambda: self._time_is_up(wave, generation))

    def _azures_turn(self, wave: Wave, generation: int) -> None:
        if wave.generation != generation:
            return
        self._become(wave, "in_progress")
        owners = {instance.owner.id: instance.owner for instance, _ in wave.tickets}
        for owner in owners.values():
            self._next_domain(wave, generation, owner)
        self._finish_if_done(wave)

    def _time_is_up(self, wave: Wave, generation: int) -> None:
        if wave.generation == generation:
            self._close(wave.tracking_id, "complete")

    def _next_domain(self, wave: Wave, generation: int, owner: ScaleSet, *, follows: bool = False) -> None:
        key = (wave.tracking_id, generation, owner.id)
        if wave.generation != generation or (key in self._at_work and not follows):
            return
        self._at_work.discard(key)
        waiting: dict[tuple[str, str, str], list[tuple[Instance, Ticket]]] = defaultdict(list)
        for instance, ticket in wave.tickets:
            mine = instance.owner is owner and instance.instance_id in owner.instances
            if mine and ticket.outstanding and ticket.scheduled.start <= self._world.now:
                waiting[instance.azure_domain].append((instance, ticket))
        if not waiting:
            self._finish_if_done(wave)
            return
        batch = waiting[min(waiting)]
        for instance, ticket in batch:
            if instance.power in {"stopped", "deallocated"} and instance.operation is None:
                ticket.done_at, ticket.done_by, ticket.shown = self._world.now, "azure", False
                self._show(instance, self._world.now)
            else:
                self._maintenance.start(instance, "azure", reboot=wave.azure_reboot)
        slowest = max(instance.behaviour.guest_delay for instance, _ in batch)
        self._at_work.add(key)
        self._world.timeline.at(
            self._world.now + slowest + wave.azure_reboot + wave.azure_pause,
            lambda: self._next_domain(wave, generation, owner, follows=True),
        )

    def _finish_if_done(self, wave: Wave) -> None:
        started = not wave.over and self._world.now >= wave.scheduled.start
        if started and not any(
            ticket.outstanding and instance.instance_id in instance.owner.instances
            for instance, ticket in wave.tickets
        ):
            self._close(wave.tracking_id, "complete")
