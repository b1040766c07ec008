"""The project's own files tell the truth: README, host.json, layers that the linter cannot see."""

import ast
import json
import re

from tests.places import ROOT


def test_the_function_app_never_imports_the_simulator() -> None:
    tree = ast.parse((ROOT / "function_app.py").read_text())
    modules = {one.module or "" for one in ast.walk(tree) if isinstance(one, ast.ImportFrom)}
    modules |= {name.name for one in ast.walk(tree) if isinstance(one, ast.Import) for name in one.names}
    assert not any(one.startswith("simulator") for one in modules)


def test_the_readme_stays_short_and_names_targets_that_exist() -> None:
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= 250
    makefile = (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"`make ([a-z]+)", text)):
        assert f"\n{target}:" in makefile
    for link in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / link).exists(), link


def test_host_json_says_to_azure_what_the_product_counts_on() -> None:
    """A message is tried five times half a minute apart, queues are polled every two seconds at least."""
    said = json.loads((ROOT / "host.json").read_text())
    assert said["version"] == "2.0"
    assert said["extensionBundle"] == {
        "id": "Microsoft.Azure.Functions.ExtensionBundle",
        "version": "[4.*, 5.0.0)",
    }
    assert said["extensions"]["http"]["routePrefix"] == "api"
    queues = said["extensions"]["queues"]
    assert queues["messageEncoding"] == "base64"
    assert queues["maxDequeueCount"] == 5
    assert queues["visibilityTimeout"] == "00:00:30"
    assert queues["maxPollingInterval"] <= "00:00:02"
