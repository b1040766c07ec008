"""Documents under their ETag, against a real emulator."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from handlers.cloud import names
from handlers.cloud.records import Absent, Conflict, Records, StorageDown
from handlers.wire.settings import Settings

PATH = "runs/a/prod%28eu%29/web.json"


@pytest.fixture
async def records(storage):
    found = Records.from_settings(Settings(storage=storage))
    yield found
    await found.close()


async def test_nothing_is_there_before_the_container_is(records):
    assert await records.read(PATH) is None
    assert await records.list("runs/") == []
    await records.delete(PATH)


async def test_what_is_written_is_read_and_listed_under_the_same_etag(records):
    etag = await records.create(PATH, b'{"v": 1}', {"state": "scheduled"})
    stored = await records.read(PATH)
    assert (stored.path, stored.body, stored.etag) == (PATH, b'{"v": 1}', etag)
    assert stored.metadata == {"state": "scheduled"}
    (listed,) = await records.list("runs/")
    assert (listed.path, listed.etag, listed.metadata) == (PATH, etag, {"state": "scheduled"})
    assert listed.created.utcoffset() == timedelta(0)
    assert listed.created <= listed.modified
    assert await records.list("waves/") == []


async def test_of_two_creations_one_is_a_conflict(records):
    outcomes = await asyncio.gather(
        *(records.create(PATH, body) for body in (b"one", b"two")), return_exceptions=True
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict", "str"]


async def test_of_two_writings_under_one_etag_one_is_a_conflict(records):
    etag = await records.create(PATH, b"0")
    outcomes = await asyncio.gather(
        *(records.write(PATH, body, etag=etag) for body in (b"one", b"two")), return_exceptions=True
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict", "str"]


async def test_metadata_is_replaced_with_the_body(records):
    etag = await records.create(PATH, b"0", {"state": "scheduled"})
    await records.write(PATH, b"1", etag=etag, metadata={"due": "soon"})
    assert (await records.read(PATH)).metadata == {"due": "soon"}


async def test_writing_what_is_gone_is_a_conflict(records):
    etag = await records.create(PATH, b"0")
    await records.delete(PATH)
    with pytest.raises(Conflict):
        await records.write(PATH, b"1", etag=etag)
    with pytest.raises(Conflict):
        await records.write("runs/never.json", b"1", etag=etag)


async def test_only_a_changed_document_is_read_again(records):
    etag = await records.create(PATH, b"0")
    assert await records.read_if_changed(PATH, etag) is None
    newer = await records.write(PATH, b"1", etag=etag)
    stored = await records.read_if_changed(PATH, etag)
    assert (stored.body, stored.etag) == (b"1", newer)
    await records.delete(PATH)
    with pytest.raises(Absent):
        await records.read_if_changed(PATH, newer)


async def test_deleting_spares_what_was_written_in_between(records):
    etag = await records.create(PATH, b"0")
    newer = await records.write(PATH, b"1", etag=etag)
    with pytest.raises(Conflict):
        await records.delete(PATH, etag=etag)
    await records.delete(PATH, etag=newer)
    assert await records.read(PATH) is None
    await records.delete(PATH)


async def test_a_document_of_a_thousand_instances_comes_back_whole(records):
    body = bytes(range(256)) * 6000
    await records.create(PATH, body)
    assert (await records.read(PATH)).body == body


async def test_a_dead_endpoint_is_reported_within_seconds_and_in_words(storage):
    dead = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YQ==;BlobEndpoint=http://127.0.0.1:1/a;"
    records = Records.from_settings(Settings(storage=dead))
    async with asyncio.timeout(5):
        with pytest.raises(StorageDown, match="cannot be reached"):
            await records.read(PATH)
    await records.close()


async def test_a_wrong_key_is_refused_and_the_roles_are_named(storage):
    wrong = storage.replace("AccountKey=", "AccountKey=AAAA")
    records = Records.from_settings(Settings(storage=wrong))
    with pytest.raises(StorageDown, match="Storage Blob Data Owner"):
        await records.list("runs/")
    await records.close()


@pytest.mark.parametrize("connection", ["", "nonsense", "AccountKey=only;"])
def test_a_missing_or_broken_connection_is_a_sentence_without_the_secret(connection):
    with pytest.raises(StorageDown, match="AzureWebJobsStorage") as caught:
        Records.from_settings(Settings(storage=connection))
    assert "only" not in str(caught.value)


SUBSCRIPTION = "AAAA0A0A-BB1B-CC2C-DD3D-EEEEEE4E4E4E"
ENDED = datetime(2026, 11, 22, tzinfo=UTC)


def test_names_are_lowered_and_encoded_and_a_tracking_id_keeps_its_case():
    low = SUBSCRIPTION.lower()
    assert names.wave_path("VM12-3aB", SUBSCRIPTION) == f"waves/VM12-3aB/{low}.json"
    assert names.run_path(SUBSCRIPTION, "Prod (EU)", "Web") == f"runs/{low}/prod%20%28eu%29/web.json"
    assert names.claim_path(SUBSCRIPTION, "G", "Web") == f"claims/{low}/g/web"
    assert names.claim_path(SUBSCRIPTION, "G", "Web").startswith(names.claim_prefix(SUBSCRIPTION))
    assert names.delivery_path("T", "ops/eu") == "deliveries/T/ops%2Feu.json"


@pytest.mark.parametrize("bad", ["", "a/b", "..", "a b", "x" * 65, "é", "a\n"])
def test_a_path_is_never_built_from_an_invalid_tracking_id(bad):
    for build in (names.wave_prefix, names.delivery_prefix, lambda one: names.wave_path(one, SUBSCRIPTION)):
        with pytest.raises(ValueError, match="tracking id"):
            build(bad)


@pytest.mark.parametrize("bad", ["", "x", SUBSCRIPTION + "/", SUBSCRIPTION + "\n", "../" + SUBSCRIPTION[3:]])
def test_a_path_is_never_built_from_an_invalid_subscription(bad):
    for build in (names.claim_prefix, lambda one: names.run_path(one, "g", "n")):
        with pytest.raises(ValueError, match="subscription"):
            build(bad)


@pytest.mark.parametrize("bad", ["", ".", "..", "...", "a/b", "a\\b", "a%2fb", "a\n", "\U0001f600" * 90])
def test_a_path_is_never_built_from_a_name_that_azure_does_not_allow(bad):
    for build in (names.run_path, names.claim_path, lambda *place: names.archive_path(*place, ENDED)):
        with pytest.raises(ValueError, match="not the name"):
            build(SUBSCRIPTION, bad, "web")
        with pytest.raises(ValueError, match="not the name"):
            build(SUBSCRIPTION, "g", bad)


def test_the_longest_names_azure_allows_fit_into_the_path_of_a_blob():
    assert len(names.archive_path(SUBSCRIPTION, "\u6c34" * 90, "n" * 80, ENDED)) <= 1024


async def test_an_encoded_name_makes_the_round_trip_through_storage(records):
    path = names.run_path(SUBSCRIPTION, "Prod (EU) ß", "Web")
    await records.create(path, b"{}")
    assert [line.path for line in await records.list(names.RUNS_PREFIX)] == [path]
    assert (await records.read(path)).body == b"{}"
