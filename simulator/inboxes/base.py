"""What every inbox has: scripted answers, kept messages, and a way to wait for them without polling."""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self


@dataclass(frozen=True, slots=True)
class Scripted:
    """One answer an inbox was told to give instead of its usual one.

    `keep` says whether the message counts as received although the sender hears otherwise: an answer that
    was lost on its way, which is how duplicates come about.
    """

    status: int
    retry_after: int | None = None  # seconds
    headers: dict[str, str] = field(default_factory=dict)
    keep: bool = False

    @property
    def all_headers(self) -> dict[str, str]:
        """The headers with Retry-After among them."""
        after = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        return {**self.headers, **after}


type Answer = int | Scripted


class Inbox[M](ABC):
    """Keeps what arrives, in order; as an async context manager it is started and closed."""

    suffix = ""

    def __init__(self, *, answers: Iterable[Answer] = (), folder: Path | None = None) -> None:
        """`answers` are given first, one an attempt, then the usual one; `folder` gets a file per message."""
        self.messages: list[M] = []
        self.attempts = 0
        self._answers = deque(answers)
        self._folder = folder
        self._arrived = asyncio.Condition()

    @property
    @abstractmethod
    def url(self) -> str:
        """Where to send to; known once started."""

    @abstractmethod
    async def start(self) -> None:
        """Listen on a free port of 127.0.0.1."""

    @abstractmethod
    async def close(self) -> None:
        """Stop listening; the messages stay."""

    @abstractmethod
    def as_file(self, message: M) -> bytes:
        """A message as it is saved in the folder."""

    def will_answer(self, *answers: Answer) -> None:
        """Script the next attempts' answers, after those scripted already."""
        self._answers.extend(answers)

    async def wait_for(self, predicate: Callable[[list[M]], object], timeout: float = 10.0) -> list[M]:  # noqa: ASYNC109 - a plain number reads better in tests
        """Wait until the messages received so far satisfy the predicate; all of them.

        Raises:
            AssertionError: they did not within `timeout` seconds; says how many there are.
        """
        try:
            async with asyncio.timeout(timeout), self._arrived:
                await self._arrived.wait_for(lambda: bool(predicate(self.messages)))
        except TimeoutError:
            raise AssertionError(
                f"{type(self).__name__} waited {timeout} s in vain: {len(self.messages)} messages, "
                f"{self.attempts} attempts."
            ) from None
        return list(self.messages)

    def _next_answer(self) -> Scripted | None:
        """Count an attempt; the answer scripted for it, if any."""
        self.attempts += 1
        if not self._answers:
            return None
        answer = self._answers.popleft()
        return answer if isinstance(answer, Scripted) else Scripted(answer)

    async def _keep(self, message: M) -> None:
        async with self._arrived:
            self.messages.append(message)
            if self._folder:
                await asyncio.to_thread(self._save, message, len(self.messages))
            self._arrived.notify_all()

    def _save(self, message: M, number: int) -> None:
        assert self._folder is not None
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / f"{number:03}{self.title(message)}{self.suffix}").write_bytes(self.as_file(message))

    def title(self, message: M) -> str:  # noqa: ARG002 - for inboxes whose messages have one
        """What a saved file's name says after its number; begins with a hyphen unless empty."""
        return ""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def slug(text: str) -> str:
    """Text as part of a file name: ASCII letters and digits, hyphens between, at most 60 characters."""
    kept = "".join(letter if letter.isascii() and letter.isalnum() else " " for letter in text.lower())
    words = "-".join(kept.split())[:60].strip("-")
    return f"-{words}" if words else ""
