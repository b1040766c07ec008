"""A snapshot of the demo's fleet, made once for all tests that only read one."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from handlers.cli.main import main
from simulator.demo.fleet import demo_fleet
from tests.handlers.cli.azure_over_http import running

NOW = datetime(2026, 12, 1, 20, 0, tzinfo=UTC)


def taken(file: Path) -> Path:
    """The fleet at NOW, as the command writes it."""
    with pytest.MonkeyPatch.context() as patch, running(demo_fleet(lambda: NOW)) as opened:
        for name, value in opened.environment.items():
            patch.setenv(name, value)
        patch.setattr("handlers.cli.clock.now", lambda: NOW)
        assert main(["snapshot", "-o", str(file)]) == 0
    return file


@pytest.fixture(scope="session")
def snapshot_of_the_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Not to be changed: others read it, too."""
    return taken(tmp_path_factory.mktemp("snapshot") / "fleet.json")
