"""Waves as the deployed app tells them: whole, whatever parts they come in, and a scale set by its name."""

from collections.abc import Mapping, Sequence
from typing import Any

from handlers.cli.app_client import App, path_of
from handlers.cli.exits import ExitCode, Failed
from planner.record.states import ACTIVE
from planner.text.phrases import some

type Run = Mapping[str, Any]
type Wave = dict[str, Any]

NEEDS = frozenset({"paused", "awaiting_approval"})
"""States in which a person is needed."""

CANDIDATES = 10
"""Scale sets that are named when a name fits several."""


async def every_wave(app: App) -> list[Wave]:
    """What the overview lists."""
    return _list_of_objects(await app.read("waves.json"), app)


async def wave(app: App, tracking_id: str) -> Wave:
    """A wave with all of its runs: every part is read, and of a run that comes twice the later one counts."""
    document = _wave(await app.read(f"{path_of('waves', tracking_id)}.json"), app)
    runs = {run["scale_set"]: run for run in document["runs"]}
    seen: set[str] = set()
    while further := document["next"]:
        # Behind a gateway the address has another host: the key goes to this app alone.
        _, _, path = str(further).partition("/api/")
        if not path or path in seen:
            raise Failed(f"{app.where.host} names a next part of the wave that leads nowhere.")
        seen.add(path)
        document = _wave(await app.read(path), app)
        runs |= {run["scale_set"]: run for run in document["runs"]}
    return {**document, "runs": list(runs.values())}


def find(runs: Sequence[Run], said: str) -> Run:
    """The scale set of this name, group/name or ARM id. Raises Failed; where it fits several, with these."""
    wanted = said.strip("/").lower()
    found = [run for run in runs if wanted in _names(run)]
    if len(found) == 1:
        return found[0]
    if found:
        names = some([short_name(run, runs) for run in found], most=CANDIDATES)
        raise Failed(f"{said!r} fits {len(found)} scale sets: {names}. Type one of these.", ExitCode.USAGE)
    alike = [short_name(run, runs) for run in runs if wanted.rpartition("/")[2] in run["name"].lower()]
    names = some(alike or [short_name(run, runs) for run in runs], most=CANDIDATES)
    hint = f" Did you mean {names}?" if alike else f" It has {names}."
    raise Failed(f"The wave has no scale set {said!r}.{hint if runs else ''}")


def short_name(run: Run, runs: Sequence[Run]) -> str:
    """The shortest name that fits this scale set of the wave alone."""
    for name in (run["name"], f"{run['resource_group']}/{run['name']}"):
        if sum(name.lower() in _names(other) for other in runs) == 1:
            return str(name)
    return str(run["scale_set"])


def place(tracking_id: str, run: Run) -> str:
    """A run's address below /api."""
    return path_of("waves", tracking_id, run["subscription"], run["resource_group"], run["name"])


def over(document: Wave) -> bool:
    """Whether Breakwater does nothing more in it: each scale set has a plan, and no run is active."""
    return not document["planning"] and all(run["state"] not in ACTIVE for run in document["runs"])


def _names(run: Run) -> tuple[str, str, str]:
    name, group = run["name"].lower(), run["resource_group"].lower()
    return name, f"{group}/{name}", run["scale_set"].strip("/").lower()


def _wave(body: Any, app: App) -> Wave:
    if not isinstance(body, dict) or not isinstance(body.get("runs"), list):
        raise _not_ours(app)
    return {"next": None, "planning": 0, **body}


def _list_of_objects(body: Any, app: App) -> list[Wave]:
    if not isinstance(body, list) or not all(isinstance(each, dict) for each in body):
        raise _not_ours(app)
    return body


def _not_ours(app: App) -> Failed:
    return Failed(f"{app.where.host} answered something that is not Breakwater's. Check the address.")
