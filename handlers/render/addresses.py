"""Where a reader can go from a notice or a page, and what they can type."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol
from urllib.parse import quote, urlencode

from handlers.wire.command_request import WHY, YOUR_NAME
from planner.record.notice import Choice
from planner.record.run import Run

type Sign = Callable[[str, str, str], str]
"""From a path below /api, an action (`view`, `approve`, ...) and a plan checksum to a link's token."""


class Placed(Protocol):
    """What has a place among the scale sets of a subscription."""

    @property
    def subscription(self) -> str: ...
    @property
    def resource_group(self) -> str: ...
    @property
    def name(self) -> str: ...


class Place(NamedTuple):
    """Where a scale set is, in Azure's spelling."""

    subscription: str
    resource_group: str
    name: str


@dataclass(frozen=True, slots=True)
class Addresses:
    """Addresses of one installation. `public_url` is where people reach the app, without it no links.

    With `sign` the links go through `/api/links/<token>`, which needs no function key.
    """

    public_url: str = ""
    sign: Sign | None = None

    def wave(self, tracking_id: str) -> str:
        """The wave's page."""
        return self._link(wave_path(tracking_id), "view", "")

    def part(self, tracking_id: str, after: str, state: str) -> str:
        """Where a wave's document goes on after a place on the way through its runs."""
        query = urlencode({"after": after, **({"state": state} if state else {})})
        return f"{self._base}/api/{wave_path(tracking_id)}.json?{query}"

    def run(self, tracking_id: str, target: Placed) -> str:
        """The run's page."""
        return self._link(run_path(tracking_id, target), "view", "")

    def act(self, tracking_id: str, run: Run, action: str) -> str:
        """A link that shows what the action would do and asks; only where links are signed."""
        if self.sign is None:
            return ""
        return self._link(run_path(tracking_id, run.target), action, run.people.checksum)

    def command(self, tracking_id: str, run: Run, action: str) -> str:
        """What to type to answer. The key is the function's; who and why are recorded.

        An approval names the plan it is for: another one that came in between is not approved.
        """
        more = {"checksum": run.people.checksum} if action == "approve" else {}
        return self._typed(tracking_id, run, action, more)

    def choose(self, tracking_id: str, run: Run, choice: Choice) -> str:
        """What to type to choose something for a plan that does not fit."""
        return self._typed(tracking_id, run, choice.word, choice.to)

    def choose_for_wave(self, tracking_id: str, action: str, more: Mapping[str, str]) -> str:
        """What to type to say something to a whole wave."""
        return self._command(f"{wave_path(tracking_id)}/{action}", more)

    def _typed(self, tracking_id: str, run: Run, action: str, more: Mapping[str, str]) -> str:
        return self._command(f"{run_path(tracking_id, run.target)}/{action}", more)

    def _command(self, path: str, more: Mapping[str, str]) -> str:
        address = f"{self._base or '$BREAKWATER_URL'}/api/{path}"
        # A quote inside would end the shell's string: JSON has another way to write it.
        said = json.dumps({"actor": YOUR_NAME, "comment": WHY, **more}).replace("'", "\\u0027")
        return (
            f'curl -X POST "{address}" -H "x-functions-key: $KEY" '
            f"-H \"content-type: application/json\" -d '{said}'"
        )

    @property
    def _base(self) -> str:
        return self.public_url.rstrip("/")

    def _link(self, path: str, action: str, checksum: str) -> str:
        if not self._base:
            return ""
        if self.sign is not None:
            return f"{self._base}/api/links/{quote(self.sign(path, action, checksum), safe='')}"
        return f"{self._base}/api/{path}"


def wave_path(tracking_id: str) -> str:
    """The wave's address below /api."""
    return f"waves/{quote(tracking_id, safe='')}"


def run_path(tracking_id: str, target: Placed) -> str:
    """The run's address below /api, in Azure's spelling."""
    parts = (target.subscription, target.resource_group, target.name)
    return "/".join((wave_path(tracking_id), *(quote(part, safe="", errors="replace") for part in parts)))


def service_health(tracking_id: str, subscription: str) -> str:
    """Azure's own page of the event (azure-monitor-docs, service health webhook guide)."""
    plain = subscription.replace("-", "")
    short = plain[:3] + plain[-3:]
    return f"https://app.azure.com/h/{quote(tracking_id, safe='')}/{quote(short, safe='')}"


def portal(arm_id: str) -> str:
    """The scale set in the portal."""
    return f"https://portal.azure.com/#resource{quote(arm_id, safe='/', errors='replace')}"
