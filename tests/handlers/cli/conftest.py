"""What the tests of the commands share: the demo's fleet behind a simulated Azure, and how a command is typed."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from handlers.cli.main import main
from simulator.demo.fleet import demo_fleet
from simulator.fleet import Fleet
from tests.handlers.cli.azure_over_http import Azure, running
from tests.handlers.cli.snapshots import NOW, snapshot_of_the_demo

__all__ = ["NOW", "snapshot_of_the_demo"]


@pytest.fixture
def azure(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Azure]]:
    """Opens a simulated Azure, by default with the demo's fleet, and points the commands to it."""
    with ExitStack() as stack:

        def open_(fleet: Fleet | None = None, **settings) -> Azure:
            fleet = fleet or demo_fleet(lambda: NOW)
            opened = stack.enter_context(running(fleet, **settings))
            for name, value in opened.environment.items():
                monkeypatch.setenv(name, value)
            monkeypatch.setattr("handlers.cli.clock.now", fleet.world.clock)
            return opened

        yield open_


@pytest.fixture
def fleet(snapshot_of_the_demo: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copy(snapshot_of_the_demo, tmp_path / "fleet.json"))


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str], monkeypatch) -> Callable[..., tuple[int, str, str]]:
    """Types a command; its exit code, standard output and standard error."""
    monkeypatch.delenv("BREAKWATER_POLICY", raising=False)

    def type_(*arguments: str | Path) -> tuple[int, str, str]:
        code = main([str(each) for each in arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return type_


@pytest.fixture
def policy_file(tmp_path: Path) -> Path:
    """Everything at weekends, nothing of dev."""
    path = tmp_path / "policy.yaml"
    path.write_text(
        "defaults: {self-service: always, owner: ops, windows: 'Sat,Sun 02:00-06:00 Europe/Berlin', soak: 2h}\n"
        "rules: [{name: dev, match: {name: ['*-dev']}, self-service: never}]\n"
        "receivers: {ops: {teams: env:OPS_TEAMS_URL}}\n"
    )
    return path
