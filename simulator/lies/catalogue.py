"""Every lie by its name, and what it does. Where each was seen is in the issues named there.

`usual` is the strength of a lie in a world of random lies: the chance per opportunity (a read of one instance,
a call, a write, a machine, a start), or for what is marked once per thing, the share of things.
"""

from dataclasses import dataclass
from typing import Literal

Where = Literal["view", "listing", "answer", "refusal", "storage", "machine", "somebody"]


@dataclass(frozen=True, slots=True)
class Lie:
    """`where` says what is asked when it is told; lies about storage work in the test world only."""

    name: str
    where: Where
    usual: float
    about: str


CATALOGUE: tuple[Lie, ...] = (
    # Azure/azure-sdk-for-go#19707, kubernetes/kubernetes#83933: a view that was asked for is not there.
    Lie("missing-view", "view", 0.05, "an instance comes without the instance view that was asked for"),
    Lie("null-view", "view", 0.05, "its instance view is null"),
    Lie("empty-view", "view", 0.05, "its instance view is an empty object"),
    Lie("missing-status", "view", 0.05, "its maintenance status is not in the view, though it is scheduled"),
    Lie("stale", "view", 0.2, "its view is that of up to two minutes ago"),
    # Azure/azure-sdk-for-python#3406: no power state in a view.
    Lie("missing-power", "view", 0.05, "its power state is not in the view"),
    Lie("unknown-power", "view", 0.05, "its power state is unknown"),
    # Azure/azure-rest-api-specs#32387: no vmHealth in a view.
    Lie("missing-health", "view", 0.05, "its application health is not in the view"),
    Lie("unknown-health", "view", 0.05, "its application health is unknown"),
    Lie("earlier-code", "view", 0.3, "it shows MaintenanceCompleted of an earlier wave beside allowed true"),
    # Azure/vm-scale-sets#76: provisioning fails after an extension, the machine runs.
    Lie("failed-instance", "view", 0.1, "its provisioning failed long ago; it runs and is healthy"),
    Lie("failed-set", "view", 0.2, "the scale set's provisioning failed long ago; its machines run"),
    Lie("missing-instance", "listing", 0.05, "an instance is missing from a listing"),
    Lie("empty-listing", "listing", 0.05, "a listing of instances is empty"),
    Lie("fewer-pages", "listing", 0.05, "a listing ends early: the address of the next page is not there"),
    Lie("missing-set", "listing", 0.1, "a listing of scale sets ends early"),
    Lie("failing-page", "listing", 0.05, "a page of a listing fails"),
    Lie("slow-listing", "listing", 0.1, "a listing takes 40 seconds or five minutes"),
    # JulianHayward/AzAPICall#8, Azure/azure-xplat-cli#2961: addresses with the default port.
    Lie("odd-address", "listing", 0.3, "addresses name the default port or spell the host in capitals"),
    # Learn, governance/resource-graph/overview: where a right is missing there are no rows, and no refusal.
    Lie("empty-graph", "listing", 0.3, "Resource Graph shows an empty table"),
    # hashicorp/terraform-provider-azurerm#18268, #32535: 404 for what exists.
    Lie("no-set", "answer", 0.05, "a scale set answers 404 once"),
    Lie("no-instance", "answer", 0.1, "an instance answers 404 once"),
    Lie("no-operation", "answer", 0.1, "an operation answers 404 once"),
    Lie("throttled", "answer", 0.05, "429"),
    Lie("throttled-for-hours", "answer", 0.002, "429 for one to six hours"),
    Lie("unavailable", "answer", 0.05, "503; nothing was done"),
    Lie("dropped", "answer", 0.05, "the connection breaks; nothing was done"),
    Lie("refused-eligible", "refusal", 0.1, "a start is refused as not eligible, though it is"),
    # Azure/azure-service-operator#2946 and MicrosoftDocs/azure-docs#32404: one code, many meanings.
    Lie("refused-quota", "refusal", 0.1, "a start is refused for want of quota, for now"),
    Lie("refused-power", "refusal", 0.1, "a start is refused because the machine has to run, which it does"),
    Lie("refused-busy", "refusal", 0.1, "a start is refused because of another operation, for now"),
    Lie("conflict", "refusal", 0.1, "a start answers 409 Conflict, for now"),
    # MicrosoftDocs/azure-docs#63030: a lock on the scope.
    Lie("locked", "refusal", 0.05, "a lock keeps every start of the scale set back, for hours or for good"),
    Lie("lost-answer", "refusal", 0.1, "a start or a change of repairs happens, its answer is lost"),
    Lie("record-conflict", "storage", 0.05, "somebody else writes the record a moment before"),
    Lie("word-conflict", "storage", 0.4, "the same, just where a person's word is written"),
    Lie("lost-record", "storage", 0.02, "a record is written, its answer is lost"),
    Lie("lost-send", "storage", 0.02, "a message is sent, its answer is lost"),
    Lie("retry-later", "machine", 0.2, "its maintenance ends with RetryLater many times"),
    Lie("aborted", "machine", 0.2, "its maintenance ends with MaintenanceAborted many times"),
    Lie("ends-stopped", "machine", 0.1, "it is stopped after its reboot"),
    Lie("ends-deallocated", "machine", 0.1, "it is deallocated after its reboot"),
    Lie("ends-failed", "machine", 0.1, "its provisioning fails in the reboot"),
    Lie("ends-unhealthy", "machine", 0.1, "it runs after its reboot and is unhealthy"),
    Lie("relapses-soon", "machine", 0.1, "it is well after its reboot, and minutes later it is not"),
    Lie("relapses-late", "machine", 0.1, "it is well after its reboot, and hours later it is not"),
    Lie("somebody-stops", "somebody", 0.1, "somebody stops an instance while another reboots or soaks"),
    Lie("somebody-deallocates", "somebody", 0.1, "somebody deallocates one"),
    Lie("somebody-starts", "somebody", 0.3, "somebody starts one that is off"),
    Lie("somebody-resizes", "somebody", 0.1, "somebody gives one another size"),
    Lie("somebody-deletes", "somebody", 0.1, "somebody deletes one"),
    Lie("somebody-adds", "somebody", 0.1, "somebody adds one"),
)

BY_NAME = {one.name: one for one in CATALOGUE}
