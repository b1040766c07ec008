"""setOrchestrationServiceState: automatic repairs are suspended and resumed, by the customer's software or a person.

A change takes effect some seconds after it was accepted. What a person asks is done at once: they wait for it.
"""

from collections.abc import Callable
from datetime import timedelta

from simulator.fleet.answers import Answer, conflict
from simulator.fleet.ledger import Hand, RepairAction, RepairsAsked, RepairsBecame
from simulator.fleet.model import Operation, ScaleSet
from simulator.fleet.repairs import Repairs
from simulator.fleet.world import World


class RepairSwitch:
    """`takes`: how long from an accepted change to its effect."""

    def __init__(self, world: World, repairs: Repairs) -> None:
        self._world = world
        self._repairs = repairs
        self.takes = timedelta(seconds=5)

    def set(self, scale_set: ScaleSet, action: RepairAction, who: Hand) -> Answer:
        """Ask to suspend or resume; what is so already is accepted as well."""
        world, service = self._world, scale_set.repairs
        now = world.look()
        answer = self._refusal(scale_set, action, who) or self._accepted(scale_set, who)
        world.ledger.write(
            RepairsAsked(
                at=now,
                who=who,
                scale_set=scale_set.id,
                action=action,
                was=scale_set.repairs_state,
                accepted=answer.operation is not None,
                code=answer.code,
                operation=answer.operation.id if answer.operation is not None else "",
                answered=not answer.dropped,
            )
        )
        operation = answer.operation
        if operation is None:
            return answer
        if service.change is not None:
            service.change.status, service.change.ended = "Failed", now
            service.change.code = "OperationPreempted"
            service.change.message = "The operation has been preempted by a more recent operation."
        service.change = operation
        done = self._done(scale_set, operation, action, who)
        if who == "person":
            done()
        else:
            world.timeline.at(now + self.takes, done)
        return answer

    def _refusal(self, scale_set: ScaleSet, action: RepairAction, who: Hand) -> Answer | None:
        service = scale_set.repairs
        if who == "customer" and service.refused == 403:
            return Answer(
                403,
                "AuthorizationFailed",
                "The client does not have authorization to perform action 'Microsoft.Compute/"
                f"virtualMachineScaleSets/setOrchestrationServiceState/action' over scope '{scale_set.id}' or "
                "the scope is invalid. If access was recently granted, please refresh your credentials.",
            )
        if scale_set.mode == "Flexible" or scale_set.repairs_state in {"", "NotRunning"}:
            what = "VirtualMachineScaleSets.setOrchestrationServiceState.POST"
            if scale_set.mode == "Uniform":
                what = action
            return Answer(
                409,
                "OperationNotAllowed",
                f"Operation '{what}' is not allowed on Virtual Machine Scale Set '{scale_set.name}'.",
            )
        if who == "customer" and (service.refused == 409 or service.change is not None):
            return conflict()
        return None

    def _accepted(self, scale_set: ScaleSet, who: Hand) -> Answer:
        world, service = self._world, scale_set.repairs
        operation = Operation(
            world.unique("operation"), scale_set.subscription, scale_set.location, world.now, "customer"
        )
        world.operations[operation.id] = operation
        dropped = who == "customer" and service.lost_answers > 0
        service.lost_answers -= dropped
        return Answer(202, operation=operation, dropped=dropped)

    def _done(
        self, scale_set: ScaleSet, operation: Operation, action: RepairAction, who: Hand
    ) -> Callable[[], None]:
        world, service = self._world, scale_set.repairs

        def done() -> None:
            if service.change is not operation:
                return
            service.change = None
            operation.status, operation.ended = "Succeeded", world.now
            before, service.suspended = scale_set.repairs_state, action == "Suspend"
            if scale_set.repairs_state != before:
                world.ledger.write(
                    RepairsBecame(
                        at=world.now, who=who, scale_set=scale_set.id, state=scale_set.repairs_state
                    )
                )
            self._repairs.attend(scale_set)

        return done
