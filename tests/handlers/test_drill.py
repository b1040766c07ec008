"""A drill through the whole app: it goes like a wave, says everywhere what it is, and nothing of it reaches Azure."""

import asyncio
import json
import re
from datetime import timedelta

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from icalendar import Calendar

from handlers.cloud.arm import Arm
from handlers.cloud.compute import Compute
from handlers.cloud.errors import NotFound, Refused
from handlers.cloud.played import PlayedAzure
from handlers.pages.report import shown
from handlers.stages import drill, link, receive, report
from handlers.wire.alerts import NotAnAlert, read_alert
from handlers.wire.http import Request
from handlers.wiring import Wiring
from planner.azure.drill import is_drill, mixed_up, subscription_of, tracking_id_of
from planner.words.drills import PLAYED
from tests.handlers.drilling import START, Drilling
from tests.handlers.parts import alert, event

NUMBERS = st.text("0123456789abcdef", min_size=12, max_size=12)


@pytest.fixture(autouse=True)
def no_way_to_azure(monkeypatch):
    """Whoever builds a client of Azure fails the test."""

    def built(*_, **__):
        raise AssertionError("Something of a drill built a client of Azure.")

    monkeypatch.setattr(Arm, "__init__", built)


async def test_it_goes_from_the_alert_to_the_last_message_as_a_wave_does():
    played = Drilling()
    await played.begin()
    await played.until(4)
    runs = await played.runs()
    assert {name: run["state"] for name, run in runs.items()} == {
        "drill-web": "awaiting_approval", "drill-db": "running", "drill-cache": "running",
    }  # fmt: skip
    assert (await played.say("drill-web", "approve", checksum=runs["drill-web"]["checksum"]))[0] == 202
    await played.until(10)
    assert (await played.runs())["drill-db"]["state"] == "paused"
    assert (await played.say("drill-db", "acknowledge"))[0] == 202
    await played.until(20)
    assert (await played.say("drill-db", "resume"))[0] == 202
    await played.until(60)

    document = await played.report()
    assert {run["name"]: run["state"] for run in document["runs"]} == dict.fromkeys(runs, "completed")
    assert document["stage"] == "Complete"
    told = [(who, message.subject) for who, message in played.post.taken]
    assert any("Approve rebooting drill-web" in subject for who, subject in told if who == "ops")
    # The team's own routes hold; its times do not.
    assert any("did not come back" in subject for who, subject in told if who == "shop")
    assert "is over for your" in told[-1][1]


async def test_everything_that_people_and_tools_see_of_it_says_that_it_is_a_drill():
    played = Drilling()
    await played.begin()
    await played.until(12)
    document = await played.report()

    assert document["drill"] is True
    assert {run["drill"] for run in document["runs"]} == {True}
    assert all(PLAYED in {line["reason"] for line in run["history"]} for run in document["runs"])
    messages = [message for _, message in played.post.taken]
    assert len(messages) > 4
    for message in messages:
        assert message.subject.startswith("DRILL: ")
        assert PLAYED in message.text
        assert PLAYED in message.html
        assert message.card["body"][0]["text"].startswith("DRILL: ")
        assert message.payload["title"].startswith("DRILL: ")
        assert message.calendar == b""
    feed = (
        await shown({"wave": f"{played.tracking_id}.ics"}, {}, played.wiring, played.wiring.page_addresses())
    ).body
    summaries = [str(each["summary"]) for each in Calendar.from_ical(feed).walk("VEVENT")]
    assert summaries
    assert all("DRILL: " in each for each in summaries)
    place = {"subscription": played.subscription, "group": "rg-drill", "name": "drill-db"}
    for page in (await played.page(), await played.page(**place)):
        assert PLAYED in page
        assert "<h1>DRILL: " in page
        assert "portal.azure.com" not in page
        assert "app.azure.com" not in page
    (row,) = [each for each in json.loads((await waves(played)).body) if each["drill"]]
    assert row["tracking_id"] == played.tracking_id
    # Its own paths: nothing of it lies among the runs of a subscription that Azure has.
    runs = [path for path in played.records.documents if path.startswith(("runs/", "claims/"))]
    assert runs
    assert all(f"/{played.subscription}/" in path for path in runs)


