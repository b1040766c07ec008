"""What commands print, each as it was typed: in a terminal of 80 columns, in a pipe, as lines, as JSON."""

import contextlib
import io
import json
import os
import pty
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from unittest import mock

from handlers.cli.main import main
from tests.handlers.cli.snapshots import taken

POLICIES = {
    "policy.yaml": """\
defaults: {self-service: always, owner: ops, windows: 'Sat,Sun 02:00-06:00 Europe/Berlin', soak: 2h}
rules:
  - {name: dev, match: {name: ['*-dev']}, self-service: never}
freezes: [{from: 2026-12-12, to: 2026-12-14, reason: Christmas sales}]
receivers: {ops: {teams: env:OPS_TEAMS_URL}, dba: {email: dba@example.com, from: act}}
""",
    "new.yaml": """\
defaults: {self-service: always, owner: ops, windows: 'Sat,Sun 02:00-06:00 Europe/Berlin', soak: 45m}
rules:
  - {name: databases, match: {name: ['db-*']}, owner: dba, mode: approve}
limits: {regions: 2}
receivers: {ops: {teams: env:OPS_TEAMS_URL}, dba: {email: dba@example.com}}
""",
    "tight.yaml": """\
defaults: {self-service: always, windows: 'Sat 02:00-03:00 Europe/Berlin', soak: 2h}
limits: {scale-sets: 2}
""",
    "wrong.yaml": "defaults: {soak: 3 fortnights}\n",
}

PLAN = "plan --from fleet.json"
TYPED: Mapping[str, str] = {
    "plan": f"{PLAN} --policy policy.yaml",
    "plan-without-a-policy": PLAN,
    "plan-as-if": f"{PLAN} --as-if --policy policy.yaml",
    "plan-that-does-not-fit": f"{PLAN} --policy tight.yaml",
    "plan-plain": f"{PLAN} --policy policy.yaml -o plain",
    "plan-json": f"{PLAN} --policy policy.yaml --scale-set db-prod -o json",
    "plan-without-waves": "plan --from quiet.json",
    "plan-of-a-file-that-is-not-there": "plan --from none.json",
    "diff": "diff --policy policy.yaml new.yaml --from fleet.json",
    "diff-plain": "diff --policy policy.yaml new.yaml --from fleet.json -o plain",
    "diff-json": "diff --policy policy.yaml new.yaml --from fleet.json -o json",
    "diff-markdown": "diff --policy policy.yaml new.yaml --from fleet.json -o markdown",
    "diff-of-the-same": "diff --policy policy.yaml policy.yaml --from fleet.json",
    "policy-check": "policy check policy.yaml",
    "policy-check-wrong": "policy check wrong.yaml",
    "policy-explain": "policy explain web-prod --policy policy.yaml --from fleet.json",
    "policy-explain-plain": "policy explain web-prod --policy policy.yaml --from fleet.json -o plain",
    "policy-explain-json": "policy explain web-prod --policy policy.yaml --from fleet.json -o json",
    "policy-windows": "policy windows web-prod --policy policy.yaml --from fleet.json --next 3",
    "policy-windows-plain": "policy windows web-prod --policy policy.yaml --from fleet.json --next 3 -o plain",
    "policy-windows-json": "policy windows web-prod --policy policy.yaml --from fleet.json --next 3 -o json",
    "policy-routes": "policy routes rg-shop/web-prod --policy policy.yaml --tag breakwater-owner=dba",
    "policy-routes-plain": "policy routes web --policy policy.yaml --tag breakwater-owner=dba -o plain",
    "policy-routes-json": "policy routes web --policy policy.yaml --tag breakwater-owner=dba -o json",
    "rehearse": "rehearse --from fleet.json --policy policy.yaml --fail 10%",
    "rehearse-that-misses": "rehearse --from fleet.json --policy tight.yaml --seed 3",
    "rehearse-without-waves": "rehearse --from quiet.json --policy new.yaml --approve-after never",
    "rehearse-plain": "rehearse --from fleet.json --policy policy.yaml -o plain",
    "rehearse-with-a-wrong-option": "rehearse --from fleet.json --fail lots",
    "help-plan": "plan --help",
    "help-rehearse": "rehearse --help",
    "help-snapshot": "snapshot --help",
    "help-diff": "diff --help",
    "help-policy": "policy --help",
}
"""By the name of its file; what people read in a terminal is kept as a terminal gets it, too."""

IN_A_TERMINAL = ("plan", "plan-that-does-not-fit", "diff", "policy-explain", "rehearse")


@cache
def outputs() -> Mapping[str, str]:
    """Every file of `tests/golden/cli` by its name."""
    with _folder() as taking:
        piped = {"snapshot.txt": taking} | {f"{name}.txt": _piped(typed) for name, typed in TYPED.items()}
        return piped | {f"{name}.ansi": _in_a_terminal(TYPED[name]) for name in IN_A_TERMINAL}


@contextlib.contextmanager
def _folder() -> Iterator[str]:
    """A folder with the files that the commands name, and no settings of whoever runs this.

    What taking its snapshot printed comes with it.
    """
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("BREAKWATER_", "NO_COLOR"))
    }
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.chdir(folder),
        mock.patch.dict(os.environ, kept, clear=True),
    ):
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            taken(Path("fleet.json"))
        quiet = Path("fleet.json").read_text("utf-8")
        Path("quiet.json").write_text(_without_waves(quiet), encoding="utf-8")
        for name, text in POLICIES.items():
            Path(name).write_text(text, encoding="utf-8")
        os.environ |= {"COLUMNS": "80", "TERM": "xterm-256color"}
        yield _told("snapshot -o fleet.json", said.getvalue(), "", 0)


def _without_waves(text: str) -> str:
    fleet = json.loads(text)
    for subscription in fleet["subscriptions"]:
        subscription["maintenance"] = []
    return json.dumps(fleet)


def _piped(typed: str) -> str:
    """As a file gets it."""
    said, noted = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(noted):
        code = main(typed.split())
    return _told(typed, said.getvalue(), noted.getvalue(), code)


def _in_a_terminal(typed: str) -> str:
    """As a terminal gets it, escapes included; standard error goes elsewhere."""
    master, slave = pty.openpty()
    heard: list[bytes] = []

    def listen() -> None:
        with contextlib.suppress(OSError):
            while piece := os.read(master, 65536):
                heard.append(piece)

    listener = threading.Thread(target=listen)
    listener.start()
    noted = io.StringIO()
    with (
        os.fdopen(slave, "w", encoding="utf-8") as terminal,
        contextlib.redirect_stderr(noted),
        mock.patch.object(sys, "stdout", terminal),
    ):
        code = main(typed.split())
    listener.join()
    os.close(master)
    return _told(typed, b"".join(heard).decode().replace("\r\n", "\n"), noted.getvalue(), code)


def _told(typed: str, said: str, noted: str, code: int) -> str:
    beside = f"[standard error]\n{noted}" if noted else ""
    return f"$ breakwater {typed}\n{said}{beside}[exit {code}]\n"


def write(folder: Path) -> int:
    """Write the files anew; how many there are."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, text in outputs().items():
        (folder / name).write_text(text, encoding="utf-8")
    return len(outputs())
