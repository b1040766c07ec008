"""At no time are there more live messages than runs and stages explain.

A message on `runs` without a person's word is live as long as its generation is not below its run's record: it
will be a poll. A run explains one, the next that each poll hands on. Beside it, for the last day (waiting runs
are looked at once a day, so that long a message may lie): one where the sweep has called, one for each plan and
word that woke the run and for each other run that gave its place to it, one for each write of its record that somebody else overtook (the poll had handed on its
next message by then), and one for each death, second delivery, failure of storage and lost answer in the world.
"""

from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from handlers.cloud.names import run_path
from handlers.wire.documents import decode
from handlers.wire.ids import RUNS
from handlers.wire.messages import RunMessage
from planner.record.run import Run

WITHIN = timedelta(hours=25)
EVERYBODY = ""


class Messages:
    """`waiting` gives the texts on a queue; `now` the time."""

    def __init__(self, waiting: Callable[[str], Iterable[str]], now: Callable[[], datetime]) -> None:
        self.findings: list[str] = []
        self.most = 0
        self._waiting, self._now = waiting, now
        self._generations: dict[str, int] = {}
        self._noted: deque[tuple[datetime, str, str]] = deque()

    def written(self, path: str, body: bytes) -> None:
        if path.startswith("runs/"):
            self._generations[path] = decode(Run, body).generation

    def noted(self, why: str, path: str = EVERYBODY) -> None:
        """Something happened that leaves a message more than there should be, of one run or of any."""
        self._noted.append((self._now(), why, path))

    def sent(self, queue: str, text: str, by: str) -> None:
        """`by` is the queue whose message is being handled, or `sweep`."""
        if queue != RUNS:
            return
        message = RunMessage.model_validate_json(text)
        path, now = _path(message), self._now()
        if message.event is not None:
            self.noted("word", path)
            return
        if message.wake:
            self.noted("wake", path)
        elif by != RUNS:
            self.noted(by, path)
        while self._noted and now - self._noted[0][0] > WITHIN:
            self._noted.popleft()
        live = sum(
            1
            for each in map(RunMessage.model_validate_json, self._waiting(RUNS))
            if _path(each) == path
            and each.event is None
            and each.generation >= self._generations.get(path, 0)
        )
        self.most = max(self.most, live)
        explained = self._explained(path)
        if live > explained and len(self.findings) < 20:
            self.findings.append(
                f"{now:%Y-%m-%d %H:%M:%S}Z {message.name} has {live} live messages, {explained} are explained"
            )

    def _explained(self, path: str) -> int:
        mine = [why for _, why, whose in self._noted if whose in {path, EVERYBODY}]
        swept = "sweep" in mine
        return 1 + swept + sum(why != "sweep" for why in mine)


def _path(message: RunMessage) -> str:
    return run_path(message.subscription, message.resource_group, message.name)
