"""The map of the house is the house: its files exist, its packages are all there, its words are in order."""

import re
import tomllib

import pytest

from tests.places import DOCS, ROOT

ARCHITECTURE = (DOCS / "architecture.md").read_text("utf-8")
ROWS = re.findall(r"^\| (.+?) \| (.+) \|$", ARCHITECTURE.partition("open Y")[2], re.MULTILINE)[2:]


@pytest.mark.parametrize(("change", "where"), ROWS)
def test_what_the_map_says_to_open_is_there(change: str, where: str):
    files = re.findall(r"`([\w/.]+\.(?:py|j2))`", where)
    assert files, change
    for file in files:
        assert (ROOT / file).is_file(), f"{change}: {file}"


def test_the_map_answers_at_least_25_questions_each_once():
    changes = [change for change, _ in ROWS]
    assert len(changes) == len(set(changes)) >= 25


@pytest.mark.parametrize("package", sorted((ROOT / "planner").glob("*/__init__.py")))
def test_every_package_of_the_planner_is_on_the_map_with_its_question(package):
    question = package.read_text("utf-8").strip().strip('"')
    assert question.endswith("?")
    assert f"`planner/{package.parent.name}`" in ARCHITECTURE
    assert question in ARCHITECTURE


def test_the_layers_on_the_map_are_those_of_the_contract():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    (layers,) = [one["layers"] for one in contracts if one.get("containers") == ["planner"]]
    contract = [name.strip() for layer in layers for name in layer.split("|")]
    shown = re.findall(r"^\| `planner/(\w+)` \|", ARCHITECTURE, re.MULTILINE)
    assert shown == contract


def test_the_glossary_has_each_word_once_and_in_order():
    words = re.findall(r"^\| ([^|]+) \| [^|]+ \|$", (DOCS / "concepts.md").read_text("utf-8"), re.MULTILINE)
    words = [word for word in words if word not in {"word", "---"}]
    assert len(words) > 30
    assert words == sorted(set(words))


def test_only_the_repository_encodes_and_decodes_runs_and_waves():
    for path in ROOT.glob("handlers/**/*.py"):
        where = path.relative_to(ROOT).as_posix()
        if where.startswith("handlers/repository/") or where == "handlers/wire/documents.py":
            continue
        assert not re.search(r"\b(en|de)code_(run|wave)\b", path.read_text("utf-8")), where
