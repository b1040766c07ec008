"""report: the overview, a wave and a scale set as page, JSON, calendar and spreadsheet; read only.

Route parameters: none for the overview, `wave` for a wave, and `subscription`, `group`, `name` with it for a
scale set. The last one carries the suffix: `.json`, for a wave also `.ics` and `.csv`; the overview has no
segment for it and gets it as `suffix`.
"""

import asyncio
import logging
from collections.abc import Sequence
from email.utils import parseaddr
from operator import itemgetter

from handlers.cloud.names import run_path
from handlers.cloud.records import Listed, StorageDown
from handlers.render import calendar, contract, page, table
from handlers.render.addresses import Addresses, wave_path
from handlers.repository.runs import current_path
from handlers.runs import queue
from handlers.waves import figures
from handlers.wire.documents import waves_of
from handlers.wire.http import Request, Response, json_response
from handlers.wire.ids import checked_tracking_id
from handlers.wiring import Wiring
from planner.azure.wave import Wave
from planner.record.run import Run

log = logging.getLogger(__name__)

SECURITY = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
"""No script, nothing loaded from elsewhere, no address given away, no copy kept by a cache."""


async def handle(request: Request, wiring: Wiring) -> Response:
    """Answer a GET; 404 with a sentence for what is not on record, 503 while storage is down."""
    given = dict(request.path_parameters)
    try:
        return await _answer(given, wiring)
    except StorageDown as error:
        log.warning("report.storage_down", extra={"reason": str(error)})
        body = {"error": f"The records cannot be read right now, try again in a minute: {error}"}
        return json_response(503, body, {**SECURITY, "Retry-After": "30"})


async def _answer(given: dict[str, str], wiring: Wiring) -> Response:
    if "wave" not in given:
        return await _overview(wiring, as_json=given.get("suffix") == "json")
    if "name" in given:
        given["name"], suffix = _split(given["name"], known=("json",))
        return await _run(given, wiring, suffix)
    tracking_id, suffix = _split(given["wave"], known=("json", "ics", "csv"))
    return await _wave(tracking_id, wiring, suffix)


def _split(last: str, known: Sequence[str]) -> tuple[str, str]:
    """The last segment and its suffix; a scale set's name may hold dots of its own."""
    stem, _, suffix = last.rpartition(".")
    return (stem, suffix) if stem and suffix in known else (last, "")


async def _overview(wiring: Wiring, *, as_json: bool) -> Response:
    current = await wiring.runs.listed()
    archived: list[Listed] | None = None
    rows = []
    for tracking_id in {tracking_id for tracking_id, *_ in await wiring.waves.listed()}:
        waves = await wiring.waves.of(tracking_id)
        if not waves:
            continue
        if archived is None and _missing_runs(tracking_id, waves, current):
            archived = await wiring.runs.archived()
        seen = figures.overview(waves, _members(tracking_id, waves, current, archived or ()))
        announced_at = contract.announcements(waves)[-1].order[0]
        rows.append(
            (
                (seen.needs_person == 0, -announced_at.timestamp(), tracking_id),
                contract.overview_row(tracking_id, waves, seen),
            )
        )
    found = [row for _, row in sorted(rows, key=itemgetter(0))]
    if as_json:
        return json_response(200, found, SECURITY)
    return _page(200, page.waves_page(found, _addresses(wiring), wiring.now()))


