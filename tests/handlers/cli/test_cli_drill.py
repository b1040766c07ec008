"""`breakwater drill`: what it asks of the app, what it says before and meanwhile."""

import json

import pytest

from handlers.cli.main import main
from tests.handlers.cli.stand_in import KEY, StandIn, stand_in

WAVE = "DRILL-3f0c9a1b2d4e"
BEGUN = {
    "tracking_id": WAVE,
    "ends_at": "2026-11-23T08:50:00+00:00",
    "alert": {"schemaId": "azureMonitorCommonAlertSchema", "data": {}},
    "reason": "It is on record.",
}
RUN = {
    "scale_set": "/subscriptions/d0/x",
    "name": "drill-web",
    "resource_group": "rg-drill",
    "state": "completed",
    "reason": "All 3 instances rebooted and healthy.",
    "batches": [],
    "drill": True,
    "history": [],
    "verdict": "self_service",
    "subscription": "d0d0",
    "deadline": None,
}
OVER = {
    "tracking_id": WAVE,
    "drill": True,
    "announcements": [],
    "needs_person": 0,
    "waits": {},
    "deadline": None,
    "runs": [RUN],
    "next": None,
    "planning": 0,
    "counts": {"completed": 1},
}


@pytest.fixture
def app(monkeypatch):
    answers = {
        "GET health": (200, {"stopped": False}),
        "POST drills": (201, BEGUN),
        "POST alerts": (202, {"status": "accepted"}),
        f"POST drills/{WAVE}": (202, {"tracking_id": WAVE, "reason": "It has ended."}),
        f"GET waves/{WAVE}.json": (200, OVER),
    }
    with stand_in(answers) as made:
        monkeypatch.setenv("BREAKWATER_PUBLIC_URL", made.url)
        monkeypatch.setenv("BREAKWATER_KEY", KEY)
        monkeypatch.delenv("BREAKWATER_ACTOR", raising=False)
        yield made


def posted(app: StandIn) -> list[tuple[str, object]]:
    return [(path, body) for method, path, _, body in app.asked if method == "POST"]


def test_it_is_put_on_record_announced_and_followed(app, capsys):
    assert main(["drill", "--yes", "--actor", "Ana"]) == 0
    said = capsys.readouterr()
    assert posted(app) == [
        ("drills", {"scale_sets": [], "minutes": 50, "actor": "Ana"}),
        ("alerts", BEGUN["alert"]),
    ]
    assert "nothing of it reaches Azure" in said.out
    assert "drill-web" in said.out
    assert f"breakwater drill --end {WAVE}" in said.err


def test_the_first_scale_set_asks_and_of_the_second_an_instance_does_not_come_back(app):
    words = ["--scale-set", "shop/web", "--scale-set", "shop/db", "--scale-set", "shop/api"]
    assert main(["drill", "--yes", "--actor", "Ana", "--tag", "breakwater-owner=shop", *words]) == 0
    tags = {"breakwater-owner": "shop"}
    assert posted(app)[0][1]["scale_sets"] == [
        {"resource_group": "shop", "name": "web", "tags": {**tags, "breakwater-mode": "approve"}},
        {"resource_group": "shop", "name": "db", "fails": "1", "tags": tags},
        {"resource_group": "shop", "name": "api", "tags": tags},
    ]


def test_who_looks_at_it_sees_that_it_is_a_drill(app, capsys):
    assert main(["show", WAVE]) == 0
    assert "nothing of it reaches Azure" in capsys.readouterr().out


def test_it_is_ended_when_told_to(app, capsys):
    assert main(["drill", "--end", WAVE, "-o", "json"]) == 0
    assert posted(app) == [(f"drills/{WAVE}", {})]
    assert json.loads(capsys.readouterr().out)["reason"] == "It has ended."


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "--yes"),
        (["--yes"], "--actor"),
        (["--yes", "--actor", "Ana", "--scale-set", "web"], "GROUP/NAME"),
        (["--yes", "--actor", "Ana", "--tag", "a=b"], "--scale-set"),
        (["--yes", "--actor", "Ana", "--minutes", "600"], "--minutes"),
    ],
)
def test_what_makes_no_sense_begins_nothing(app, capsys, words, says):
    assert main(["drill", *words]) == 64
    assert says in capsys.readouterr().err
    assert posted(app) == []


def test_while_everything_is_stopped_none_is_begun(app, capsys):
    app.answers["GET health"] = (200, {"stopped": True, "stopped_by": "BREAKWATER_STOP is set."})
    assert main(["drill", "--yes", "--actor", "Ana"]) == 1
    assert "BREAKWATER_STOP is set." in capsys.readouterr().err
    assert posted(app) == []


def test_an_app_that_plans_nothing_of_it_is_told_with_the_way_to_find_out_why(app, capsys, monkeypatch):
    async def wait(seconds: float) -> None:
        del seconds

    monkeypatch.setattr("handlers.cli.drilling.asyncio.sleep", wait)
    app.answers[f"GET waves/{WAVE}.json"] = (404, {"error": "No announcement is on record."})
    assert main(["drill", "--yes", "--actor", "Ana"]) == 1
    assert "breakwater doctor" in capsys.readouterr().err
