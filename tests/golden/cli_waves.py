"""What the commands about a deployed app print, of recorded waves: the app's own JSON at recorded moments."""

import asyncio
import contextlib
import io
import json
import shlex
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cache, partial
from typing import Any
from unittest.mock import patch

from handlers.pages.report import shown
from tests.golden.pages import at, wave_as
from tests.golden.replayed import ON_PAGE, opened
from tests.golden.shell import Typed, shell
from tests.golden.waves import TRACKING_ID as TRACKING
from tests.handlers.cli.stand_in import KEY, stand_in

ORDINARY, WRONG, FINISHED, HOSTILE = "announced-with-a-question", "stalled", "finished", "paused-hostile"
"""Recorded moments."""

ASKS, PAUSED = "orders-prod", "search-prod"
"""Scale sets that wait for an approval in an ordinary wave, and for somebody where everything went wrong."""


@cache
def document(moment: str) -> dict[str, Any]:
    """The wave's JSON as the app gives it out, all parts in one."""
    made = json.loads(wave_as(moment, "json"))
    assert made["next"] is None
    return dict(made)


@cache
def answers_of(moment: str) -> dict[str, tuple[int, Any]]:
    """The wave, and every command to its scale sets accepted."""
    made = document(moment)
    said = {"status": "accepted", "reason": "It is on the run's record."}
    places = [f"{run['subscription']}/{run['resource_group']}/{run['name']}" for run in made["runs"]]
    words = ("approve", "hold", "resume", "skip", "raise", "let-pass", "acknowledge")
    return {
        f"GET waves/{TRACKING}.json": (200, made),
        **{f"POST waves/{TRACKING}/{place}/{word}": (202, said) for place in places for word in words},
        f"POST waves/{TRACKING}/skip": (202, {"status": "accepted", "reason": "2 scale sets took it."}),
        f"POST waves/{TRACKING}/raise": (202, {"status": "accepted", "reason": "`scale-sets` is 9."}),
    }


def every_wave(moment: str) -> dict[str, tuple[int, Any]]:
    """The overview, with one more wave that is ordinary."""
    rows = [*json.loads(wave_as(moment, "")), *json.loads(wave_as(ORDINARY, ""))]
    return {"GET waves.json": (200, [rows[0], {**rows[1], "tracking_id": "XT2P-9Z0"}])}


def none(_: str) -> dict[str, tuple[int, Any]]:
    return {"GET waves.json": (200, [])}


def unknown(_: str) -> dict[str, tuple[int, Any]]:
    """The app's own answer about a wave that it does not know."""
    answer = asyncio.run(shown({"wave": "NONE-123.json"}, {}, opened(at(ORDINARY)), ON_PAGE))
    return {"GET waves/NONE-123.json": (answer.status, json.loads(answer.body))}


def refusing(moment: str) -> dict[str, tuple[int, Any]]:
    """Every command is too late."""
    refused = {"status": "refused", "reason": "All of it has started already."}
    return {
        path: (409, refused) if path.startswith("POST") else answer
        for path, answer in answers_of(moment).items()
    }


YES = "--yes --actor Ana --reason 'As agreed.'"
SAID: Mapping[str, str] = {
    "hold": f"hold {TRACKING} {PAUSED} {YES}",
    "resume": f"resume {TRACKING} {PAUSED} {YES}",
    "skip": f"skip {TRACKING} {PAUSED} --instance 2 {YES}",
    "raise": f"raise {TRACKING} {PAUSED} soak=10m {YES}",
    "pass": f"pass {TRACKING} {PAUSED} {YES}",
    "acknowledge": f"acknowledge {TRACKING} {PAUSED} {YES}",
}
"""What people say to a scale set that is paused."""

