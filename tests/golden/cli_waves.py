"""What the commands about a deployed app print, of the same waves as the golden pages."""

import contextlib
import io
import os
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import cache
from typing import Any
from unittest.mock import patch

from handlers.cli.main import main
from handlers.render import contract
from planner.record.run import Run
from tests.golden.pages import TITLE, asking_wave, seen
from tests.golden.scenes import ENDLESS, TRACKING, over, strange, troubled, twelve, wave
from tests.golden.worlds import DAY, H
from tests.handlers.cli.stand_in import KEY, stand_in
from tests.planner.protocol import NOW

LATER = NOW + 2 * H


def document(runs: Sequence[Run], now: datetime = NOW, title: str = TITLE) -> dict[str, Any]:
    return contract.wave_document(TRACKING, (wave(runs, title),), seen(runs), runs, now)


def answers_of(made: dict[str, Any]) -> dict[str, tuple[int, Any]]:
    """The wave, and every command to its scale sets accepted."""
    said = {"status": "accepted", "reason": "It is on the run's record."}
    places = [f"{run['subscription']}/{run['resource_group']}/{run['name']}" for run in made["runs"]]
    words = ("approve", "hold", "resume", "skip", "raise", "let-pass", "acknowledge")
    return {
        f"GET waves/{TRACKING}.json": (200, made),
        **{f"POST waves/{TRACKING}/{place}/{word}": (202, said) for place in places for word in words},
        f"POST waves/{TRACKING}/raise": (202, {"status": "accepted", "reason": "`scale-sets` is 9."}),
    }


@cache
def every_wave() -> dict[str, tuple[int, Any]]:
    waves = {TRACKING: seen(troubled()), "XT2P-9Z0": seen(twelve())}
    rows = [contract.overview_row(name, "Planned", (), counted) for name, counted in waves.items()]
    return {"GET waves.json": (200, rows)}


@cache
def ordinary() -> dict[str, tuple[int, Any]]:
    return answers_of(document(asking_wave()))


@cache
def wrong() -> dict[str, tuple[int, Any]]:
    return answers_of(document(troubled(), LATER))


@cache
def finished() -> dict[str, tuple[int, Any]]:
    return answers_of(document(over(), NOW + 8 * DAY))


@cache
def hostile() -> dict[str, tuple[int, Any]]:
    return answers_of(document([strange()[0]], title=ENDLESS))


@cache
def paused() -> str:
    """The first scale set of the wave in which everything went wrong."""
    return troubled()[0].target.name


def _approve() -> list[str]:
    asks = asking_wave()[-1]
    return ["approve", TRACKING, asks.target.name, "--checksum", asks.people.checksum, *YES]


YES = ("--yes", "--actor", "Ana", "--reason", "Not tonight.")
type Made = tuple[Callable[[], dict[str, tuple[int, Any]]], datetime, Callable[[], Sequence[str]]]
COMMANDS: dict[str, Made] = {
    "waves.txt": (every_wave, NOW, lambda: ["waves"]),
    "waves.tsv": (every_wave, NOW, lambda: ["waves", "-o", "plain"]),
    "waves.json": (every_wave, NOW, lambda: ["waves", "-o", "json"]),
    "waves-none.txt": (lambda: {"GET waves.json": (200, [])}, NOW, lambda: ["waves"]),
    "show-wave.txt": (ordinary, NOW, lambda: ["show", TRACKING]),
    "show-wave.tsv": (ordinary, NOW, lambda: ["show", TRACKING, "-o", "plain"]),
    "show-wave-of-one-state.txt": (ordinary, NOW, lambda: ["show", TRACKING, "--state", "left_to_azure"]),
    "show-everything-went-wrong.txt": (wrong, LATER, lambda: ["show", TRACKING]),
    "show-finished.txt": (finished, NOW + 8 * DAY, lambda: ["show", TRACKING]),
    "show-hostile.txt": (hostile, NOW, lambda: ["show", TRACKING]),
    "show-asks-for-approval.txt": (ordinary, NOW, lambda: ["show", TRACKING, asking_wave()[-1].target.name]),
    "show-paused.txt": (wrong, LATER, lambda: ["show", TRACKING, paused()]),
    "show-paused.tsv": (wrong, LATER, lambda: ["show", TRACKING, paused(), "-o", "plain"]),
    "show-paused.json": (wrong, LATER, lambda: ["show", TRACKING, paused(), "-o", "json"]),
    "watch-finished.txt": (finished, NOW + 8 * DAY, lambda: ["watch", TRACKING]),
    "watch-finished.tsv": (finished, NOW + 8 * DAY, lambda: ["watch", TRACKING, "-o", "plain"]),
    "watch-finished.json": (finished, NOW + 8 * DAY, lambda: ["watch", TRACKING, "-o", "json"]),
    "hold.txt": (wrong, LATER, lambda: ["hold", TRACKING, paused(), *YES]),
    "hold.json": (wrong, LATER, lambda: ["hold", TRACKING, paused(), *YES, "-o", "json"]),
    "hold.tsv": (wrong, LATER, lambda: ["hold", TRACKING, paused(), *YES, "-o", "plain"]),
    "resume.txt": (wrong, LATER, lambda: ["resume", TRACKING, paused(), *YES]),
    "skip.txt": (wrong, LATER, lambda: ["skip", TRACKING, paused(), "--instance", "2", *YES]),
    "raise.txt": (wrong, LATER, lambda: ["raise", TRACKING, paused(), "soak=10m", *YES]),
    "raise-limits.txt": (wrong, LATER, lambda: ["raise", TRACKING, "scale-sets=9", *YES]),
    "pass.txt": (wrong, LATER, lambda: ["pass", TRACKING, paused(), *YES]),
    "acknowledge.txt": (wrong, LATER, lambda: ["acknowledge", TRACKING, paused(), *YES]),
    "approve.txt": (ordinary, NOW, _approve),
}
"""Each a wave, the time it is, and what is typed. In a pipe, without colour, 80 columns."""


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
    answers, now, typed = COMMANDS[name]
    with stand_in(answers()) as app, terminal(app.url, now) as (out, errors):
        code = main(typed())
    beside = f"--- standard error\n{errors.getvalue()}" if errors.getvalue() else ""
    return f"{out.getvalue()}{beside}--- ends with {code}\n"
