"""`breakwater replay` on a quarantine in real storage."""

import asyncio
import json
from pathlib import Path

import pytest

from handlers.cli.main import main
from handlers.cloud.names import QUARANTINE
from handlers.failures.quarantine import keep
from handlers.wire.ids import ALERTS
from handlers.wire.messages import AlertMessage
from tests.handlers.cli.stand_in import KEY, StandIn, stand_in
from tests.handlers.parts import SAMPLES, Clock, TestWiring


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


@pytest.fixture
def alert(tmp_path: Path) -> Path:
    file = tmp_path / "alert.json"
    file.write_bytes((SAMPLES / "alerts" / "common-maintenance-planned.json").read_bytes())
    return file


def replayed(app: StandIn, monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setenv("BREAKWATER_PUBLIC_URL", app.url)
    monkeypatch.setenv("BREAKWATER_KEY", KEY)
    return main(["replay", *words])


def test_a_saved_alert_is_posted_to_the_app_as_it_is_once_that_is_wanted(alert, monkeypatch, capsys):
    taken = {"status": "accepted", "tracking_id": "VM12-3AB", "reason": "The alert is stored and queued."}
    with stand_in({"POST alerts": (202, taken)}) as app:
        assert replayed(app, monkeypatch, str(alert)) == 64
        assert "--yes" in capsys.readouterr().err
        assert app.asked == []
        assert replayed(app, monkeypatch, str(alert), "--yes") == 0
        said = capsys.readouterr().out
        assert "stage Planned" in said
        assert "The alert was accepted" in said
    assert [body for *_, body in app.asked] == [json.loads(alert.read_text())]


def test_an_alert_inside_an_item_of_the_quarantine_is_posted_alone(alert, tmp_path, monkeypatch, capsys):
    item = tmp_path / "item.json"
    item.write_text(json.dumps({"v": 1, "source": "alert", "error": "x", "message": alert.read_text()}))
    with stand_in({"POST alerts": (400, {"status": "rejected", "reason": "It has no tracking id."})}) as app:
        assert replayed(app, monkeypatch, str(item), "--yes", "-o", "json") == 1
    assert [body for *_, body in app.asked] == [json.loads(alert.read_text())]
    assert json.loads(capsys.readouterr().out)[0]["replayed"] is False


@pytest.mark.parametrize("text", ["no json", '{"hello": 1}'])
def test_what_is_not_an_alert_is_not_sent(text, tmp_path, monkeypatch, capsys):
    file = tmp_path / "x.json"
    file.write_text(text)
    with stand_in({}) as app:
        assert replayed(app, monkeypatch, str(file), "--yes") == 1
    assert app.asked == []
    assert "Nothing was sent." in capsys.readouterr().err.replace("\n", " ")
