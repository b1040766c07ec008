from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.host.work import Work


@pytest.fixture
async def work(storage: str, tmp_path: Path) -> AsyncIterator[Work]:
    """The sample app's surroundings on storage of its own; no host runs yet."""
    async with Work(storage, tmp_path) as made:
        yield made
