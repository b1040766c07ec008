"""The simulated Azure knows nothing of the product, or it could only confirm the product's own mistakes."""

import ast
from pathlib import Path

import simulator

ROOT = Path(simulator.__file__).parent
OURS = [*ROOT.glob("fleet/*.py"), *ROOT.glob("arm/*.py"), ROOT / "azure.py", ROOT / "oracle.py"]


def imported(source: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
    return found


def test_the_simulated_azure_never_imports_the_product() -> None:
    assert len(OURS) > 20
    for source in OURS:
        assert imported(source).isdisjoint({"planner", "handlers", "function_app", "azure"}), source