async def waves(played):
    return await report.handle(Request("GET", {"suffix": "json"}), played.wiring)


async def test_a_button_in_a_message_approves_it():
    played = Drilling()
    await played.begin()
    await played.until(3)
    asked = next(message for _, message in played.post.taken if "Approve" in message.subject)
    token = re.findall(r"/api/links/([^\s\"/]+)", asked.text)
    answers = []
    for each in dict.fromkeys(token):
        form = b"actor=Ana&comment=go"
        request = Request(
            "POST",
            {"token": each, "rest": ""},
            {},
            {"content-type": "application/x-www-form-urlencoded"},
            form,
        )
        answers.append((await link.handle(request, played.wiring)).status)
        if (await played.runs())["drill-web"]["state"] != "awaiting_approval":
            break
    history = (await played.runs())["drill-web"]["history"]
    assert any(line["event"] == "approve" for line in history), answers


async def test_nobody_has_to_answer_and_it_is_over_within_the_hour():
    played = Drilling()
    await played.begin()
    await played.until(60)
    document = await played.report()
    assert document["stage"] == "Complete"
    assert not [
        run
        for run in document["runs"]
        if run["state"] in {"scheduled", "running", "paused", "awaiting_approval"}
    ]
    written = played.records.writes
    await played.until(24 * 60)
    assert (await played.report())["stage"] == "Complete"
    assert played.queues.waiting == []
    assert played.records.writes - written < 2 * 24 * 12, "the sweep's own notes alone"


async def test_it_ends_when_it_is_told_to():
    played = Drilling()
    await played.begin()
    await played.until(3)
    assert await played.end() == 202
    await played.until(15)
    document = await played.report()
    assert document["stage"] == "Canceled"
    assert not [
        run
        for run in document["runs"]
        if run["state"] in {"scheduled", "running", "paused", "awaiting_approval"}
    ]
    assert await played.end() == 202, "said twice it stays ended"
    assert (await drill.handle(Request("POST", {"wave": "DRILL-000000000000"}), played.wiring)).status == 404
    assert (await drill.handle(Request("POST", {"wave": "VM8T-1Q8"}), played.wiring)).status == 404


async def test_two_drills_beside_each_other_do_not_meet():
    played = Drilling()
    first = await played.begin()
    second = await played.begin(scale_sets=[{"name": "web", "resource_group": "shop"}], minutes=20)
    assert first["subscription"] != second["subscription"]
    await played.until(60)
    assert [run["name"] for run in (await played.report())["runs"]] == ["web"]


@pytest.mark.parametrize(
    "asked",
    [
        {"actor": ""},
        {"minutes": 600},
        {"scale_sets": [{"name": "a/b"}]},
        {"scale_sets": [{"name": ".."}]},
        {"scale_sets": [{"name": "web", "resource_group": "../x"}]},
        {"scale_sets": [{"name": "web"}, {"name": "WEB"}]},
        {"scale_sets": [{"name": "web", "instances": 10_000}]},
        {"scale_sets": [{"name": f"web{number}"} for number in range(50)]},
        {"subscription": "12345678-1234-1234-1234-1234567890ab"},
    ],
)
async def test_what_is_no_drill_is_refused_and_leaves_nothing(asked):
    played = Drilling()
    body = json.dumps({"actor": "Ana", **asked}).encode()
    answer = await drill.handle(Request("POST", body=body), played.wiring)
    assert answer.status == 400
    assert json.loads(answer.body)["reason"]
    assert played.records.documents == {}


