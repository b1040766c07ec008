"""What the tests of the handlers share: a wiring, a scene around one scale set, an office that is told."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from handlers.wiring import Wiring
from tests import notices
from tests.handlers.desk import Office, office
from tests.handlers.parts import Clock, TestWiring, at_present, scale_set
from tests.handlers.scene import Scene
from tests.notices import policy_file, settings


@pytest.fixture
async def wiring(storage: str) -> AsyncIterator[TestWiring]:
    """Over a clock that stands still; files that need a fleet or a run add it in a fixture of this name."""
    made = TestWiring(storage, Clock())
    yield made
    await made.close()


@pytest.fixture
async def wiring_at_present(storage: str) -> AsyncIterator[TestWiring]:
    """Over a clock that begins now, with one scale set `web`."""
    made = at_present(storage)
    made.fake.sets = [scale_set("web")]
    yield made
    await made.close()


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
async def clients(storage: str, tmp_path: Path) -> AsyncIterator[Wiring]:
    """The wiring as the product builds it, with one receiver whose webhook does not answer."""
    receivers = {"ops": {"webhook": "http://127.0.0.1:1/hook?sig=secret"}}
    wired = Wiring(settings(storage, policy=policy_file(tmp_path, receivers)), notices.Clock())
    yield wired
    await wired.close()
