"""A snapshot of the demo's fleet, made once for all tests that only read one."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from handlers.cli.main import main
from simulator.demo.fleet import demo_fleet
from tests.handlers.cli.azure_over_http import running

NOW = datetime(2026, 12, 1, 20, 0, tzinfo=UTC)


@contextmanager
def azure_of_the_demo() -> Iterator[None]:
    """The demo's fleet is what Azure has at NOW, and the shell is signed in."""
    with pytest.MonkeyPatch.context() as patch, running(demo_fleet(lambda: NOW)) as opened:
        for name, value in opened.environment.items():
            patch.setenv(name, value)
        patch.setattr("handlers.cli.clock.now", lambda: NOW)
        yield


def taken(file: Path) -> Path:
    """The fleet at NOW, as the command writes it."""
    with azure_of_the_demo():
        assert main(["snapshot", "-o", str(file)]) == 0
    return file


@pytest.fixture(scope="session")
def snapshot_of_the_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Not to be changed: others read it, too."""
    return taken(tmp_path_factory.mktemp("snapshot") / "fleet.json")
