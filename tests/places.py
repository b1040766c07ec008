"""Where the repository and its samples lie, for tests that read files."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
SAMPLES = ROOT / "tests" / "samples"