type Answers = Callable[[str], dict[str, tuple[int, Any]]]
COMMANDS: Mapping[str, tuple[Answers, str, str]] = {
    "waves": (every_wave, WRONG, "waves"),
    "waves-plain": (every_wave, WRONG, "waves -o plain"),
    "waves-json": (every_wave, WRONG, "waves -o json"),
    "waves-none": (none, ORDINARY, "waves"),
    "waves-none-json": (none, ORDINARY, "waves -o json"),
    "waves-without-an-address": (none, ORDINARY, "waves"),
    "waves-without-a-key": (none, ORDINARY, "waves"),
    "waves-with-a-wrong-key": (none, ORDINARY, "waves"),
    "waves-of-an-app-that-is-not-there": (none, ORDINARY, "waves"),
    "show-wave": (answers_of, ORDINARY, f"show {TRACKING}"),
    "show-wave-plain": (answers_of, ORDINARY, f"show {TRACKING} -o plain"),
    "show-wave-of-one-state": (answers_of, ORDINARY, f"show {TRACKING} --state left_to_azure"),
    "show-wave-of-no-such-state": (answers_of, ORDINARY, f"show {TRACKING} --state stuck"),
    "show-everything-went-wrong": (answers_of, WRONG, f"show {TRACKING}"),
    "show-finished": (answers_of, FINISHED, f"show {TRACKING}"),
    "show-hostile": (answers_of, HOSTILE, f"show {TRACKING}"),
    "show-no-such-wave": (unknown, ORDINARY, "show NONE-123"),
    "show-no-such-scale-set": (answers_of, ORDINARY, f"show {TRACKING} orders"),
    "show-asks-for-approval": (answers_of, ORDINARY, f"show {TRACKING} {ASKS}"),
    "show-paused": (answers_of, WRONG, f"show {TRACKING} {PAUSED}"),
    "show-paused-plain": (answers_of, WRONG, f"show {TRACKING} {PAUSED} -o plain"),
    "show-paused-json": (answers_of, WRONG, f"show {TRACKING} {PAUSED} -o json"),
    "watch-finished": (answers_of, FINISHED, f"watch {TRACKING}"),
    "watch-finished-plain": (answers_of, FINISHED, f"watch {TRACKING} -o plain"),
    "watch-finished-json": (answers_of, FINISHED, f"watch {TRACKING} -o json"),
    "approve": (answers_of, ORDINARY, f"approve {TRACKING} {ASKS} --checksum PLAN {YES}"),
    "approve-plain": (answers_of, ORDINARY, f"approve {TRACKING} {ASKS} --checksum PLAN {YES} -o plain"),
    "approve-json": (answers_of, ORDINARY, f"approve {TRACKING} {ASKS} --checksum PLAN {YES} -o json"),
    "approve-another-plan": (
        answers_of,
        ORDINARY,
        f"approve {TRACKING} {ASKS} --checksum 0123456789abcdef {YES}",
    ),
    **{name: (answers_of, WRONG, typed) for name, typed in SAID.items()},
    **{f"{name}-plain": (answers_of, WRONG, f"{typed} -o plain") for name, typed in SAID.items()},
    **{f"{name}-json": (answers_of, WRONG, f"{typed} -o json") for name, typed in SAID.items()},
    "hold-too-late": (refusing, WRONG, SAID["hold"]),
    "hold-without-a-terminal": (answers_of, WRONG, f"hold {TRACKING} {PAUSED}"),
    "hold-without-a-name": (answers_of, WRONG, f"hold {TRACKING} {PAUSED} --yes"),
    "hold-nothing": (answers_of, WRONG, f"hold {TRACKING} --yes"),
    "skip-what-is-late": (answers_of, WRONG, f"skip {TRACKING} --runs late {YES}"),
    "raise-limits": (answers_of, WRONG, f"raise {TRACKING} scale-sets=9 {YES}"),
    "raise-nothing": (answers_of, WRONG, f"raise {TRACKING} {PAUSED}"),
}
"""Each what the app answers, at which recorded moment, and what is typed; PLAN stands for the plan shown then."""


def _words(moment: str, typed: str) -> list[str]:
    plans = [run["checksum"] for run in document(moment)["runs"] if run["name"] == ASKS]
    return [plans[0] if word == "PLAN" else word for word in shlex.split(typed)]


SHELLS: Mapping[str, Mapping[str, str]] = {
    "waves-without-an-address": {"BREAKWATER_PUBLIC_URL": ""},
    "waves-without-a-key": {"BREAKWATER_KEY": ""},
    "waves-with-a-wrong-key": {"BREAKWATER_KEY": "another"},
    "waves-of-an-app-that-is-not-there": {"BREAKWATER_PUBLIC_URL": "http://127.0.0.1:9"},
}
"""What else the shell has where it is not in order."""


@contextlib.contextmanager
def signed_in(
    url: str,
    now: datetime,
    environment: Mapping[str, str] | None = None,
    files: Mapping[str, str] | None = None,
) -> Iterator[None]:
    """A shell with the app's address and key, whose clock stands still."""
    known = {"BREAKWATER_PUBLIC_URL": url, "BREAKWATER_KEY": KEY, **(environment or {})}
    with shell(files, known), patch("handlers.cli.clock.now", lambda: now):
        yield


@contextlib.contextmanager
def terminal(url: str, now: datetime) -> Iterator[tuple[io.StringIO, io.StringIO]]:
    """The same, and what comes out of it, without colour."""
    out, errors = io.StringIO(), io.StringIO()
    with (
        signed_in(url, now, {"NO_COLOR": "1"}),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(errors),
    ):
        yield out, errors


@contextlib.contextmanager
def world(answers: Answers, moment: str, environment: Mapping[str, str] | None = None) -> Iterator[None]:
    """The app answers so, at this recorded moment."""
    with stand_in(answers(moment)) as app, signed_in(app.url, at(moment).at, environment):
        yield


TYPED: Mapping[str, Typed] = {
    name: Typed(partial(_words, moment, typed), partial(world, answers, moment, SHELLS.get(name)))
    for name, (answers, moment, typed) in COMMANDS.items()
}
