"""`breakwater replay` on a quarantine in real storage."""

import asyncio
import json

from handlers.cli.main import main
from handlers.cloud.names import QUARANTINE
from handlers.failures.quarantine import keep
from handlers.wire.ids import ALERTS
from handlers.wire.messages import AlertMessage
from tests.handlers.parts import Clock, TestWiring


def kept(storage: str) -> tuple[str, list[str]]:
    """An alert's message in quarantine: its path, and what lies there."""

    async def made() -> str:
        wiring = TestWiring(storage, Clock())
        body = AlertMessage(alert="a" * 64).model_dump_json().encode()
        path = await keep(ALERTS, body, "It failed.", wiring)
        await wiring.close()
        return path

    return asyncio.run(made())


def left(storage: str) -> list[str]:
    async def listed() -> list[str]:
        wiring = TestWiring(storage, Clock())
        found = [line.path for line in await wiring.records.list(QUARANTINE)]
        await wiring.close()
        return found

    return asyncio.run(listed())


def test_it_sends_again_what_it_is_given_and_fails_for_what_is_not_there(storage, monkeypatch, capsys):
    path = kept(storage)
    monkeypatch.setenv("AzureWebJobsStorage", storage)
    assert main(["replay", path, "quarantine/none.json"]) == 1
    said = capsys.readouterr()
    assert f"{path}: The message is back" in said.out
    assert "quarantine/none.json: There is nothing" in said.err
    assert left(storage) == []


def test_its_json_says_for_each_path_whether_it_was_replayed(storage, monkeypatch, capsys):
    path = kept(storage)
    monkeypatch.setenv("AzureWebJobsStorage", storage)
    assert main(["replay", path, "-o", "json"]) == 0
    (answer,) = json.loads(capsys.readouterr().out)
    assert answer["replayed"] is True


def test_without_a_storage_setting_it_says_which_to_set(monkeypatch, capsys):
    monkeypatch.delenv("AzureWebJobsStorage", raising=False)
    assert main(["replay", "quarantine/x.json"]) == 1
    assert "AzureWebJobsStorage" in capsys.readouterr().err
