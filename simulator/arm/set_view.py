"""The instance view of a whole Uniform scale set: how many instances stand how, and its orchestration services.

As published, and as recorded from Azure: the summary counts provisioning states only, and services are listed
when the set has their policy.
"""

from collections import Counter
from typing import Any

from simulator.fleet.model import ScaleSet


def scale_set_view(found: ScaleSet) -> dict[str, Any]:
    states = Counter(instance.provisioning.lower() for instance in found.instances.values())
    summary = [
        {"code": f"ProvisioningState/{word}", "count": count} for word, count in sorted(states.items())
    ]
    word = found.provisioning.lower()
    view: dict[str, Any] = {
        "virtualMachine": {"statusesSummary": summary},
        "statuses": [
            {"code": f"ProvisioningState/{word}", "level": "Info", "displayStatus": f"Provisioning {word}"}
        ],
    }
    if found.health == "extension":
        view["extensions"] = [{"name": "HealthExtension", "statusesSummary": summary}]
    if found.repairs_state:
        view["orchestrationServices"] = [
            {"serviceName": "AutomaticRepairs", "serviceState": found.repairs_state}
        ]
    return view
