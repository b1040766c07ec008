"""What the documents say of checks and of the report's fields is what the code has."""

import re

from handlers.render import contract
from planner.decision.checks import HARMLESS
from planner.decision.decide import decide
from planner.notices.digest import Overview
from planner.policy.keys import ACCEPTABLE
from planner.policy.model import Policy
from planner.policy.overrides import RAISABLE
from tests.contracts.test_guidance import NOW, instance, sample
from tests.notices import misfit, wave
from tests.places import DOCS


def rows(document: str, heading: str) -> list[list[str]]:
    """The cells of the first table after a heading."""
    part = (DOCS / document).read_text().split(f"## {heading}\n")[1]
    lines = re.search(r"(?:^\|.*\n)+", part, re.MULTILINE)
    assert lines is not None
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[0].splitlines()[2:]]


def names(cell: str) -> list[str]:
    return re.findall(r"`([a-z_-]+)`", cell)


def test_the_policys_page_lists_every_check_in_its_order() -> None:
    made = decide(next(sample()), (instance(),), [], Policy(), NOW).checks

    assert [names(row[0])[0] for row in rows("policy.md", "The checks")] == [one.name for one in made]


def test_the_policys_page_says_which_checks_can_be_accepted() -> None:
    table = rows("policy.md", "The checks")

    assert {names(row[0])[0] for row in table if row[3].startswith("yes")} == set(ACCEPTABLE)
    assert {row[3].split(",")[0] for row in table} == {"yes", "no"}


def test_the_policys_page_says_which_checks_let_pass_what_could_not_be_read() -> None:
    table = rows("policy.md", "The checks")

    assert {names(row[0])[0] for row in table if row[4] == "does not block"} == HARMLESS


def test_every_way_to_make_a_plan_fit_and_every_key_that_can_be_raised_is_on_the_policys_page() -> None:
    said = [row[2] for row in rows("policy.md", "When a plan does not fit")]

    # What is accepted by name makes no plan fit: it is said with the checks.
    assert {names(cell)[1] for cell in said if cell.startswith("`raise`")} == set(RAISABLE) - {"accept"}
    assert all(f"`{key}`" in (DOCS / "people.md").read_text("utf-8") for key in RAISABLE)


def test_the_reports_page_lists_every_field() -> None:
    one = misfit("db")
    made = contract.run_document(one, NOW)
    batch = made["batches"][0]
    of_run = {name for row in rows("report.md", "A run") for name in names(row[0])}
    of_batch = {name for row in rows("report.md", "A batch") for name in names(row[0])}

    assert of_run == made.keys()
    assert of_batch == batch.keys()
    text = (DOCS / "report.md").read_text()
    inner = (made["asks"], made["checks"][0], made["choices"][0], made["history"][0], batch["instances"][0])
    for field in (
        *contract.wave_document("x", (wave(one),), Overview(), (), NOW),
        *(name for part in inner for name in part),
    ):
        assert f"`{field}`" in text, field
    for field in contract.overview_row("x", "Planned", (), Overview()):
        assert f"`{field}`" in text, field
