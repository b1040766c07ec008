"""Storage for every test that wants it: one Azurite per test process, one account of its own per test."""

import itertools
import os
from collections.abc import Iterator

import hypothesis
import pytest

from simulator import azurite as emulator

# A check that passed passes again; `HYPOTHESIS_PROFILE=explore make test` draws anew each time.
hypothesis.settings.register_profile("same", derandomize=True)
hypothesis.settings.register_profile("explore", derandomize=False, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

ACCOUNTS = tuple(f"test{number:04}" for number in range(1200))
_unused = itertools.count()


@pytest.fixture(scope="session")
def azurite() -> Iterator[emulator.Azurite]:
    """A running Azurite, shared by the tests of one process."""
    with emulator.start(accounts=ACCOUNTS) as running:
        yield running


@pytest.fixture
def storage(azurite: emulator.Azurite) -> str:
    """The connection string of a storage account nobody has used: containers and queues can have any name."""
    return azurite.connection_string_of(ACCOUNTS[next(_unused)])


@pytest.fixture(scope="module")
def storage_of_module(azurite: emulator.Azurite) -> str:
    """As `storage`, shared by the tests of one file."""
    return azurite.connection_string_of(ACCOUNTS[next(_unused)])
