"""What performMaintenance does to an instance, and what Azure answers.

The refusals are Azure's (409): an instance that may not be started, and one with an operation in flight. The
wording of the first is the published one; a subscription, an instance or a moment that is not eligible all
get it.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Literal

from simulator.fleet.answers import Answer, conflict
from simulator.fleet.behaviour import EndsUp
from simulator.fleet.ledger import Maintained, StartAsked, Who, Windows
from simulator.fleet.model import Instance, Operation
from simulator.fleet.records import OPERATOR, PERSON, Annotation
from simulator.fleet.world import World

RELAPSE = "relapse after maintenance"


class Maintenance:
    """Starts maintenance on instances and sees it through."""

    def __init__(self, world: World) -> None:
        self._world = world

    def start(
        self,
        instance: Instance,
        who: Who = "customer",
        *,
        reboot: timedelta | None = None,
        instead: Answer | None = None,
        lost: bool = False,
    ) -> Answer:
        """Ask for maintenance on one instance, as the customer's software, a person in the portal, or Azure.

        instead: Azure refuses with these words, rightly or not. lost: what it answers does not arrive.
        """
        world = self._world
        now = world.now if who == "azure" else world.look()
        answer = instead or self._refusal(instance, who) or self._operation(instance, who)
        if lost and answer.operation is not None:
            answer = replace(answer, dropped=True)
        ticket = instance.ticket
        others = (
            other.as_neighbour(now) for other in instance.owner.instances.values() if other is not instance
        )
        world.ledger.write(
            StartAsked(
                at=now,
                who=who,
                scale_set=instance.owner.id,
                instance=instance.id,
                domain=instance.domain,
                accepted=answer.operation is not None,
                code=answer.code,
                allowed=ticket is not None and ticket.allowed(now),
                windows=ticket.windows() if ticket is not None else None,
                shown_since=instance.shown_since,
                others=tuple(other for other in others if other is not None),
                operation=answer.operation.id if answer.operation is not None else "",
                answered=not answer.dropped,
                passing=instead is not None,
            )
        )
        self._record(instance, who, answer)
        if answer.operation is not None:
            self._begin(instance, answer.operation, who, reboot)
        return answer

    def _record(self, instance: Instance, who: Who, answer: Answer) -> None:
        """Into the activity log and Resource Health, under the names published for each."""
        records, now = self._world.records, self._world.now
        taken = answer.operation is not None
        if who != "azure":
            outcome = "Succeeded" if taken else "Failed"
            operation = f"{instance.kind}/performMaintenance/action"
            records.act(
                now, operation, instance.id, OPERATOR if who == "customer" else PERSON, outcome=outcome
            )
        if taken:
            name = (
                "VirtualMachineMigrationInitiatedForPlannedMaintenance"
                if who == "azure"
                else "VirtualMachineRedeployInitiatedByControlPlaneDueToPlannedMaintenance"
            )
            records.annotations.append(Annotation(at=now, resource=instance.id, name=name, planned=True))

    def _refusal(self, instance: Instance, who: Who) -> Answer | None:
        if instance.operation is not None or instance.provisioning != "Succeeded":
            return conflict()
        ticket = instance.ticket
        allowed = ticket is not None and ticket.allowed(self._world.now)
        if who != "azure" and (not allowed or instance.behaviour.refused or instance.power != "running"):
            return Answer(
                409,
                "OperationNotAllowed",
                f"Operation 'performMaintenance' is not allowed on VM '{instance.name}' since the "
                "Subscription of this VM is not eligible.",
            )
        return None

    def _operation(self, instance: Instance, who: Who) -> Answer:
        world, how = self._world, instance.behaviour
        operation = Operation(
            world.unique("operation"), instance.owner.subscription, instance.owner.location, world.now, who
        )
        world.operations[operation.id] = operation
        dropped = who == "customer" and self._once(instance, "lost_answers", how.lost_answers)
        return Answer(how.answer, operation=operation, dropped=dropped)

    def _begin(self, instance: Instance, operation: Operation, who: Who, reboot: timedelta | None) -> None:
        world, how = self._world, instance.behaviour
        instance.operation, instance.cause = operation, f"{who} maintenance"
        instance.epoch += 1
        world.settle(instance)
        ticket = instance.ticket
        windows = ticket.windows() if ticket is not None else None
        if who != "azure" and self._once(instance, "retry_later", how.retry_later):
            world.later(instance, how.set_aside_after, lambda: self._set_aside(instance, "RetryLater"))
        elif who != "azure" and self._once(instance, "aborted", how.aborted):
            world.later(
                instance, how.set_aside_after, lambda: self._set_aside(instance, "MaintenanceAborted")
            )
        else:
            span = how.reboot if reboot is None else reboot
            self._soon(instance, how.guest_delay, lambda: self._reboot(instance, who, span, windows))

    def _soon(self, instance: Instance, delay: timedelta, action: Callable[[], None]) -> None:
        if delay:
            self._world.later(instance, delay, action)
        else:
            action()

    @staticmethod
    def _once(instance: Instance, what: str, times: int) -> bool:
        if instance.used[what] >= times:
            return False
        instance.used[what] += 1
        return True

    def _set_aside(self, instance: Instance, code: Literal["RetryLater", "MaintenanceAborted"]) -> None:
        """The operation is over and the instance untouched."""
        ticket = instance.ticket
        message = f"Maintenance was not performed on '{instance.name}': {code}."
        if ticket is not None:
            ticket.code, ticket.message = code, message
            instance.shown_since = self._world.now
        status = "Failed" if instance.behaviour.set_aside_fails else "Succeeded"
        self._world.close(instance, status, code if status == "Failed" else "", message)

    def _reboot(self, instance: Instance, who: Who, span: timedelta, windows: Windows | None) -> None:
        world = self._world
        instance.provisioning = "Updating"
        world.take_down(instance, f"{who} maintenance")
        world.later(instance, span / 2, lambda: self._starting(instance))
        world.later(instance, span, lambda: self._back(instance, who, windows))

    def _starting(self, instance: Instance) -> None:
        instance.power = "starting"
        self._world.settle(instance)

    def _back(self, instance: Instance, who: Who, windows: Windows | None) -> None:
        world, how = self._world, instance.behaviour
        if who != "azure" and how.hangs == "down":
            return
        if who == "azure" or how.ends_up == "running":
            world.bring_up(instance)
        if who != "azure" and how.fails_after_reboot:
            message = f"VM '{instance.name}' did not report that it started within the time allowed."
            world.close(instance, "Failed", "OSProvisioningTimedOut", message)
            return
        self._done(instance, who, windows)
        if who != "azure" and how.ends_up != "running":
            self._gives_out(instance, how.ends_up)
            return
        if who != "azure" and how.relapses_after is not None:
            world.later(instance, how.health_delay + how.relapses_after, lambda: self._relapse(instance))
        if who != "azure" and how.hangs == "up":
            instance.operation = None
            world.settle(instance)
        else:
            world.close(instance, "Succeeded")

    def _gives_out(self, instance: Instance, ends_up: EndsUp) -> None:
        """Maintained and still down: its operation succeeds, and that is all that comes of it."""
        world = self._world
        instance.provisioning = "Failed" if ends_up == "failed" else "Succeeded"
        if ends_up == "failed":
            instance.power = "running"
        else:
            instance.power = ends_up
        if ends_up == "deallocated":
            for ticket in instance.tickets:
                ticket.shown = False
            instance.shown_since = world.now
        world.close(instance, "Succeeded")

    def _relapse(self, instance: Instance) -> None:
        """Well after its maintenance, and some time later not any more."""
        instance.cause = RELAPSE
        if instance.owner.reports_health:
            self._world.health(instance, "unhealthy")
        else:
            self._world.take_down(instance, RELAPSE)
        self._world.settle(instance)

    def _done(self, instance: Instance, who: Who, windows: Windows | None) -> None:
        """On an updated host now, which serves every open wave the instance is part of."""
        world, how = self._world, instance.behaviour
        for ticket in instance.tickets:
            if not ticket.outstanding:
                continue
            ticket.done_at, ticket.done_by = world.now, who
            if who == "azure" or how.after_success == "cleared":
                ticket.shown = False
                continue
            ticket.code, ticket.message = "MaintenanceCompleted", None
            ticket.flag_stays = how.after_success == "lingers_allowed"
            if how.lingers_for is not None:
                self._fade(instance, how.lingers_for)
        instance.shown_since = world.now
        instance.touch()
        world.ledger.write(
            Maintained(
                at=world.now, who=who, scale_set=instance.owner.id, instance=instance.id, windows=windows
            )
        )

    def _fade(self, instance: Instance, after: timedelta) -> None:
        done = self._world.now

        def vanish() -> None:
            for ticket in instance.tickets:
                if ticket.done_at == done:
                    ticket.shown = False
            instance.shown_since = self._world.now
            instance.touch()

        self._world.timeline.at(done + after, vanish)
