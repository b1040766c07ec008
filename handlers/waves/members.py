"""The runs of a wave as listings show them, and those that later waves have archived."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote

from handlers.cloud.names import RUNS_PREFIX
from handlers.cloud.records import Listed
from handlers.repository.runs import current_path
from handlers.repository.waves import Head
from handlers.waves import figures
from handlers.wire.documents import waves_of
from handlers.wiring import Wiring
from planner.azure.wave import Wave
from planner.notices.digest import Overview
from planner.record.states import ACTIVE


@dataclass(frozen=True, slots=True)
class Seen:
    """A wave of the overview. `announced` is when Azure last said something about it, aware UTC."""

    tracking_id: str
    stage: str
    subscriptions: tuple[str, ...]
    announced: datetime
    overview: Overview


async def every_wave(wiring: Wiring) -> list[Seen]:
    """Every wave in figures, those that need a person first, then the latest.

    One listing of the waves and one of the runs; one of the archive as well where a wave misses some.
    """
    heads: dict[str, list[Head]] = {}
    for head in await wiring.waves.heads():
        heads.setdefault(head.tracking_id, []).append(head)
    found = _by_wave(await wiring.runs.listed())
    members = {tracking_id: sum(head.members for head in each) for tracking_id, each in heads.items()}
    if any(len(found.get(tracking_id, ())) < number for tracking_id, number in members.items()):
        _join(found, await wiring.runs.archived(), members)
    seen = [_seen(each, found.get(tracking_id, {})) for tracking_id, each in heads.items()]
    return sorted(
        seen,
        key=lambda one: (one.overview.needs_person == 0, -one.announced.timestamp(), one.tracking_id),
    )


def _seen(heads: Collection[Head], lines: Mapping[str, Listed]) -> Seen:
    latest = max(heads, key=lambda head: head.announced)
    planning = max(0, sum(head.members for head in heads) - len(lines))
    counted = figures.counted(lines.values(), planning, wave_open=any(head.open for head in heads))
    subscriptions = sorted({head.subscription for head in heads})
    return Seen(latest.tracking_id, latest.stage, tuple(subscriptions), latest.announced[0], counted)


async def of_wave(tracking_id: str, waves: Iterable[Wave], wiring: Wiring) -> dict[str, Listed]:
    """The wave's runs by the path they have, or had, in `runs/`; of several archived ones the last.

    One listing for each of its subscriptions, read anew and shared with the places of its runs; one of
    their archive as well where some are missing.
    """
    known = tuple(waves)
    found: dict[str, dict[str, Listed]] = {tracking_id: {}}
    for wave in known:
        listed = await wiring.runs.of_subscription(wave.subscription, fresh=True)
        found[tracking_id] |= _by_wave(listed).get(tracking_id, {})
    if set(figures.roster(known)) - found[tracking_id].keys():
        for wave in known:
            archived = await wiring.runs.archived(f"{RUNS_PREFIX}{wave.subscription.lower()}")
            _join(found, archived, {tracking_id})
    return found[tracking_id]


def _by_wave(listed: Iterable[Listed]) -> dict[str, dict[str, Listed]]:
    found: dict[str, dict[str, Listed]] = {}
    for line in listed:
        for tracking_id in waves_of(line.metadata):
            found.setdefault(tracking_id, {})[line.path] = line
    return found


def _join(found: dict[str, dict[str, Listed]], archived: Iterable[Listed], wanted: Collection[str]) -> None:
    """Put archived runs where these waves have no current one."""
    current = {tracking_id: frozenset(lines) for tracking_id, lines in found.items()}
    for line in archived:
        place = current_path(line.path)
        for tracking_id in waves_of(line.metadata):
            if tracking_id in wanted and place not in current.get(tracking_id, ()):
                found.setdefault(tracking_id, {})[place] = line


def needs_person(line: Listed) -> bool:
    """Whether a listed run waits for somebody's word."""
    return line.metadata.get("needs_person") == "true"


def late(line: Listed) -> bool:
    """Whether a listed run is behind its deadline, or held up by something that people may have to remove."""
    metadata = line.metadata
    behind = metadata.get("state") in ACTIVE and int(metadata.get("slack", "0")) < 0
    return behind or metadata.get("waits", "limit") != "limit"


def place_of(path: str, line: Listed) -> tuple[str, str, str]:
    """Subscription, resource group and name of the run that has, or had, this path; in Azure's spelling."""
    subscription, group, name = path.removeprefix(RUNS_PREFIX).removesuffix(".json").split("/")
    return (
        subscription,
        unquote(line.metadata.get("resource_group", group)),
        unquote(line.metadata.get("name", name)),
    )
