"""`make setup`: what it does again, and what it does anew."""

import importlib.util
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from tests.places import ROOT

SCRIPT = ROOT / "scripts" / "setup.py"


class Setup:
    """The script in a folder of its own; it writes down what it would run, and fails at `breaks_at`."""

    def __init__(self, module: ModuleType, folder: Path) -> None:
        self.module, self.folder = module, folder
        self.ran: list[str] = []
        self.breaks_at = "nowhere"
        self.stamped_meanwhile = False

    def run(self, *command: object, **_: object) -> None:
        said = " ".join(map(str, command))
        self.ran.append(said)
        self.stamped_meanwhile |= (self.folder / ".tools" / "ready").exists()
        if self.breaks_at in said:
            raise subprocess.CalledProcessError(1, said)

    def again(self, breaks_at: str = "nowhere") -> int:
        self.ran, self.breaks_at, self.stamped_meanwhile = [], breaks_at, False
        return int(self.module.main())

    def made_anew(self) -> bool:
        return any("-m venv --clear" in one for one in self.ran)


@pytest.fixture
def setup(tmp_path, monkeypatch) -> Setup:
    spec = importlib.util.spec_from_file_location("setup_script", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made = Setup(module, tmp_path)
    wanted = tmp_path / "requirements-dev.txt"
    wanted.write_text("one==1")
    for name, value in {
        "ROOT": tmp_path,
        "VENV": tmp_path / ".venv",
        "TOOLS": tmp_path / ".tools",
        "INPUTS": (wanted,),
        "_run": made.run,
        "_node": lambda: ["npm"],
    }.items():
        monkeypatch.setattr(module, name, value)
    for name in ("python", "uv"):
        (tmp_path / ".venv" / "bin").mkdir(parents=True, exist_ok=True)
        (tmp_path / ".venv" / "bin" / name).touch()
    return made


def test_what_is_set_up_is_left_alone(setup) -> None:
    assert setup.again() == 0
    assert setup.again() == 0
    assert setup.ran == []


@pytest.mark.parametrize("breaks_at", ["-m venv", "sync", "protos", "npm ci"])
def test_after_one_that_was_broken_off_everything_is_made_anew(setup, breaks_at, capsys) -> None:
    assert setup.again(breaks_at) == 1
    assert "run the same make target again" in capsys.readouterr().err
    assert setup.again() == 0
    assert setup.made_anew(), "half an environment looks like a whole one"


def test_changed_requirements_are_added_to_what_is_there(setup) -> None:
    assert setup.again() == 0
    (setup.folder / "requirements-dev.txt").write_text("two==2")
    assert setup.again() == 0
    assert any("sync" in one for one in setup.ran)
    assert not setup.made_anew()
    assert not setup.stamped_meanwhile, "if it is broken off now, it has not been finished"
