"""What the tests of the handlers share: a scene around one scale set, an office that is told."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from handlers.wiring import Wiring
from tests.handlers.desk import Office, office
from tests.handlers.scene import Scene
from tests.notices import Clock, policy_file, settings


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


@pytest.fixture
async def wiring(storage: str, tmp_path: Path) -> AsyncIterator[Wiring]:
    """The clients alone, with one receiver whose webhook does not answer; files that need others make their own."""
    receivers = {"ops": {"webhook": "http://127.0.0.1:1/hook?sig=secret"}}
    wired = Wiring(settings(storage, policy=policy_file(tmp_path, receivers)), Clock())
    yield wired
    await wired.close()
