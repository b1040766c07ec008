"""Reading Azure's JSON, without anything that is slow to import."""

from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol
from urllib.parse import quote

from handlers.cloud.errors import Unreachable, short


class ReadsArm(Protocol):
    """What the extra look-ups need of Azure Resource Manager."""

    subscription: str

    def pages(self, path: str) -> AsyncIterator[list[dict[str, Any]]]: ...

    async def post_json(self, path: str, payload: dict[str, Any]) -> dict[str, Any]: ...


class Counted:
    """The same for one look-up, and how many answers it has read."""

    def __init__(self, arm: ReadsArm) -> None:
        self.subscription = arm.subscription
        self.read = 0
        self._arm = arm

    async def pages(self, path: str) -> AsyncIterator[list[dict[str, Any]]]:
        async for page in self._arm.pages(path):
            self.read += 1
            yield page

    async def post_json(self, path: str, payload: dict[str, Any]) -> dict[str, Any]:
        answer = await self._arm.post_json(path, payload)
        self.read += 1
        return answer


def read[Shape](shape: Callable[[dict[str, Any]], Shape], raw: dict[str, Any]) -> Shape:
    """Azure's JSON as a value; anything in another form is trouble, not a value with gaps."""
    try:
        return shape(raw)
    except (AttributeError, TypeError, ValueError) as error:
        raise Unreachable(f"Azure sent something in an unknown form: {short(error)}") from error


def safe(path: str) -> str:
    """A path from outside as part of an address."""
    return quote(path, safe="/()")
