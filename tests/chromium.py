"""The browser of the tests, and what judges whether everybody can use a page."""

import os
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import pytest

AXE = "rules => axe.run({rules})"


def needs(what: str, how: str) -> None:
    """Skipped on a laptop that lacks it, failed where everything must have been looked at."""
    reason = f"Not looked at in a browser: {what} is missing. {how}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@cache
def _found() -> str:
    found = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    return next((path for path in ("/usr/bin/chromium", *found) if path and Path(path).exists()), "")


def chromium() -> str:
    """Where it is."""
    if not _found():
        needs("Chromium", "On Debian: apt-get install chromium fonts-noto-color-emoji fonts-noto-core")
    return _found()


@cache
def axe() -> str:
    """The script that finds what is not accessible."""
    try:
        import axe_playwright_python  # noqa: PLC0415
    except ImportError:
        needs("axe", "make setup installs it")
        return ""
    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")


def violations(found: dict[str, Any]) -> list[Any]:
    """What axe found, short enough to read."""
    return [(one["id"], [node["html"] for node in one["nodes"][:3]]) for one in found["violations"]]
