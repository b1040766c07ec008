"""Somebody who reads the report, for its tests: every form of it at its address."""

import json
from html.parser import HTMLParser
from typing import Any

from handlers.stages import report
from handlers.wire.http import Request, Response
from handlers.wiring import Wiring
from planner.record.check import Check, Outcome
from planner.record.run import Run
from planner.record.states import RunState
from tests.notices import SUBSCRIPTION, TRACKING, notice, run

HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>\"'>"
    "<a href='javascript:alert(1)'>x</a> =cmd|' /C calc'!A0"
)
"""Text from outside that tries to become markup, a link or a formula."""


class Seen(HTMLParser):
    """The tags, attributes and visible text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


async def get(wiring: Wiring, **given: str) -> Response:
    return await report.handle(Request("GET", given), wiring)


async def get_json(wiring: Wiring, **given: str) -> Any:
    answer = await get(wiring, **given)
    assert answer.status == 200
    return json.loads(answer.body)


def left(name: str) -> Run:
    return run(
        name,
        notice(),
        state=RunState.LEFT_TO_AZURE,
        reason="Nobody declared a need.",
        checks=(Check("needed", Outcome.BLOCK, "Nobody declared a need."),),
        facts={},
    )


def placed(one: Run) -> dict[str, str]:
    return {"wave": TRACKING, "subscription": SUBSCRIPTION, "group": "shop", "name": one.target.name}
