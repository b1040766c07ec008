"""The project's own files tell the truth: pins, README, layers that the linter cannot see."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def _pins(name: str) -> dict[str, str]:
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", (ROOT / name).read_text(), re.MULTILINE)
    return {package.lower().replace("_", "-"): version for package, version in found}


@pytest.mark.parametrize(
    ("file", "wanted"),
    [
        ("requirements.txt", PROJECT["project"]["dependencies"]),
        ("requirements-dev.txt", PROJECT["project"]["dependencies"] + PROJECT["dependency-groups"]["dev"]),
    ],
)
def test_the_requirements_files_are_compiled_from_the_project(file: str, wanted: list[str]) -> None:
    pins = _pins(file)
    for one in wanted:
        name, version = one.split("==")
        assert pins[re.sub(r"\[.*\]", "", name).lower()] == version, f"run make lock: {one}"


def test_nothing_names_where_packages_are_downloaded_from() -> None:
    for name in ("requirements.txt", "requirements-dev.txt", "simulator/node/package-lock.json"):
        text = (ROOT / name).read_text()
        assert "resolved" not in text
        assert "index-url" not in text


def test_the_function_app_never_imports_the_simulator() -> None:
    tree = ast.parse((ROOT / "function_app.py").read_text())
    modules = {one.module or "" for one in ast.walk(tree) if isinstance(one, ast.ImportFrom)}
    assert not any(one.startswith("simulator") for one in modules)


def test_the_readme_stays_short_and_names_targets_that_exist() -> None:
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= 250
    makefile = (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"`make ([a-z]+)", text)):
        assert f"\n{target}:" in makefile
    for link in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / link).exists(), link
