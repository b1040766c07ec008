"""Arm over canned answers, for the tests of addresses and of Retry-After."""

import json
from datetime import timedelta
from typing import Any

from handlers.cloud import arm
from handlers.cloud.compute import Compute
from tests.handlers.parts import SUBSCRIPTION, Clock
from tests.places import SAMPLES

AZURE = "https://management.azure.com"
FIRST = json.loads((SAMPLES / "listings" / "next-page-with-default-port.json").read_text())


class Canned(Compute):
    """Answers from a list, an exception in it is raised; writes down what was asked and slept."""

    def __init__(self, *answers: Any) -> None:
        self.clock = Clock()
        super().__init__(SUBSCRIPTION, lambda: None, AZURE, self.clock)  # type: ignore[arg-type,return-value]
        self.answers, self.asked, self.slept = list(answers), list[str](), list[float]()
        self._sleep = self._slept
        self._ticks = self._timestamp
        self.patience = list[int]()
        self.took = timedelta(0)

    def _timestamp(self) -> float:
        return self.clock.at.timestamp()

    async def _slept(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.forward(seconds=seconds)

    async def _send(self, request: Any, read_seconds: int = arm.READ_SECONDS) -> Any:
        self.asked.append(request.url)
        self.patience.append(read_seconds)
        self.clock.at += self.took
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return _Answer(answer)


def second() -> dict[str, Any]:
    (one,) = FIRST["value"]
    return {"value": [{**one, "instanceId": "1", "id": one["id"][:-1] + "1"}]}


class _Answer:
    status_code = 200

    def __init__(self, document: Any) -> None:
        self.content = json.dumps(document).encode()
