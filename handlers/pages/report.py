"""The overview, a wave and a scale set as page, JSON, calendar and spreadsheet; read only.

What is shown is the same however it was opened; only the addresses in it differ.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import batched

from handlers.cloud.names import run_path
from handlers.cloud.records import Conflict, Listed, StorageDown
from handlers.delivery import calendars
from handlers.log import logger
from handlers.pages.answer import SECURITY, as_file, html
from handlers.render import contract, page, table
from handlers.render.addresses import Addresses, Place
from handlers.render.report_model import Part, Report
from handlers.repository.runs import AT_ONCE
from handlers.runs import queue
from handlers.waves import figures, members, paging
from handlers.waves.paging import Asked, Line
from handlers.wire.documents import NewerRecord, waves_of
from handlers.wire.http import Response, json_response
from handlers.wire.ids import checked_tracking_id
from handlers.wiring import Wiring
from handlers.words import answers as words
from planner.azure.wave import Wave
from planner.notices.delivery import Delivery
from planner.record.run import Run

log = logger(__name__)

LARGEST = 400_000
"""Bytes of a wave's document that are not exceeded unless a single run does."""

LARGEST_TABLE = 2_500_000
"""The same of its spreadsheet, which people and programs save as a file."""


async def shown(
    place: Mapping[str, str], query: Mapping[str, str], wiring: Wiring, addresses: Addresses
) -> Response:
    """Answer a GET; 404 with a sentence for what is not on record, 503 while storage is down.

    `place` is empty for the overview, has `wave` for a wave, and `subscription`, `group`, `name` with it for
    a scale set. The last one carries the suffix: `.json`, for a wave also `.ics` and `.csv`; the overview has
    no segment for it and gets it as `suffix`.
    """
    given = dict(place)
    try:
        return await _answer(given, query, wiring, addresses)
    except (StorageDown, Conflict, NewerRecord) as error:
        log.warning("report.storage_down", extra={"why": str(error)})
        body = {"error": words.records_unreadable(error)}
        return json_response(503, body, {**SECURITY, "Retry-After": "30"})


async def _answer(
    given: dict[str, str], query: Mapping[str, str], wiring: Wiring, addresses: Addresses
) -> Response:
    if "wave" not in given:
        return await _overview(wiring, addresses, as_json=given.get("suffix") == "json")
    if "name" in given:
        given["name"], suffix = _split(given["name"], known=("json",))
        return await _run(given, wiring, addresses, suffix)
    tracking_id, suffix = _split(given["wave"], known=("json", "ics", "csv"))
    return await _wave(tracking_id, query, wiring, addresses, suffix)


def _split(last: str, known: Sequence[str]) -> tuple[str, str]:
    """The last segment and its suffix; a scale set's name may hold dots of its own."""
    stem, _, suffix = last.rpartition(".")
    return (stem, suffix) if stem and suffix in known else (last, "")


async def _overview(wiring: Wiring, addresses: Addresses, *, as_json: bool) -> Response:
    found = [
        contract.overview_row(seen.tracking_id, seen.stage, seen.subscriptions, seen.overview)
        for seen in await members.every_wave(wiring)
    ]
    if as_json:
        return json_response(200, found, SECURITY)
    return html(200, page.waves_page(found, addresses, wiring.now()))


async def _wave(
    tracking_id: str, query: Mapping[str, str], wiring: Wiring, addresses: Addresses, suffix: str
) -> Response:
    try:
        waves = await wiring.waves.of(checked_tracking_id(tracking_id))
        asked = paging.asked(query)
    except ValueError as error:
        return _missing(str(error), suffix, wiring, addresses)
    if not waves:
        return _missing(words.no_wave(tracking_id), suffix, wiring, addresses)
    lines = await members.of_wave(tracking_id, waves, wiring)
    if suffix == "json":
        return await _document(tracking_id, waves, lines, asked, wiring, addresses)
    if suffix:
        return await _file(tracking_id, waves, lines, asked, wiring, addresses, suffix)
    rows = paging.in_order(paging.in_state(lines, asked.state))
    shown = paging.page(rows, asked.number)
    if not shown and not asked.whole:
        return _missing(words.no_such_page(tracking_id), "", wiring, addresses)
    first, pages = (asked.number - 1) * paging.ROWS + 1, paging.pages(len(rows))
    report = Report(
        tracking_id,
        waves,
        tuple((await _read(shown, wiring)).values()),
        figures.overview(waves, lines),
        await _told(tracking_id, wiring) if asked.whole else (),
        await queue.outlooks(_current(lines), wiring) if asked.whole else (),
        tuple(
            Place(*members.place_of(*row)) for row in paging.in_order(lines) if members.needs_person(row[1])
        ),
        Part(asked.number, pages, first, len(rows), asked.state),
    )
    # A large page takes some tenths of a second of CPU: the worker's loop must go on answering meanwhile.
    return html(200, await asyncio.to_thread(page.wave_page, report, addresses, wiring.now()))


