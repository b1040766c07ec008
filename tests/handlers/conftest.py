"""What the tests of the handlers share: a scene around one scale set, an office that is told."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.handlers.desk import Office, office
from tests.handlers.scene import Scene


@pytest.fixture
async def scene(storage: str) -> AsyncIterator[Scene]:
    """One scale set, its wave and the stages around it; files that need others make their own."""
    made = Scene(storage)
    yield made
    await made.close()


@pytest.fixture
async def desk(storage: str, tmp_path: Path) -> AsyncIterator[Office]:
    """An office with one receiver, `ops`."""
    async with office(storage, tmp_path) as open_office:
        yield open_office
