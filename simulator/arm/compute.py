"""The published calls, answered from the fleet.

Reads assemble kept JSON; what starts something goes to the fleet and comes back as 200, or as 202 with the
address of its operation in both headers ARM clients know.
"""

import json
import re
from dataclasses import replace
from typing import Any

from simulator.arm import graph, permissions, shapes
from simulator.arm.answers import Refusal, Reply, Request, bad_request, good, not_found, only_uniform
from simulator.arm.faults import Faults
from simulator.arm.kql import QueryError
from simulator.arm.pages import Texts, page
from simulator.arm.set_view import scale_set_view
from simulator.fleet import Answer, Fleet, Instance, ScaleSet
from simulator.lies import Liar

SET_FILTER = re.compile(
    r"^\s*'?(?:properties/)?virtualMachineScaleSet/id'?\s+eq\s+'?([^']+?)'?\s*$", re.IGNORECASE
)


class Compute:
    """Answers calls about one fleet. `page_size` is in items, `retry_after` in seconds, told with a 202."""

    def __init__(self, fleet: Fleet, faults: Faults, *, page_size: int, retry_after: int) -> None:
        self._fleet = fleet
        self._faults = faults
        self.page_size = page_size
        self.retry_after = retry_after
        self.liar: Liar | None = None
        self._sets: Texts[ScaleSet] = Texts()
        self._plain: Texts[Instance] = Texts()
        self._viewed: Texts[Instance] = Texts()

    def known(self, subscription: str) -> None:
        """Raises Refusal for a subscription the fleet has nothing to do with."""
        if subscription not in {known.lower() for known in self._fleet.world.subscriptions}:
            raise Refusal(
                404, "SubscriptionNotFound", f"The subscription '{subscription}' could not be found."
            )

    def list_scale_sets(self, request: Request) -> Reply:
        names = request.names
        found = [
            scale_set
            for scale_set in self._fleet.world.scale_sets.values()
            if scale_set.subscription.lower() == names["subscription"]
            and scale_set.resource_group.lower() == names.get("group", scale_set.resource_group.lower())
            and scale_set.location.lower() == names.get("location", scale_set.location.lower())
        ]
        return self._page(found, request, lambda s: self._sets.of(s, shapes.scale_set))

    def get_scale_set(self, request: Request) -> Reply:
        return Reply(body=self._sets.of(self._scale_set(request), shapes.scale_set).encode())

    def scale_set_view(self, request: Request) -> Reply:
        found = self._scale_set(request)
        if found.mode == "Flexible":
            raise only_uniform("VirtualMachineScaleSets.instanceView.GET", found.name)
        return good(scale_set_view(found))

    def rolling_upgrade(self, request: Request) -> Reply:
        found = self._scale_set(request)
        if not found.upgrade:
            raise Refusal(
                404, "NotFound", f"No rolling upgrade was ever started on the scale set '{found.name}'."
            )
        return good(shapes.rolling_upgrade(found))

    def list_instances(self, request: Request) -> Reply:
        found = self._scale_set(request)
        instances = list(found.instances.values())
        if found.mode == "Flexible":
            return self._page(instances, request, lambda i: json.dumps({"id": i.id, "name": i.name}))
        view = self._wants_view(request)
        return self._page(instances, request, lambda i: self._text(i, view=view))

    def get_instance(self, request: Request) -> Reply:
        return Reply(body=self._text(self._instance(request), view=self._wants_view(request)).encode())

    def instance_view(self, request: Request) -> Reply:
        return good(shapes.instance_view(self._instance(request), self._fleet.world.now, self._faults))

    def list_machines(self, request: Request) -> Reply:
        chosen = request.query.get("$filter")
        view = self._wants_view(request)
        if view and chosen is None:
            raise bad_request(
                "$expand=instanceView is only allowed with a filter on virtualMachineScaleSet/id."
            )
        wanted = None
        if chosen is not None:
            matched = SET_FILTER.match(chosen)
            if matched is None:
                raise bad_request(f"The filter {chosen!r} is not supported.")
            wanted = matched.group(1).lower()
        names = request.names
        found = [
            machine
            for machine in self._fleet.world.machines.values()
            if machine.owner.subscription.lower() == names["subscription"]
            and machine.owner.resource_group.lower()
            == names.get("group", machine.owner.resource_group.lower())
            and (wanted is None or machine.owner.id.lower() == wanted)
        ]
        return self._page(found, request, lambda m: self._text(m, view=view))

    def get_machine(self, request: Request) -> Reply:
        return Reply(body=self._text(self._machine(request), view=self._wants_view(request)).encode())

    def machine_view(self, request: Request) -> Reply:
        return good(shapes.instance_view(self._machine(request), self._fleet.world.now, self._faults))

    def start_instance(self, request: Request) -> Reply:
        return self._start(self._instance(request), request)

    def start_machine(self, request: Request) -> Reply:
        return self._start(self._machine(request), request)

    def _start(self, instance: Instance, request: Request) -> Reply:
        if self.liar is None:
            return self._started(self._fleet.start_maintenance(instance), request)
        instead, lost = self.liar.start(instance), self.liar.happens("lost-answer")
        return self._started(self._fleet.start_maintenance(instance, instead=instead, lost=lost), request)

    def start_scale_set(self, request: Request) -> Reply:
        found = self._scale_set(request)
        if found.mode == "Flexible":
            raise only_uniform("VirtualMachineScaleSets.performMaintenance.POST", found.name)
        ids = json.loads(request.body).get("instanceIds") if request.body else None
        answers = self._fleet.start_set_wide(found, ids)
        best = next((a for a in answers if a.operation is not None), answers[0] if answers else Answer(200))
        return self._started(best, request)

    def set_repairs(self, request: Request) -> Reply:
        asked = json.loads(request.body) if request.body else {}
        service, action = asked.get("serviceName"), asked.get("action")
        if service != "AutomaticRepairs":
            raise bad_request(f"The value {service!r} of parameter serviceName is invalid.")
        if action not in {"Suspend", "Resume"}:
            raise bad_request(f"The value {action!r} of parameter action is invalid.")
        answer = self._fleet.set_repairs(self._scale_set(request), action)
        if self.liar is not None and self.liar.happens("lost-answer"):
            answer = replace(answer, dropped=True)
        return self._started(answer, request)

    def _started(self, answer: Answer, request: Request) -> Reply:
        if answer.status in {403, 409}:
            raise Refusal(answer.status, answer.code, answer.message)
        if answer.dropped:
            return Reply(dropped=True)
        operation = answer.operation
        if answer.status == 200 or operation is None:
            return Reply(200)
        version = request.query.get("api-version", "")
        address = (
            f"{request.base}/subscriptions/{operation.subscription}/providers/Microsoft.Compute"
            f"/locations/{operation.location}/operations/{operation.id}"
        )
        return Reply(
            202,
            headers={
                "Azure-AsyncOperation": f"{address}?api-version={version}",
                "Location": f"{address}?monitor=true&api-version={version}",
                "Retry-After": str(self.retry_after),
            },
        )

    def operation(self, request: Request) -> Reply:
        found = self._fleet.world.operations.get(request.names["operation"])
        if found is None or found.subscription.lower() != request.names["subscription"]:
            raise Refusal(404, "NotFound", f"The operation '{request.names['operation']}' was not found.")
        waiting = {"Retry-After": str(self.retry_after)} if found.status == "InProgress" else {}
        if request.query.get("monitor") != "true":
            reply = good(shapes.operation(found))
            reply.headers |= waiting
            return reply
        if found.status == "Failed":
            raise Refusal(409, found.code, found.message)
        return Reply(202 if waiting else 200, headers=waiting)

    def resource_graph(self, request: Request) -> Reply:
        asked: dict[str, Any] = json.loads(request.body)
        options: dict[str, Any] = asked.get("options") or {}
        try:
            rows = graph.run(self._fleet.world, asked["query"], asked.get("subscriptions") or [])
        except QueryError as error:
            raise bad_request(f"Query is invalid: {error}.", "BadRequest") from error
        if not permissions.shows(asked["query"].split("|")[0].strip(), self._faults.denied):
            rows = []
        start = int(options.get("$skipToken") or 0)
        top = min(int(options.get("$top") or 1000), 1000)
        data = rows[start : start + top]
        answer: dict[str, Any] = {
            "totalRecords": len(rows),
            "count": len(data),
            "resultTruncated": "false",
            "facets": [],
            "data": data,
        }
        if start + top < len(rows):
            answer["$skipToken"] = str(start + top)
        reply = good(answer)
        reply.headers = {"x-ms-user-quota-remaining": "14", "x-ms-user-quota-resets-after": "00:00:05"}
        return reply

    def _page[T](self, items: list[T], request: Request, text: Any) -> Reply:
        try:
            return Reply(body=page(items, self.page_size, request.base + request.path, request.query, text))
        except ValueError as error:
            raise bad_request(f"The continuation token is not valid: {error}.") from error

    def _text(self, instance: Instance, *, view: bool) -> str:
        now, faults = self._fleet.world.now, self._faults
        write = shapes.machine if instance.owner.mode == "Flexible" else shapes.instance
        odd = instance.name in faults.malformed_dates or instance.name in faults.unknown_codes
        texts = self._viewed if view else self._plain
        return texts.of(instance, lambda i: write(i, now, faults, view=view), fresh=odd)

    @staticmethod
    def _wants_view(request: Request) -> bool:
        return "instanceview" in request.query.get("$expand", "").lower()

    def _scale_set(self, request: Request) -> ScaleSet:
        names = request.names
        key = (
            f"/subscriptions/{names['subscription']}/resourcegroups/{names['group']}"
            f"/providers/microsoft.compute/virtualmachinescalesets/{names['scale_set']}"
        )
        found = self._fleet.world.scale_sets.get(key)
        if found is None:
            raise not_found("virtualMachineScaleSets", names["scale_set"], names["group"])
        return found

    def _instance(self, request: Request) -> Instance:
        owner = self._scale_set(request)
        if owner.mode == "Flexible":
            raise only_uniform("VMScaleSetVMs.GET", owner.name)
        found = owner.instances.get(request.names["instance"])
        if found is None:
            raise Refusal(
                404,
                "NotFound",
                f"The VM instance with instance id '{request.names['instance']}' was not found in the "
                f"Virtual Machine Scale Set '{owner.name}'.",
            )
        return found

    def _machine(self, request: Request) -> Instance:
        names = request.names
        key = (
            f"/subscriptions/{names['subscription']}/resourcegroups/{names['group']}"
            f"/providers/microsoft.compute/virtualmachines/{names['machine']}"
        )
        found = self._fleet.world.machines.get(key)
        if found is None:
            raise not_found("virtualMachines", names["machine"], names["group"])
        return found
