"""A person at a shell: a command in a pseudo-terminal of 80 columns, or in a pipe."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

COMMAND = (sys.executable, "-m", "handlers.cli.main")
PATIENCE = 60  # seconds; a command takes one
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    errors: str = ""

    @property
    def text(self) -> str:
        """What a reader sees: without colours and the terminal's line ends."""
        return ESCAPES.sub("", self.out).replace("\r\n", "\n")


def in_pipe(words: Sequence[str], environment: Mapping[str, str]) -> Ended:
    """As a script runs it."""
    ran = subprocess.run(
        [*COMMAND, *words], env={**os.environ, **environment}, capture_output=True, text=True,
        stdin=subprocess.DEVNULL, timeout=PATIENCE, check=False,
    )  # fmt: skip
    return Ended(ran.returncode, ran.stdout, ran.stderr)


def in_terminal(
    words: Sequence[str], environment: Mapping[str, str], replies: Sequence[tuple[str, str]] = ()
) -> Ended:
    """As a person runs it, who types each reply when its question stands there."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 80, 0, 0))
    process = subprocess.Popen(
        [*COMMAND, *words], env={**os.environ, "TERM": "xterm-256color", **environment},
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    out, waiting, until = b"", list(replies), time.monotonic() + PATIENCE
    try:
        while time.monotonic() < until:
            if not select.select([ours], [], [], 1)[0]:
                continue
            try:
                out += os.read(ours, 65536)
            except OSError:
                break  # the other end is closed: it has ended
            if waiting and waiting[0][0] in ESCAPES.sub("", out.decode(errors="replace")):
                os.write(ours, f"{waiting.pop(0)[1]}\n".encode())
        code = process.wait(timeout=PATIENCE)
    finally:
        process.kill()
        os.close(ours)
    return Ended(code, out.decode(errors="replace"))
