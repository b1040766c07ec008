"""What `breakwater doctor` prints where all is in order, and where much is not."""

import re
from datetime import timedelta
from email.utils import format_datetime

import pytest

from handlers.cli.main import main
from simulator.fleet import SUBSCRIPTION
from tests.golden.cli_waves import terminal
from tests.handlers.cli.azure_beside import Beside, azure_beside
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
DOCTOR = {
    "doctor-in-order.txt": (),
    "doctor-in-order.json": ("-o", "json"),
    "doctor-much-to-mend.txt": (),
    "doctor-much-to-mend.tsv": ("-o", "plain"),
}


def printed(name: str, azure: Beside) -> str:
    """All that it prints, with one name for the addresses of this machine and one for all versions."""
    azure.as_new()
    ill = "mend" in name
    answers = {"GET health": (200, ILL if ill else WELL), "GET waves.json": (200, [])}
    with (
        stand_in(answers) as app,
        terminal(app.url, NOW) as (out, errors),
        pytest.MonkeyPatch.context() as shell,
    ):
        app.date = format_datetime(NOW - timedelta(hours=1 if ill else 0), usegmt=True)
        app.key = "another" if ill else app.key
        azure.faults.denied |= DENIED if ill else set()
        azure.fleet.world.alerting.wire(
            SUBSCRIPTION, "https://old.example" if ill else app.url, "a-key", APP_ID
        )
        for key, value in azure.shell.items():
            shell.setenv(key, value)
        for key in ("AzureWebJobsStorage", "BREAKWATER_POLICY", "BREAKWATER_PRINCIPAL_ID"):
            shell.delenv(key, raising=False)
        code = main(["doctor", *DOCTOR[name]])
    text = f"{out.getvalue()}{errors.getvalue()}--- ends with {code}\n"
    text = re.sub(r"https?://127\.0\.0\.1:\d+|127\.0\.0\.1:\d+", "app.example", text)
    text = re.sub(r"breakwater [^,\n]*, Python [^\n\"\t]*\.(?=[\n\"\t])", "(versions)", text)
    return re.sub(r"can be read: [^\n\"\t]*", "can be read: (their names).", text)


__all__ = ["DOCTOR", "azure_beside", "printed"]
