"""The requirements files are what pyproject.toml compiles to: nothing missing, nothing left over, all pinned by hash."""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass

import pytest

from tests.places import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
DIRECT = PROJECT["project"]["dependencies"]
DEV = PROJECT["dependency-groups"]["dev"]
COMPILED = ("requirements.txt", "requirements-dev.txt")
TOOLS = tuple(f"scripts/requirements-{one}.txt" for one in ("uv", "protos", "node"))


@dataclass(frozen=True)
class Pin:
    """One package of a file: `via` names who wants it."""

    name: str
    version: str
    hashes: int
    via: frozenset[str]


def plain(requirement: str) -> tuple[str, str]:
    """Name and version of a requirement as the compiler writes them: no extras, one spelling."""
    name, version = requirement.split("==")
    return re.sub(r"\[.*\]", "", name).lower().replace("_", "-"), version


def pins(file: str) -> list[Pin]:
    """Every package of a requirements file; fails on a line that is none."""
    text = re.sub(r"\A(#.*\n)+", "", (ROOT / file).read_text())
    found = []
    for block in re.split(r"\n(?=\S)", text.strip()):
        head, *rest = block.splitlines()
        named = re.fullmatch(r"([A-Za-z0-9._-]+)==([^\s;]+)( ; [^\\]+)?( \\)?", head)
        assert named, f"{file}: {head!r} is no exact pin"
        hashes = sum("--hash=sha256:" in line for line in rest)
        via = frozenset(
            line.replace("via", "", 1).strip(" #") for line in rest if line.lstrip().startswith("#")
        )
        found.append(Pin(*plain(f"{named[1]}=={named[2]}"), hashes, via - {""}))
    return found


def wanted_by(source: str, found: Iterable[Pin]) -> set[tuple[str, str]]:
    return {(one.name, one.version) for one in found if source in one.via}


@pytest.mark.parametrize("file", COMPILED)
def test_the_requirements_files_hold_the_projects_own_pins_and_no_other(file: str) -> None:
    found = pins(file)
    assert wanted_by("breakwater (pyproject.toml)", found) == set(map(plain, DIRECT)), "run make lock"
    dev = set(map(plain, DEV)) if file == "requirements-dev.txt" else set()
    assert wanted_by("breakwater (pyproject.toml:dev)", found) == dev, "run make lock"


@pytest.mark.parametrize("file", COMPILED)
def test_every_other_package_is_there_for_one_that_is_there(file: str) -> None:
    found = pins(file)
    names = {one.name for one in found} | {"breakwater (pyproject.toml)", "breakwater (pyproject.toml:dev)"}
    names |= {"--override (workspace)"}  # what pyproject.toml says of versions alone
    assert [one.name for one in found if not one.via or not one.via <= names] == []


@pytest.mark.parametrize("file", [*COMPILED, *TOOLS])
def test_every_package_is_pinned_by_hash(file: str) -> None:
    assert pins(file)
    assert [one.name for one in pins(file) if not one.hashes] == []


def test_what_is_tested_is_what_is_deployed() -> None:
    deployed = {(one.name, one.version) for one in pins("requirements.txt")}
    assert deployed <= {(one.name, one.version) for one in pins("requirements-dev.txt")}


def test_the_tools_that_fetch_the_rest_are_those_of_the_project() -> None:
    (uv,) = pins("scripts/requirements-uv.txt")
    assert (uv.name, uv.version) in set(map(plain, DEV))


def test_nothing_names_where_packages_are_downloaded_from() -> None:
    for name in (*COMPILED, *TOOLS, "simulator/node/package-lock.json"):
        text = (ROOT / name).read_text()
        assert not re.search(r"resolved|index-url|find-links|https?://\S+\.(?:whl|tgz|tar\.gz)", text), name
