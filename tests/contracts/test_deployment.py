"""What azd takes along, fills in and finds again, and what the deployment guide says about it."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.contracts.bicep import INFRA, ROOT, declarations, parameters, resource

PACKAGED_FILES = {"function_app.py", "host.json", "requirements.txt", "policy.yaml"}
PACKAGED_FOLDERS = {"handlers", "planner"}
NEVER_PACKAGED = {
    *(".git/config", ".github/x.yml", ".ci/x", ".azure/dev/.env", ".venv/bin/python", ".tools/node", ".env"),
    *("tests/x.py", "docs/x.md", "simulator/x.py", "benchmarks/x.py", "scripts/x.py", "infra/main.bicep"),
    *(".demo/report.html", "README.md", "local.settings.json", "handlers/__pycache__/x.pyc"),
}


def azd_inputs() -> dict[str, str]:
    given = json.loads((INFRA / "main.parameters.json").read_text())["parameters"]
    return {name: re.fullmatch(r"\$\{(\w+)\}", item["value"])[1] for name, item in given.items()}


def test_azd_fills_every_parameter_and_no_output_overwrites_an_input():
    inputs = azd_inputs()

    assert inputs.keys() == parameters(INFRA / "main.bicep").keys()
    assert set(inputs.values()).isdisjoint(declarations(INFRA / "main.bicep", "output"))


def test_azd_finds_the_function_app_by_the_name_of_its_service():
    project = yaml.safe_load((ROOT / "azure.yaml").read_text())
    ((name, service),) = project["services"].items()
    app = resource("modules/app.bicep", "Microsoft.Web/sites")

    assert service == {"project": ".", "language": "python", "host": "function", "remoteBuild": True}
    assert f"'azd-service-name': '{name}'" in app["tags"]


def git(folder: Path, *arguments: str, stdin: str = "") -> list[str]:
    """The lines git says about a folder, whatever repository a calling hook has in its environment."""
    clean = {name: of for name, of in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-C", str(folder), "-c", "core.excludesFile=", *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, env=clean)
    assert done.returncode in {0, 1}, done.stderr
    return done.stdout.splitlines()


@pytest.fixture
def left_out(tmp_path):
    """Which of some paths the deployment leaves out, by git's reading of .funcignore."""
    git(tmp_path, "init", "-q")
    (tmp_path / ".gitignore").write_text((ROOT / ".funcignore").read_text())
    return lambda paths: set(git(tmp_path, "check-ignore", "--no-index", "--stdin", stdin="\n".join(paths)))


def test_the_package_holds_all_of_the_product_with_its_templates(left_out):
    files = {
        p.relative_to(ROOT) for folder in PACKAGED_FOLDERS for p in (ROOT / folder).rglob("*") if p.is_file()
    }
    product = {p.as_posix() for p in files if "__pycache__" not in p.parts}
    templates = {
        f"handlers/render/templates/{name}" for name in ("page.html.j2", "mail.txt.j2", "card.json.j2")
    }

    assert left_out(product | templates | PACKAGED_FILES) == set()


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="git says which files belong to the project")
def test_the_package_holds_nothing_else(left_out):
    others = {path for path in git(ROOT, "ls-files") if path.split("/")[0] not in PACKAGED_FOLDERS}
    assert others

    candidates = (others | NEVER_PACKAGED) - PACKAGED_FILES
    assert candidates - left_out(candidates) == set()


def test_the_deployment_guide_names_settings_files_and_outputs_that_exist():
    guide = (ROOT / "docs/deploy.md").read_text().replace("\\\n", " ")
    set_in_guide = set(re.findall(r"azd env set (\w+)", guide))
    read_in_guide = set(re.findall(r"azd env get-value (\w+)", guide))
    outputs = declarations(INFRA / "main.bicep", "output").keys()

    assert set_in_guide
    assert set_in_guide <= set(azd_inputs().values())
    assert read_in_guide
    assert read_in_guide <= outputs
    deployments = re.findall(r"--template-file (\S+)\s+--parameters ([^\n]+)", guide)
    assert {path for path, _ in deployments} == {"infra/alerts.bicep", "infra/modules/role.bicep"}
    for path, given in deployments:
        declared = parameters(ROOT / path)
        named = set(re.findall(r"(?:^|\s)(\w+)=", given))
        assert {name for name, needed in declared.items() if needed} <= named <= declared.keys(), path