async def _document(
    tracking_id: str,
    waves: Sequence[Wave],
    lines: Mapping[str, Listed],
    asked: Asked,
    wiring: Wiring,
    addresses: Addresses,
) -> Response:
    """The wave with as many of its runs as fit, and the address of the next ones."""
    seen, now = figures.overview(waves, lines), wiring.now()
    room = LARGEST - len(json.dumps(contract.wave_document(tracking_id, waves, seen, (), now)))
    first, rest = paging.on_the_way(paging.in_state(lines, asked.state), asked)
    asking = {path for path, _ in first}
    fitting: list[Run] = []
    at, further = asked.after or paging.BEGINNING, None
    async for path, run in _one_by_one((*first, *rest), wiring):
        room -= len(json.dumps(contract.run_document(run, now)))
        if fitting and room < 0:
            further = addresses.part(tracking_id, "json", at, asked.state or "")
            break
        fitting.append(run)
        at = at if path in asking else paging.place(path)
    document = contract.wave_document(tracking_id, waves, seen, fitting, now, further)
    return json_response(200, document, SECURITY)


async def _one_by_one(lines: Iterable[Line], wiring: Wiring) -> AsyncIterator[tuple[str, Run]]:
    """The runs by their paths, only as many of them read as somebody takes, and a few more."""
    for some in batched(lines, AT_ONCE, strict=False):
        for path, run in (await _read(some, wiring)).items():
            yield path, run


async def _file(
    tracking_id: str,
    waves: Sequence[Wave],
    lines: Mapping[str, Listed],
    asked: Asked,
    wiring: Wiring,
    addresses: Addresses,
    suffix: str,
) -> Response:
    """The wave as a spreadsheet, as much of it as fits, or as a whole calendar."""
    if suffix == "csv":
        return await _spreadsheet(tracking_id, lines, asked, wiring, addresses)
    # What a calendar leaves out it has to cancel: it is made of the whole wave and cut down afterwards.
    feed = await calendars.of_wave(tracking_id, waves, lines, wiring, addresses, within=asked.state)
    return Response(200, feed, "text/calendar", as_file(f"{tracking_id}.ics"))


async def _spreadsheet(
    tracking_id: str, lines: Mapping[str, Listed], asked: Asked, wiring: Wiring, addresses: Addresses
) -> Response:
    """Rows of as many runs as fit; `Link` has the address of the next ones (RFC 8288), the name says so."""
    begins = asked.after or paging.BEGINNING
    _, rest = paging.on_the_way(paging.in_state(lines, asked.state), replace(asked, after=begins))
    parts, room, at, further = [table.HEAD], LARGEST_TABLE, begins, ""
    async for path, run in _one_by_one(rest, wiring):
        # A large run takes some tenths of a second of CPU: the worker's loop must go on answering meanwhile.
        made = await asyncio.to_thread(table.part, tracking_id, run)
        room -= len(made.encode())
        if len(parts) > 1 and room < 0:
            further = addresses.part(tracking_id, "csv", at, asked.state or "")
            break
        parts.append(made)
        at = paging.place(path)
    named = {(False, False): "", (False, True): "-first", (True, True): "-next", (True, False): "-last"}
    headers = as_file(f"{tracking_id}{named[bool(asked.after), bool(further)]}.csv")
    if further:
        headers["Link"] = f'<{further}>; rel="next"'
    return Response(200, "".join(parts), "text/csv", headers)


async def _read(lines: Iterable[Line], wiring: Wiring) -> dict[str, Run]:
    """The runs with the times of their places, in the order of the lines; without those that are gone."""
    known = tuple(lines)
    found = await queue.in_place(await wiring.runs.read_listed(line for _, line in known), wiring)
    return {path: found[line.path] for path, line in known if line.path in found}


async def _told(tracking_id: str, wiring: Wiring) -> tuple[Delivery, ...]:
    """What the receivers have been told, as far as it can be read."""
    found = wiring.deliveries.of_wave(tracking_id, all_or_nothing=False)
    return tuple([delivery async for delivery, _ in found])


def _current(lines: Mapping[str, Listed]) -> list[Listed]:
    """Those that no later wave has archived: an archived run has no place in a queue."""
    return [line for path, line in lines.items() if line.path == path]


async def _run(given: dict[str, str], wiring: Wiring, addresses: Addresses, suffix: str) -> Response:
    tracking_id = given["wave"]
    try:
        checked_tracking_id(tracking_id)
        path = run_path(given["subscription"], given["group"], given["name"])
    except ValueError as error:
        return _missing(str(error), suffix, wiring, addresses)
    run = await _find(tracking_id, path, wiring)
    if run is None:
        return _missing(
            words.no_such_run(tracking_id, given["name"], given["group"]),
            suffix,
            wiring,
            addresses,
        )
    if suffix == "json":
        return json_response(200, contract.run_document(run, wiring.now()), SECURITY)
    waves = await wiring.waves.of(tracking_id)
    return html(200, page.run_page(tracking_id, run, addresses, wiring.now(), waves))


async def _find(tracking_id: str, path: str, wiring: Wiring) -> Run | None:
    """The run on record, or in the archive when a run of a later wave has taken its place."""
    for listing in (wiring.runs.listed, wiring.runs.archived):
        lines = [line for line in await listing(path) if tracking_id in waves_of(line.metadata)]
        for run in (await queue.in_place(await wiring.runs.read_listed(lines[-1:]), wiring)).values():
            return run
    return None


def _missing(sentence: str, suffix: str, wiring: Wiring, addresses: Addresses) -> Response:
    if suffix == "json":
        return json_response(404, {"error": sentence}, SECURITY)
    if suffix:
        return Response(404, sentence, "text/plain", SECURITY)
    return html(404, page.missing_page(sentence, addresses, wiring.now()))