async def _wave(tracking_id: str, wiring: Wiring, suffix: str) -> Response:
    try:
        waves = await wiring.waves.of(checked_tracking_id(tracking_id))
    except ValueError as error:
        return _missing(str(error), suffix, wiring)
    if not waves:
        return _missing(f"No announcement of a wave {tracking_id} is on record.", suffix, wiring)
    current = await wiring.runs.listed()
    archived = await wiring.runs.archived() if _missing_runs(tracking_id, waves, current) else []
    lines = _members(tracking_id, waves, current, archived)
    read = await wiring.runs.read_listed(lines.values())
    runs = tuple((await queue.in_place(read, wiring)).values())
    if suffix == "json":
        return json_response(200, contract.wave_document(tracking_id, waves, runs), SECURITY)
    if suffix == "csv":
        return Response(200, table.table(tracking_id, runs), "text/csv", _as_file(f"{tracking_id}.csv"))
    if suffix == "ics":
        # The plain address: a link's token would expire in somebody's calendar.
        base = wiring.settings.public_url
        address = f"{base}/api/{wave_path(tracking_id)}" if base else ""
        organizer = parseaddr(wiring.settings.mail_from)[1]
        made = calendar.calendar(tracking_id, waves, runs, address, organizer)
        return Response(200, made, "text/calendar", _as_file(f"{tracking_id}.ics"))
    deliveries = wiring.deliveries.of_wave(tracking_id, all_or_nothing=False)
    told = tuple([delivery async for delivery, _ in deliveries])
    outlooks = await queue.outlooks(list(lines.values()), wiring)
    report = page.Report(tracking_id, waves, runs, figures.overview(waves, lines), told, outlooks)
    # A thousand scale sets take a second of CPU: the worker's loop must go on answering meanwhile.
    return _page(200, await asyncio.to_thread(page.wave_page, report, _addresses(wiring), wiring.now()))


async def _run(given: dict[str, str], wiring: Wiring, suffix: str) -> Response:
    tracking_id = given["wave"]
    try:
        checked_tracking_id(tracking_id)
        path = run_path(given["subscription"], given["group"], given["name"])
    except ValueError as error:
        return _missing(str(error), suffix, wiring)
    run = await _find(tracking_id, path, wiring)
    if run is None:
        return _missing(
            f"Wave {tracking_id} has no run of {given['name']} in {given['group']} on record.",
            suffix,
            wiring,
        )
    if suffix == "json":
        return json_response(200, contract.run_document(run), SECURITY)
    return _page(200, page.run_page(tracking_id, run, _addresses(wiring), wiring.now()))


async def _find(tracking_id: str, path: str, wiring: Wiring) -> Run | None:
    """The run on record, or in the archive when a run of a later wave has taken its place."""
    for listing in (wiring.runs.listed, wiring.runs.archived):
        lines = [line for line in await listing(path) if tracking_id in waves_of(line.metadata)]
        for run in (await queue.in_place(await wiring.runs.read_listed(lines[-1:]), wiring)).values():
            return run
    return None


def _missing_runs(tracking_id: str, waves: Sequence[Wave], current: Sequence[Listed]) -> set[str]:
    """Paths of the roster's runs that are not there: never planned, or archived because of a later wave."""
    there = {line.path for line in current if tracking_id in waves_of(line.metadata)}
    return set(figures.roster(waves)) - there


def _members(
    tracking_id: str, waves: Sequence[Wave], current: Sequence[Listed], archived: Sequence[Listed]
) -> dict[str, Listed]:
    """The wave's runs by the path they have, or had, in `runs/`; of several archived ones the last."""
    missing = _missing_runs(tracking_id, waves, current)
    lines = {line.path: line for line in current if tracking_id in waves_of(line.metadata)}
    for line in archived:
        place = current_path(line.path)
        if place in missing and tracking_id in waves_of(line.metadata):
            lines[place] = line
    return lines


def _missing(sentence: str, suffix: str, wiring: Wiring) -> Response:
    if suffix == "json":
        return json_response(404, {"error": sentence}, SECURITY)
    if suffix:
        return Response(404, sentence, "text/plain", SECURITY)
    return _page(404, page.missing_page(sentence, wiring.now()))


def _page(status: int, body: str) -> Response:
    return Response(status, body, "text/html", SECURITY)


def _as_file(name: str) -> dict[str, str]:
    return {**SECURITY, "Content-Disposition": f'attachment; filename="{name}"'}


def _addresses(wiring: Wiring) -> Addresses:
    return Addresses(wiring.settings.public_url)
