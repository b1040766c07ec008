"""Every published call of this Azure, answered from one fleet; what is over HTTP here comes from `server`."""

import json
from collections.abc import Callable

from simulator.arm import lying, permissions, versions
from simulator.arm.alert_calls import AlertCalls
from simulator.arm.answers import Refusal, Reply, Request
from simulator.arm.compute import Compute
from simulator.arm.faults import Faults
from simulator.arm.records import RecordCalls
from simulator.arm.routes import Call
from simulator.fleet import Fleet
from simulator.lies import Liar


class Face:
    """`page_size` is in items per page of any list, `retry_after` in seconds, told with a 202."""

    def __init__(self, fleet: Fleet, faults: Faults, *, page_size: int = 120, retry_after: int = 1) -> None:
        self.fleet, self.faults = fleet, faults
        self.liar: Liar | None = None
        self._compute = Compute(fleet, faults, page_size=page_size, retry_after=retry_after)
        self._records = RecordCalls(fleet, page_size=page_size)
        self._alerts = AlertCalls(fleet, faults, page_size=page_size)

    def lied_by(self, liar: Liar) -> None:
        """From now on what is answered may be wrong."""
        self.liar = self._compute.liar = liar

    def answer(self, call: Call, request: Request) -> Reply:
        """The reply to a call, the fleet having caught up with its clock; raises Refusal for Azure's noes."""
        if self.liar is None:
            return self._truth(call, request)
        instead = lying.before(self.liar, call, request)
        return instead or lying.after(self.liar, call, request, self._truth(call, request))

    def _truth(self, call: Call, request: Request) -> Reply:
        versions.check(call, request.query.get("api-version", ""))
        self.fleet.world.look()
        if "subscription" in call.names:
            self._compute.known(call.names["subscription"])
        permissions.check(call, self.faults.denied)
        others = (self._records, self._alerts)
        owner = next((each for each in others if hasattr(each, call.handler)), self._compute)
        handler: Callable[[Request], Reply] = getattr(owner, call.handler)
        try:
            return handler(request)
        except json.JSONDecodeError as error:
            raise Refusal(
                400, "InvalidRequestContent", f"The request content was invalid: {error}."
            ) from error
