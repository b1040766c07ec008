"""A shell that a command is typed in: its folder, its environment, and what comes out of a pipe or a terminal."""

import contextlib
import fcntl
import io
import os
import pty
import re
import shlex
import struct
import sys
import tempfile
import termios
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from handlers.cli.main import main

COLUMNS, LINES = 80, 50
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
HIDDEN = ("BREAKWATER_", "AZURE_", "AzureWebJobsStorage", "NO_COLOR", "FORCE_COLOR", "TTY_")
"""How settings of whoever runs this begin, which no output may depend on."""


@dataclass(frozen=True)
class Typed:
    """A command, and the world in which it is typed: folder, environment, clock, app, Azure."""

    words: Callable[[], Sequence[str]]
    world: Callable[[], AbstractContextManager[object]]


@dataclass(frozen=True)
class Printed:
    """Standard output, standard error and the exit code."""

    out: str
    errors: str
    code: int


@contextlib.contextmanager
def shell(
    files: Mapping[str, str] | None = None, environment: Mapping[str, str] | None = None
) -> Iterator[Path]:
    """A folder with these files, and no settings but these, 80 columns wide."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(HIDDEN)}
    wanted = {
        **kept,
        "COLUMNS": str(COLUMNS),
        "LINES": str(LINES),
        "TERM": "xterm-256color",
        **(environment or {}),
    }
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.chdir(folder),
        mock.patch.dict(os.environ, wanted, clear=True),
        # typer colours its help wherever GITHUB_ACTIONS was set when it was imported.
        mock.patch("typer.rich_utils.FORCE_TERMINAL", None),
    ):
        for name, text in (files or {}).items():
            Path(name).write_text(text, encoding="utf-8")
        yield Path(folder)


def piped(words: Sequence[str]) -> Printed:
    """As a file gets it."""
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        code = main(words)
    return Printed(out.getvalue(), errors.getvalue(), code)


def in_a_terminal(words: Sequence[str]) -> Printed:
    """As a terminal gets it, escapes included; standard error goes elsewhere."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    heard: list[bytes] = []

    def listen() -> None:
        with contextlib.suppress(OSError):
            while piece := os.read(master, 65536):
                heard.append(piece)

    listener = threading.Thread(target=listen)
    listener.start()
    errors = io.StringIO()
    with (
        os.fdopen(slave, "w", encoding="utf-8") as terminal,
        contextlib.redirect_stderr(errors),
        mock.patch.object(sys, "stdout", terminal),
    ):
        code = main(words)
    listener.join()
    os.close(master)
    return Printed(b"".join(heard).decode().replace("\r\n", "\n"), errors.getvalue(), code)


def kept_as(words: Sequence[str], printed: Printed) -> str:
    """The text of a golden file: what was typed, what came, and how it ended."""
    beside = f"[standard error]\n{printed.errors}" if printed.errors else ""
    out = printed.out if printed.out.endswith("\n") or not printed.out else f"{printed.out}\n"
    return steady(f"$ breakwater {shlex.join(words)}\n{out}{beside}[exit {printed.code}]\n")


def steady(text: str) -> str:
    """With a name in place of the addresses that stand-ins have, as long as these: lines break at the same place."""
    return re.sub(r"127\.0\.0\.1:\d+", "app.example.com", text)
