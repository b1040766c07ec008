"""Whatever is posted, queued or written into a text: no 500, nothing started, and a good wave still works."""

import asyncio
import base64
import copy
import json
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from simulator.fleet import SUBSCRIPTION, uniform
from simulator.rig import Rig
from tests.eventually import eventually
from tests.journeys.play import (
    ALWAYS,
    POLICY,
    QUICK,
    SETTINGS,
    SWEPT,
    TRACKING_ID,
    alerted,
    fleet,
    health,
    html_of,
    kept,
    mail_about,
    mail_saying,
    post,
    put,
    reaches,
    run_of,
    started,
    subject,
    text_of,
)

ELSEWHERE = "99999999-8888-7777-6666-555555555555"
SCRIPT = "<script>alert(1)</script>"
IMAGE = "<img src=x onerror=alert(2)>"
HOSTILE = f"{SCRIPT}{IMAGE}\"'&{{{{7*7}}}}"
WRONG: tuple[Any, ...] = (None, 7, -1.5, True, [], {}, "", [[["x"]]], {"a": {"b": 1}}, HOSTILE, "x" * 5000)
BOMB = b"[" * 200_000 + b"]" * 200_000
OBJECTS = b'{"a":' * 50_000 + b"1" + b"}" * 50_000


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a JSON value, the whole included."""
    yield path
    if isinstance(value, dict | list):
        for key, inside in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(inside, (*path, key))


def replaced(value: Any, path: tuple[Any, ...], by: Any) -> Any:
    made = copy.deepcopy(value)
    if not path:
        return by
    inside = made
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = by
    return made


@pytest.mark.parametrize("schema", ["common", "legacy"])
async def test_whatever_is_posted_is_answered_and_a_good_alert_still_works(storage: str, schema: Any) -> None:
    dice = random.Random(schema)
    azure = fleet(uniform("web", 2, update_domains=1, behaviour=QUICK, tags=ALWAYS))
    alert = azure.alert(TRACKING_ID, schema=schema, subscription=ELSEWHERE)
    bodies = [json.dumps(replaced(alert, place, dice.choice(WRONG))).encode() for place in places(alert)]
    bodies += [b"", b"{", b"null", b"\xff\xfe", b"NaN", BOMB, OBJECTS, json.dumps(alert).encode("utf-16")]
    gate = asyncio.Semaphore(8)
    async with Rig(azure, storage=storage, policy=POLICY, settings=SETTINGS) as rig:

        async def answered(body: bytes) -> int:
            async with gate:
                status, said = await rig.post_alert(body)
            assert said["status"] in {"accepted", "duplicate", "ignored", "rejected"}, body[:200]
            assert said["reason"]
            return status

        statuses = Counter(await asyncio.gather(*(answered(body) for body in bodies)))
        assert set(statuses) <= {200, 202, 400}
        assert statuses[400] >= 8
        assert (await rig.post_alert(b" " * (2 * 1024 * 1024)))[0] == 413
        assert (await health(rig))["quarantine"] > 0

        unknown, _ = await rig.post_alert(azure.alert(TRACKING_ID, schema=schema, subscription=ELSEWHERE))
        assert unknown == 202
        told = await mail_about(rig, "", within=20)
        assert told
        assert started(azure) == []
        await alerted(rig, schema=schema)
        report = await reaches(rig, 40, web="completed")
    kept(rig, report)
    assert "Traceback" not in rig.host.log


async def test_text_from_outside_is_shown_as_text(storage: str) -> None:
    azure = fleet(
        uniform("web", 2, update_domains=1, behaviour=QUICK, tags={**ALWAYS, "breakwater-mode": "approve"}),
        uniform("odd", 2, tags={"breakwater-self-service": HOSTILE, HOSTILE: HOSTILE}),
        uniform("tiers", 2, tags={**ALWAYS, "breakwater-after": HOSTILE, "breakwater-tier": HOSTILE}),
    )
    hostile = {
        key: f"{value} {HOSTILE}"
        for key, value in azure.alert(TRACKING_ID)["data"]["alertContext"]["properties"].items()
        if key not in {"trackingId", "incidentType", "stage", "impactedServices", "IsSynthetic"}
        and isinstance(value, str)
    }
    async with Rig(azure, storage=storage, policy=POLICY, settings=SETTINGS) as rig:
        await alerted(rig, properties=hostile)
        report = await reaches(rig, 20, web="awaiting_approval", odd=("left_to_azure", "scheduled"))
        waiting = run_of(report, "web")
        status, _ = await post(rig, waiting, "approve", actor=f"ana {HOSTILE}", comment=f"go {HOSTILE}")
        assert status == 202
        await reaches(rig, 30, web="completed")
        announced = await mail_saying(rig, "Approve rebooting")
        await mail_about(rig, "rebooted and healthy")
        place = f"waves/{TRACKING_ID}/{SUBSCRIPTION}/rg-breakwater"
        pages = [
            await rig.get(path)
            for path in ("waves", f"waves/{TRACKING_ID}", f"{place}/web", f"{place}/odd", f"{place}/tiers")
        ]
        calendar = (await rig.get(f"waves/{TRACKING_ID}.ics"))[1]
        table = (await rig.get(f"waves/{TRACKING_ID}.csv"))[1]
        mails = list(rig.mail.messages)

    assert [status for status, _ in pages] == [200] * 5
    shown = [text for _, text in pages] + [html_of(mail) for mail in mails]
    for html in shown:
        assert SCRIPT not in html
        assert "<img src=x" not in html
        assert "&49" not in html
        assert "&amp;49" not in html
    assert any("&lt;script&gt;alert(1)&lt;/script&gt;" in html for html in shown)
    assert "&lt;script&gt;" in pages[2][1], "who approved and why is shown, as text"
    assert "odd" in text_of(announced), "one first message for the whole wave"
    assert all("\n" not in subject(mail) for mail in mails)
    assert "BEGIN:VEVENT" in calendar
    assert not [line for line in table.splitlines() if line.startswith(("=", "+", "-", "@"))]
    kept(rig, report, blocked=("odd", "tiers"))


async def test_forged_messages_end_in_the_quarantine_and_start_nothing(storage: str) -> None:
    azure = fleet(uniform("web", 2, update_domains=1, behaviour=QUICK, tags=ALWAYS))
    web = azure.scale_set("web").id
    plan = {"tracking_id": TRACKING_ID, "subscription": SUBSCRIPTION, "scale_set": web, "reason": "announced"}
    look = {"subscription": SUBSCRIPTION, "resource_group": "rg-breakwater", "name": "web", "generation": 0}
    bad = {
        "alerts": ["no json", "[]", '{"alert": "../../x"}', BOMB[:20_000].decode()],
        "scale-sets": [
            json.dumps(plan | {"subscription": ELSEWHERE}),
            json.dumps(plan | {"scale_set": f"{web}/../all"}),
            json.dumps(plan | {"scale_set": web.replace("rg-breakwater", "..")}),
            json.dumps(plan | {"tracking_id": "../x"}),
            json.dumps(plan | {"reason": "because", "wave_generation": "many"}),
            json.dumps([plan]),
        ],
        "runs": [
            json.dumps(look | {"name": "a/b"}),
            json.dumps(look | {"resource_group": ".."}),
            json.dumps(look | {"generation": -1}),
            json.dumps(look | {"subscription": "all"}),
            json.dumps(look | {"event": {"kind": "start everything"}}),
            json.dumps(look | {"name": "x" * 40_000}),
        ],
        "notices": ['{"kind": "wave"}', '{"kind": "shout", "text": "' + "x" * 40_000 + '"}'],
    }
    async with Rig(azure, storage=storage, policy=POLICY, settings=SWEPT) as rig:
        for queue, texts in bad.items():
            await put(rig, queue, *texts)
        # These come again on the host's clock, half a minute each: nothing comes of them meanwhile.
        await put(rig, "alerts", json.dumps({"alert": "0" * 64}))
        await put(rig, "scale-sets", json.dumps(plan), json.dumps(plan | {"v": 99, "reason": "newer words"}))
        await put(rig, "runs", json.dumps(look))
        # No function sees these two, the host gives them up by itself: the sweep finds them.
        await put(rig, "alerts", "%%% not base64 %%%", raw=True)
        await put(rig, "notices-poison", base64.b64encode(b"\xff\xfe").decode(), raw=True)
        expected = sum(map(len, bad.values())) + 2

        async def quarantined() -> bool:
            said = await health(rig)
            assert said["quarantine"] == expected, said
            poison = {name: left for name, left in said["queues"].items() if name.endswith("-poison")}
            assert set(poison.values()) == {0}, said
            return True

        await eventually(quarantined, within=25, every=0.5, why="all that is bad is in quarantine")
        assert started(azure) == []
        assert (await rig.report(TRACKING_ID))["runs"] == []
        await alerted(rig)
        report = await reaches(rig, 40, web="completed")
        said = await health(rig)
    assert said["queues"]["scale-sets"] >= 2, "the newer message and the one nobody discovered wait"
    kept(rig, report)
    assert sorted(started(azure)) == ["web/0", "web/1"]


async def test_a_person_who_says_nonsense_over_http_is_told_so(storage: str) -> None:
    azure = fleet(uniform("web", 2, tags={**ALWAYS, "breakwater-mode": "approve"}))
    async with Rig(azure, storage=storage, policy=POLICY, settings=SETTINGS) as rig:
        await alerted(rig)
        run = run_of(await reaches(rig, 20, web="awaiting_approval"), "web")
        place = f"{rig.host.url}/api/waves/{TRACKING_ID}/{SUBSCRIPTION}/rg-breakwater"

        async def said(path: str, body: bytes) -> int:
            async with rig.http.post(f"{place}/{path}", data=body) as answer:
                assert (await answer.json(content_type=None))["reason"]
                return answer.status

        for body in (
            b"",
            b"{",
            b"[]",
            BOMB,
            b'{"actor": 7}',
            b'{"actor": ""}',
            b"\xff",
            b"{" + b" " * 99_999,
        ):
            assert await said("web/approve", body) == 400, body[:40]
        good = json.dumps({"actor": "ana"}).encode()
        assert await said("web/launch", good) == 400
        assert await said("nobody/approve", good) == 404
        assert await said("web/resume", json.dumps({"actor": "ana", "instances": ["0"]}).encode()) == 400
        assert await said("web/skip", json.dumps({"actor": "ana", "instances": ["77"]}).encode()) == 409
        assert await said("web/hold", json.dumps({"actor": "YOUR NAME", "comment": "WHY"}).encode()) == 409
        assert (await post(rig, run, "approve", checksum="0123"))[0] == 409
        for path in (
            "waves/..%2f..",
            "waves/%00",
            "waves/x.json",
            f"waves/{'y' * 300}",
            "waves/%3Cscript%3E",
        ):
            status, text = await rig.get(path)
            assert status in {200, 400, 404}, (path, status)
            assert "<script>" not in text
        assert started(azure) == []
        assert run_of(await rig.report(TRACKING_ID), "web")["state"] == "awaiting_approval"
    assert "Traceback" not in rig.host.log
