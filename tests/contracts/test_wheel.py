"""The wheel is a command of its own: built, installed with what it names and nothing else, in an empty home."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.places import ROOT

UV = ROOT / ".venv" / "bin" / "uv"
NOT_FETCHED = "Packages were unavailable because the network was disabled"


class Bare:
    """A machine with Python and nothing else on it, as far as a command can tell."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home, self.python = folder / "home", folder / "venv" / "bin" / "python"
        self.home.mkdir()

    def run(self, *command: object, **environment: str) -> subprocess.CompletedProcess[str]:
        """Without the settings and the folders of whoever runs the tests."""
        return subprocess.run(
            [str(each) for each in command],
            env={"PATH": "/usr/bin:/bin", "HOME": str(self.home), **environment},
            cwd=self.home,
            capture_output=True,
            text=True,
            check=False,
        )

    def breakwater(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        return self.run(self.python.with_name("breakwater"), *arguments)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Bare:
    """The wheel in a new environment; packages come from what `make setup` has fetched, not from the network."""
    made = Bare(tmp_path_factory.mktemp("bare"))
    wheel = made.folder / "dist"
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheel)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    cache = subprocess.run([UV, "cache", "dir"], capture_output=True, text=True, check=True).stdout.strip()

    def uv(*arguments: object) -> None:
        done = made.run(UV, "--quiet", "--offline", *arguments, UV_CACHE_DIR=cache)
        if NOT_FETCHED in done.stderr:
            pytest.skip(f"uv's cache at {cache} is not what `make setup` left there: {done.stderr[:300]}")
        assert done.returncode == 0, done.stderr

    uv("venv", "--python", sys.executable, made.folder / "venv")
    install = ("pip", "install", "--no-deps", "--python", made.python)
    uv(*install, "--require-hashes", "-r", ROOT / "requirements.txt")
    uv(*install, *wheel.glob("*.whl"))
    uv("pip", "check", "--python", made.python)
    return made


def test_it_says_what_it_offers_and_its_version(bare):
    said = bare.breakwater("--help")
    assert said.returncode == 0, said.stderr
    for command in ("plan", "snapshot", "diff", "policy"):
        assert command in said.stdout
    assert bare.breakwater("--version").stdout.startswith("breakwater 0.")


def test_it_checks_a_policy_and_plans_a_snapshot(bare, snapshot_of_the_demo):
    policy = bare.home / "policy.yaml"
    policy.write_text("defaults: {self-service: always}\n")
    checked = bare.breakwater("policy", "check", policy)
    assert (checked.returncode, checked.stderr) == (0, "")
    planned = bare.breakwater("plan", "--from", snapshot_of_the_demo, "--policy", policy)
    assert "to reboot by us" in planned.stdout, planned.stderr
    assert planned.returncode == 2


def test_it_leaves_nothing_in_the_home_of_whoever_runs_it(bare):
    bare.breakwater("policy", "schema")
    assert {path.name for path in bare.home.iterdir()} <= {"policy.yaml"}


def test_neither_the_simulator_nor_the_tests_travel_with_it(bare):
    found = bare.run(bare.python, "-c", "import simulator")
    assert "No module named 'simulator'" in found.stderr
