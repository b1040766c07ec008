"""The commands that work on files: a snapshot of the demo's fleet, and policies."""

import contextlib
import io
import json
from collections.abc import Iterator, Mapping
from functools import cache, partial
from pathlib import Path

from tests.golden.shell import Typed, shell
from tests.handlers.cli.snapshots import azure_of_the_demo, taken

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

NOBODY = {"AZURE_TOKEN_CREDENTIALS": "EnvironmentCredential"}
"""Settings of a shell that is signed in nowhere."""

PLAN = "plan --from fleet.json"
COMMANDS: Mapping[str, str] = {
    "plan": f"{PLAN} --policy policy.yaml",
    "plan-without-a-policy": PLAN,
    "plan-as-if": f"{PLAN} --as-if --policy policy.yaml",
    "plan-that-does-not-fit": f"{PLAN} --policy tight.yaml",
    "plan-plain": f"{PLAN} --policy policy.yaml -o plain",
    "plan-json": f"{PLAN} --policy policy.yaml --scale-set db-prod -o json",
    "plan-without-waves": "plan --from quiet.json",
    "plan-of-a-file-that-is-not-there": "plan --from none.json",
    "plan-without-a-sign-in": "plan",
    "plan-of-no-such-scale-set": f"{PLAN} --policy policy.yaml --scale-set nothing",
    "snapshot-without-a-sign-in": "snapshot -o fleet.json",
    "diff": "diff --policy policy.yaml new.yaml --from fleet.json",
    "diff-plain": "diff --policy policy.yaml new.yaml --from fleet.json -o plain",
    "diff-json": "diff --policy policy.yaml new.yaml --from fleet.json -o json",
    "diff-markdown": "diff --policy policy.yaml new.yaml --from fleet.json -o markdown",
    "diff-with-a-wrong-policy": "diff --policy policy.yaml wrong.yaml --from fleet.json",
    "diff-of-the-same": "diff --policy policy.yaml policy.yaml --from fleet.json",
    "policy-check": "policy check policy.yaml",
    "policy-check-plain": "policy check policy.yaml -o plain",
    "policy-check-json": "policy check policy.yaml -o json",
    "policy-check-wrong": "policy check wrong.yaml",
    "policy-check-wrong-json": "policy check wrong.yaml -o json",
    "policy-check-without-a-file": "policy check",
    "policy-schema": "policy schema",
    "policy-explain": "policy explain web-prod --policy policy.yaml --from fleet.json",
    "policy-explain-no-such-scale-set": "policy explain nothing --policy policy.yaml --from fleet.json",
    "policy-explain-a-wrong-tag": "policy explain web --policy policy.yaml --tag breakwater-soak=soon",
    "policy-explain-plain": "policy explain web-prod --policy policy.yaml --from fleet.json -o plain",
    "policy-explain-json": "policy explain web-prod --policy policy.yaml --from fleet.json -o json",
    "policy-windows": "policy windows web-prod --policy policy.yaml --from fleet.json --next 3",
    "policy-windows-plain": "policy windows web-prod --policy policy.yaml --from fleet.json --next 3 -o plain",
    "policy-windows-json": "policy windows web-prod --policy policy.yaml --from fleet.json --next 3 -o json",
    "policy-routes": "policy routes rg-shop/web-prod --policy policy.yaml --tag breakwater-owner=dba",
    "policy-routes-to-nobody": "policy routes web --policy tight.yaml --tag breakwater-owner=dba",
    "policy-routes-plain": "policy routes web --policy policy.yaml --tag breakwater-owner=dba -o plain",
    "policy-routes-json": "policy routes web --policy policy.yaml --tag breakwater-owner=dba -o json",
    "rehearse": "rehearse --from fleet.json --policy policy.yaml --fail 10%",
    "rehearse-that-misses": "rehearse --from fleet.json --policy tight.yaml --seed 3",
    "rehearse-without-waves": "rehearse --from quiet.json --policy new.yaml --approve-after never",
    "rehearse-json": "rehearse --from one.json --policy policy.yaml -o json",
    "rehearse-plain": "rehearse --from fleet.json --policy policy.yaml -o plain",
    "rehearse-with-a-wrong-option": "rehearse --from fleet.json --fail lots",
}
"""By the name of its file."""


@cache
def _files() -> Mapping[str, str]:
    """The files that the commands name."""
    with shell(), contextlib.redirect_stdout(io.StringIO()):
        fleet = taken(Path("fleet.json")).read_text("utf-8")
    return {
        **POLICIES,
        "fleet.json": fleet,
        "quiet.json": _without_waves(fleet),
        "one.json": _of(fleet, "api-prod"),
    }


def _without_waves(text: str) -> str:
    fleet = json.loads(text)
    for subscription in fleet["subscriptions"]:
        subscription["maintenance"] = []
    return json.dumps(fleet)


def _of(text: str, name: str) -> str:
    """The same fleet with one scale set alone."""
    fleet = json.loads(text)
    for subscription in fleet["subscriptions"]:
        for key in ("scale_sets",):
            subscription[key] = [each for each in subscription[key] if each["name"] == name]
    return json.dumps(fleet)


@contextlib.contextmanager
def _folder() -> Iterator[None]:
    with shell(_files(), NOBODY):
        yield


@contextlib.contextmanager
def _beside_azure() -> Iterator[None]:
    with shell(), azure_of_the_demo():
        yield


TYPED: Mapping[str, Typed] = {
    name: Typed(partial(str.split, typed), _folder) for name, typed in COMMANDS.items()
} | {"snapshot": Typed(partial(str.split, "snapshot -o fleet.json"), _beside_azure)}
