"""A command in a real pseudo-terminal and in a real pipe, as a process of its own."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

from tests.places import ROOT

COMMAND = [sys.executable, "-m", "handlers.cli.main"]


def environment(azure, **more: str) -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("BREAKWATER_", "NO_COLOR"))
    }
    kept.pop("COLUMNS", None)
    return {**kept, **azure.environment, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", **more}


def in_a_terminal(arguments: list[str], env: dict[str, str], columns: int) -> tuple[int, str]:
    """What a terminal so wide gets from both outputs, and the exit code."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = subprocess.Popen([*COMMAND, *arguments], env=env, stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    heard = b""
    try:
        while piece := os.read(master, 65536):
            heard += piece
    except OSError:
        pass  # how a pseudo-terminal says that its other end is closed
    os.close(master)
    return process.wait(timeout=60), heard.decode()


def test_a_terminal_gets_progress_and_colour_within_its_width(azure, policy_file: Path):
    opened = azure()
    code, heard = in_a_terminal(["plan", "--policy", str(policy_file)], environment(opened), 100)
    assert "Planning scale sets" in heard
    assert "\x1b[33m! rg-shop-north/payments-prod" in heard
    answer = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", heard[heard.index("As of") :])
    lines = [line.rstrip() for line in answer.replace("\r", "").splitlines()]
    assert 80 < max(map(len, lines)) <= 100
    assert code == 2


def test_a_pipe_gets_neither_and_no_color_is_respected(azure, policy_file: Path):
    opened = azure()
    piped = subprocess.run(
        [*COMMAND, "plan", "--policy", str(policy_file)],
        env=environment(opened),
        capture_output=True,
        check=False,
    )
    assert b"\x1b" not in piped.stdout + piped.stderr
    assert (piped.returncode, piped.stderr) == (2, b"")
    code, heard = in_a_terminal(["policy", "check", str(policy_file)], environment(opened, NO_COLOR="1"), 80)
    assert not re.search(r"\x1b\[[0-9;]*m", heard)
    assert code == 0
