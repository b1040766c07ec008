"""What the commands about a deployed app print, of recorded waves: the app's own JSON at recorded moments."""

import contextlib
import io
import json
import os
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import cache
from typing import Any
from unittest.mock import patch

from handlers.cli.main import main
from tests.golden.pages import at, wave_as
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
        f"POST waves/{TRACKING}/raise": (202, {"status": "accepted", "reason": "`scale-sets` is 9."}),
    }


def every_wave(moment: str) -> dict[str, tuple[int, Any]]:
    """The overview, with one more wave that is ordinary."""
    rows = [*json.loads(wave_as(moment, "")), *json.loads(wave_as(ORDINARY, ""))]
    return {"GET waves.json": (200, [rows[0], {**rows[1], "tracking_id": "XT2P-9Z0"}])}


def none(_: str) -> dict[str, tuple[int, Any]]:
    return {"GET waves.json": (200, [])}


def _approve() -> list[str]:
    (asks,) = [run for run in document(ORDINARY)["runs"] if run["name"] == ASKS]
    return ["approve", TRACKING, ASKS, "--checksum", asks["checksum"], *YES]


def _typed(*words: str) -> Callable[[], list[str]]:
    return lambda: list(words)


YES = ("--yes", "--actor", "Ana", "--reason", "Not tonight.")
type Answers = Callable[[str], dict[str, tuple[int, Any]]]
COMMANDS: dict[str, tuple[Answers, str, Callable[[], Sequence[str]]]] = {
    "waves.txt": (every_wave, WRONG, _typed("waves")),
    "waves.tsv": (every_wave, WRONG, _typed("waves", "-o", "plain")),
    "waves.json": (every_wave, WRONG, _typed("waves", "-o", "json")),
    "waves-none.txt": (none, ORDINARY, _typed("waves")),
    "show-wave.txt": (answers_of, ORDINARY, _typed("show", TRACKING)),
    "show-wave.tsv": (answers_of, ORDINARY, _typed("show", TRACKING, "-o", "plain")),
    "show-wave-of-one-state.txt": (
        answers_of,
        ORDINARY,
        _typed("show", TRACKING, "--state", "left_to_azure"),
    ),
    "show-everything-went-wrong.txt": (answers_of, WRONG, _typed("show", TRACKING)),
    "show-finished.txt": (answers_of, FINISHED, _typed("show", TRACKING)),
    "show-hostile.txt": (answers_of, HOSTILE, _typed("show", TRACKING)),
    "show-asks-for-approval.txt": (answers_of, ORDINARY, _typed("show", TRACKING, ASKS)),
    "show-paused.txt": (answers_of, WRONG, _typed("show", TRACKING, PAUSED)),
    "show-paused.tsv": (answers_of, WRONG, _typed("show", TRACKING, PAUSED, "-o", "plain")),
    "show-paused.json": (answers_of, WRONG, _typed("show", TRACKING, PAUSED, "-o", "json")),
    "watch-finished.txt": (answers_of, FINISHED, _typed("watch", TRACKING)),
    "watch-finished.tsv": (answers_of, FINISHED, _typed("watch", TRACKING, "-o", "plain")),
    "watch-finished.json": (answers_of, FINISHED, _typed("watch", TRACKING, "-o", "json")),
    "hold.txt": (answers_of, WRONG, _typed("hold", TRACKING, PAUSED, *YES)),
    "hold.json": (answers_of, WRONG, _typed("hold", TRACKING, PAUSED, *YES, "-o", "json")),
    "hold.tsv": (answers_of, WRONG, _typed("hold", TRACKING, PAUSED, *YES, "-o", "plain")),
    "resume.txt": (answers_of, WRONG, _typed("resume", TRACKING, PAUSED, *YES)),
    "skip.txt": (answers_of, WRONG, _typed("skip", TRACKING, PAUSED, "--instance", "2", *YES)),
    "raise.txt": (answers_of, WRONG, _typed("raise", TRACKING, PAUSED, "soak=10m", *YES)),
    "raise-limits.txt": (answers_of, WRONG, _typed("raise", TRACKING, "scale-sets=9", *YES)),
    "pass.txt": (answers_of, WRONG, _typed("pass", TRACKING, PAUSED, *YES)),
    "acknowledge.txt": (answers_of, WRONG, _typed("acknowledge", TRACKING, PAUSED, *YES)),
    "approve.txt": (answers_of, ORDINARY, _approve),
}
"""Each what the app answers, at which recorded moment, and what is typed. In a pipe, without colour, 80 columns."""


@contextlib.contextmanager
def terminal(url: str, now: datetime) -> Iterator[tuple[io.StringIO, io.StringIO]]:
    """A shell with the app's address and key, whose clock stands still; what comes out of it."""
    environment = {"BREAKWATER_PUBLIC_URL": url, "BREAKWATER_KEY": KEY, "COLUMNS": "80", "NO_COLOR": "1"}
    out, errors = io.StringIO(), io.StringIO()
    with (
        patch.dict(os.environ, environment),
        patch("handlers.cli.clock.now", lambda: now),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(errors),
    ):
        yield out, errors


def printed(name: str) -> str:
    """All that the command prints, and the code it ends with."""
    answers, moment, typed = COMMANDS[name]
    with stand_in(answers(moment)) as app, terminal(app.url, at(moment).at) as (out, errors):
        code = main(typed())
    beside = f"--- standard error\n{errors.getvalue()}" if errors.getvalue() else ""
    return f"{out.getvalue()}{beside}--- ends with {code}\n"
