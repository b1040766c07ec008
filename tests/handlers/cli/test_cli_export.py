"""`breakwater export` on storage with runs on record, in the archive, and one that cannot be read."""

import asyncio
import csv
import json
from datetime import UTC, datetime

import pytest

from handlers.cli.main import main
from handlers.cloud.names import archive_path
from handlers.render.table import COLUMNS
from handlers.wire.documents import encode, run_metadata
from tests.handlers.parts import SUBSCRIPTION, Clock, TestWiring, put, run

OTHER = "ZX9K-7QD"


@pytest.fixture
def on_record(storage, monkeypatch):
    """`web` on record and its earlier run in the archive, `db` of another wave, and a record that is broken."""

    async def filled() -> None:
        wiring = TestWiring(storage, Clock())
        await put(wiring, run("web"))
        await put(wiring, run("db", waves=(OTHER,)))
        ended = datetime(2026, 10, 1, tzinfo=UTC)
        before = run("web", reason="An earlier wave.")
        place = archive_path(SUBSCRIPTION, "Prod-RG", "web", ended)
        await wiring.records.create(place, encode(before), run_metadata(before))
        await wiring.records.create("runs/broken.json", b"{", {"waves": "VM12-3AB"})
        await wiring.close()

    asyncio.run(filled())
    monkeypatch.setenv("AzureWebJobsStorage", storage)


def test_every_run_is_a_line_as_it_is_stored_the_archive_first_and_what_is_broken_is_named(on_record, capsys):
    assert main(["export"]) == 3
    said = capsys.readouterr()
    lines = [json.loads(line) for line in said.out.splitlines()]
    assert [line["target"]["name"] for line in lines] == ["web", "db", "web"]
    assert lines[0]["path"].startswith("archive/")
    assert lines[0]["reason"] == "An earlier wave."
    assert "runs/broken.json: it is not JSON." in said.err


def test_as_csv_it_has_the_columns_of_the_spreadsheet_and_a_row_an_instance(on_record, tmp_path):
    file = tmp_path / "runs.csv"
    assert main(["export", "--format", "csv", "--wave", OTHER, "-o", str(file)]) == 0
    head, *rows = csv.reader(file.read_text().splitlines())
    assert tuple(head) == COLUMNS
    assert [(row[0], row[3], row[14]) for row in rows] == [(OTHER, "db", "0"), (OTHER, "db", "1")]
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_cannot_be_written_is_named(on_record, tmp_path, capsys):
    assert main(["export", "-o", str(tmp_path / "none" / "runs.jsonl")]) == 1
    assert "cannot be written" in capsys.readouterr().err.replace("\n", " ")


def test_storage_that_is_not_named_or_not_there_is_told_without_its_key(monkeypatch, capsys):
    monkeypatch.delenv("AzureWebJobsStorage", raising=False)
    assert main(["export"]) == 1
    assert "AzureWebJobsStorage" in capsys.readouterr().err
    secret = "c2VjcmV0LWtleQ=="
    blob = f"BlobEndpoint=http://127.0.0.1:9/a;AccountName=a;AccountKey={secret}"
    monkeypatch.setenv("AzureWebJobsStorage", f"DefaultEndpointsProtocol=http;{blob}")
    monkeypatch.setattr("handlers.cloud.storage.PATIENCE", {"retry_total": 0})
    assert main(["export"]) == 1
    said = capsys.readouterr()
    assert secret not in said.out + said.err
