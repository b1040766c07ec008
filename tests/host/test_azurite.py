"""The storage emulator tests run on."""

import pytest
from azure.storage.blob.aio import BlobServiceClient

from simulator import azurite as emulator


async def test_each_account_is_a_world_of_its_own(azurite: emulator.Azurite, storage: str) -> None:
    async with (
        BlobServiceClient.from_connection_string(storage) as one,
        BlobServiceClient.from_connection_string(azurite.connection_string) as other,
    ):
        await one.create_container("breakwater")
        assert [container.name async for container in one.list_containers()] == ["breakwater"]
        assert "breakwater" not in [container.name async for container in other.list_containers()]


def test_a_taken_port_is_told_with_the_way_out(azurite: emulator.Azurite) -> None:
    with pytest.raises(emulator.AzuriteNotStartedError, match="make azurite BLOB_PORT="):
        emulator.start(emulator.Ports(blob=azurite.ports.blob))