async def test_an_alert_that_mixes_a_drill_with_a_subscription_of_azures_is_refused():
    played = Drilling()
    said = await played.begin(post=False)
    theirs = json.loads(
        json.dumps(said["alert"]).replace(said["subscription"], "12345678-1234-1234-1234-1234567890ab")
    )
    renamed = json.loads(json.dumps(said["alert"]).replace(said["tracking_id"], "VM8T-1Q8"))
    other = json.loads(json.dumps(said["alert"]).replace(said["tracking_id"], "DRILL-000000000000"))
    ours = alert()
    event(ours)["properties"]["trackingId"] = said["tracking_id"]
    for body in (theirs, renamed, other, ours):
        with pytest.raises(NotAnAlert):
            read_alert(json.dumps(body).encode(), START)
        answer = await receive.handle(Request("POST", body=json.dumps(body).encode()), played.wiring)
        assert answer.status == 400
    assert played.queues.waiting == []


async def test_a_drill_that_is_not_on_record_has_no_scale_set():
    played = Drilling()
    said = await played.begin(post=False)
    played.records.documents.clear()
    body = json.dumps(said["alert"]).encode()
    assert (await receive.handle(Request("POST", body=body), played.wiring)).status == 202
    await played.until(20)
    assert (await played.report())["runs"] == []


@given(NUMBERS, st.booleans())
def test_every_drills_subscription_is_played_whatever_its_casing(number, upper):
    subscription = subscription_of(number)
    wiring = Drilling().wiring
    face = wiring.compute(subscription.upper() if upper else subscription)
    assert type(face) is PlayedAzure
    assert vars(face).keys() == {"subscription", "_records", "_now"}
    assert mixed_up(tracking_id_of(subscription), subscription) == ""


@given(st.uuids(version=4).map(str), NUMBERS)
def test_no_subscription_of_azures_is_a_drills_and_none_can_be_announced_as_one(subscription, number):
    assert not is_drill(subscription)
    assert mixed_up(f"DRILL-{number}", subscription)
    assert mixed_up("VM8T-1Q8", subscription_of(number))
    assert not mixed_up("VM8T-1Q8", subscription)


def test_the_played_azure_answers_all_that_is_asked_of_azure():
    def public(kind):
        return {name for name in dir(kind) if not name.startswith("_")}

    # `get` and `pages_from` belong to Arm alone: only its own methods use them.
    assert public(Compute) - {"get", "pages_from"} <= public(PlayedAzure)


async def test_a_start_is_refused_where_no_drill_has_it():
    played = Drilling()
    await played.begin()
    await played.until(0.5)
    compute = played.wiring.compute(played.subscription)
    (first, *_) = [each async for page, _ in compute.scale_sets() for each in page]
    with pytest.raises(NotFound):
        await compute.start(first, "99")
    await compute.start(first, "0")
    with pytest.raises(Refused):
        await compute.start(first, "0")
    played.clock.advance(timedelta(minutes=55))
    with pytest.raises(Refused):
        await compute.start(first, "1")
    with pytest.raises(ValueError, match="Only a drill is played"):
        PlayedAzure("12345678-1234-1234-1234-1234567890ab", lambda: None, played.clock)


SAID = st.tuples(
    st.integers(1, 55),
    st.sampled_from(["drill-web", "drill-db", "drill-cache"]),
    st.sampled_from(["approve", "hold", "resume", "skip", "acknowledge", "let-pass", "end"]),
)


@settings(max_examples=8, deadline=None)
@given(st.lists(SAID, max_size=6))
def test_whatever_is_said_to_it_no_client_of_azure_is_built_and_it_ends(said):
    async def lived() -> None:
        played = Drilling()
        await played.begin()
        for minute, name, action in sorted(said):
            await played.until(minute)
            if action == "end":
                await played.end()
                continue
            run = (await played.runs()).get(name, {})
            await played.say(name, action, checksum=run.get("checksum", ""))
        await played.until(70)
        document = await played.report()
        assert document["stage"] in {"Complete", "Canceled"}
        active = {"scheduled", "running", "paused", "awaiting_approval"}
        assert not [run for run in document["runs"] if run["state"] in active]

    asyncio.run(lived())


def test_the_guard_of_these_tests_would_see_a_client_of_azure():
    wiring = Wiring(Drilling().wiring.settings)
    with pytest.raises(AssertionError, match="built a client"):
        wiring.compute("12345678-1234-1234-1234-1234567890ab")
