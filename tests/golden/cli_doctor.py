"""`breakwater doctor` where all is in order, where much is not, and where nothing is named."""

import contextlib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from email.utils import format_datetime
from functools import partial
from unittest.mock import patch

from simulator.fleet import SUBSCRIPTION
from tests.golden.cli_waves import signed_in
from tests.golden.shell import Typed
from tests.handlers.cli.azure_beside import azure_beside
from tests.handlers.cli.stand_in import stand_in
from tests.planner.protocol import NOW

APP_ID = "/subscriptions/x/resourceGroups/g/providers/Microsoft.Web/sites/app"
DENIED = {"Microsoft.Insights/eventtypes/values/read", "Microsoft.ResourceGraph/resources/read"}
QUEUES = {"alerts": 0, "scale-sets": 2, "runs": 41, "notices": 0, "alerts-poison": 0, "runs-poison": 1}
WELL = {
    "status": "ok",
    "queues": dict.fromkeys(QUEUES, 0),
    "quarantine": 0,
    "last_sweep": (NOW - timedelta(minutes=2)).isoformat(),
    "stopped": False,
    "stopped_by": None,
    "policy_problem": None,
}
ILL = {
    **WELL,
    "status": "stopped",
    "queues": QUEUES,
    "quarantine": 3,
    "last_sweep": (NOW - timedelta(days=1)).isoformat(),
    "stopped": True,
    "stopped_by": "Everything is stopped: BREAKWATER_STOP is set.",
}
COMMANDS: Mapping[str, str] = {
    "doctor-in-order": "doctor",
    "doctor-in-order-json": "doctor -o json",
    "doctor-much-to-mend": "doctor",
    "doctor-much-to-mend-plain": "doctor -o plain",
    "doctor-of-nothing": "doctor",
}


@contextlib.contextmanager
def _world(name: str) -> Iterator[None]:
    """An app and an Azure that are well or ill, or neither is named."""
    ill = "mend" in name
    answers = {"GET health": (200, ILL if ill else WELL), "GET waves.json": (200, [])}
    with azure_beside() as azure, stand_in(answers) as app:
        app.date = format_datetime(NOW - timedelta(hours=1 if ill else 0), usegmt=True)
        app.key = "another" if ill else app.key
        azure.faults.denied |= DENIED if ill else set()
        azure.fleet.world.alerting.wire(
            SUBSCRIPTION, "https://old.example" if ill else app.url, "a-key", APP_ID
        )
        nothing = {"BREAKWATER_PUBLIC_URL": ""}
        with (
            signed_in(app.url, NOW, nothing if "nothing" in name else azure.shell),
            patch("handlers.cli.checkup.here.version", lambda _: "1.2.3"),
            patch("platform.python_version", lambda: "3.13.0"),
        ):
            yield


TYPED: Mapping[str, Typed] = {
    name: Typed(partial(str.split, typed), partial(_world, name)) for name, typed in COMMANDS.items()
}
