"""Where a reader can go from a notice or a page, and what they can type."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol
from urllib.parse import quote, urlencode

from handlers.wire.clouds import HOSTS, Cloud
from handlers.wire.command_request import WHY, YOUR_NAME
from handlers.wire.link_token import FEED, VIEW
from planner.azure.drill import is_drill, is_drill_wave
from planner.record.command import CommandKind
from planner.record.notice import Choice
from planner.record.run import Run

OWN_CALENDAR = "calendar.ics"
"""What a receiver's own calendar is called behind its link."""

LONGEST_TOKEN = 1500
"""Characters; some mail programs open no address of more than 2,000."""

ALL_EVENTS = "#blade/Microsoft_Azure_Health/AzureHealthBrowseBlade/plannedMaintenance"
"""The portal's page of planned maintenance."""

type Sign = Callable[[tuple[str, ...], str, str, Mapping[str, str]], str]
"""From a place (wave, or wave, subscription, resource group and scale set), an action, a plan's checksum and
the fields that go with the action, to a link's token."""


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

    `portal_host` is where the portal of the cloud is. With `sign` the links go through
    `/api/links/<token>`, which needs no function key.
    """

    public_url: str = ""
    sign: Sign | None = None
    portal_host: str = HOSTS[Cloud.PUBLIC].portal

    def portal(self, arm_id: str) -> str:
        """The scale set in the portal, where one of a drill is not."""
        if is_drill(arm_id.removeprefix("/subscriptions/")):
            return ""
        return f"{self.portal_host}/#resource{quote(arm_id, safe='/', errors='replace')}"

    def service_health(self, tracking_id: str, subscription: str) -> str:
        """Azure's own page of the event (azure-monitor-docs, service health webhook guide); a drill has none.

        Other clouds than public Azure have no such address for one event: there, the page of all.
        """
        if is_drill_wave(tracking_id):
            return ""
        if self.portal_host != HOSTS[Cloud.PUBLIC].portal:
            return f"{self.portal_host}/{ALL_EVENTS}"
        plain = subscription.replace("-", "")
        short = plain[:3] + plain[-3:]
        return f"https://app.azure.com/h/{quote(tracking_id, safe='')}/{quote(short, safe='')}"

    def wave(self, tracking_id: str) -> str:
        """The wave's page."""
        return self._to((tracking_id,), wave_path(tracking_id))

    def run(self, tracking_id: str, target: Placed) -> str:
        """The run's page."""
        return self._to(place_of(tracking_id, target), run_path(tracking_id, target))

    def at(self, place: tuple[str, ...]) -> str:
        """The page of a wave, or of a run, by its place."""
        if len(place) == 1:
            return self.wave(place[0])
        return self.run(place[0], Place(*place[1:]))

    def wave_as(self, tracking_id: str, suffix: str) -> str:
        """The wave as `json`, `csv` or `ics`."""
        return self._to((tracking_id,), wave_path(tracking_id), suffix)

    def own_calendar(self) -> str:
        """What a receiver subscribes to: its scale sets in all waves; only where links are signed."""
        if self.sign is None or not self._reached:
            return ""
        return f"{self._link(self.sign((), FEED, '', {}))}/{OWN_CALENDAR}"

    def run_as(self, tracking_id: str, target: Placed, suffix: str) -> str:
        """The run as `json`."""
        return self._to(place_of(tracking_id, target), run_path(tracking_id, target), suffix)

    def part(self, tracking_id: str, suffix: str, after: str, state: str) -> str:
        """Where a wave's `json` or `csv` goes on after a place on the way through its runs."""
        query = urlencode({"after": after, **({"state": state} if state else {})})
        return f"{self._document(tracking_id, suffix)}?{query}"

    def overview(self) -> str:
        """The page of all waves; a link to it is for whoever hears of all of them."""
        return f"{self._base}/api/waves" if self._reached and self.sign is None else ""

    @property
    def shows_only(self) -> bool:
        """Whether the reader came by a link that lets nobody act."""
        return False

    def act(self, tracking_id: str, run: Run, action: str, to: Mapping[str, str] | None = None) -> str:
        """A link that shows what the action would do and asks; only where links are signed.

        Empty where it would be too long for mail programs: then there is only what to type.
        """
        if self.sign is None or not self._reached:
            return ""
        to = to or _about(run, action)
        token = self.sign(place_of(tracking_id, run.target), action, run.people.checksum, to)
        return self._link(token) if len(token) <= LONGEST_TOKEN else ""

    def command(self, tracking_id: str, run: Run, action: str) -> str:
        """What to type to answer. The key is the function's; who and why are recorded.

        An approval names the plan it is for: another one that came in between is not approved.
        """
        more = {"checksum": run.people.checksum} if action == "approve" else _about(run, action)
        return self._typed(tracking_id, run, action, more)

    def choose(self, tracking_id: str, run: Run, choice: Choice) -> str:
        """What to type to choose something for a plan that does not fit."""
        return self._typed(tracking_id, run, choice.word, choice.to)

    def act_for_wave(self, tracking_id: str, action: str, to: Mapping[str, str], seen: str) -> str:
        """The same for a command to a whole wave; `seen` names what the reader was shown of it."""
        if self.sign is None or not self._reached:
            return ""
        token = self.sign((tracking_id,), action, seen, to)
        return self._link(token) if len(token) <= LONGEST_TOKEN else ""

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

    def _document(self, tracking_id: str, suffix: str) -> str:
        """A wave's JSON or CSV for whoever reads it with the key already."""
        return f"{self._base}/api/{wave_path(tracking_id)}.{suffix}"

    @property
    def _base(self) -> str:
        return self.public_url.rstrip("/")

    @property
    def _reached(self) -> bool:
        """Whether what is made here can be reached by who reads it."""
        return bool(self._base)

    def _to(self, place: tuple[str, ...], path: str, suffix: str = "") -> str:
        if not self._reached:
            return ""
        end = f".{suffix}" if suffix else ""
        if self.sign is None:
            return f"{self._base}/api/{path}{end}"
        link = self._link(self.sign(place, VIEW, "", {}))
        return f"{link}/{quote(place[-1], safe='', errors='replace')}{end}" if suffix else link

    def _link(self, token: str) -> str:
        return f"{self._base}/api/links/{quote(token, safe='')}"


@dataclass(frozen=True, slots=True)
class OnPage(Addresses):
    """Addresses on a page opened with the app's key: below this host where its address is not known."""

    def overview(self) -> str:
        """The page of all waves: whoever has the key may see it, by a link where links are signed."""
        if self.sign is None:
            return f"{self._base}/api/waves"
        return self._link(self.sign((), VIEW, "", {}))

    @property
    def _reached(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class InLink(Addresses):
    """Addresses on a page that was opened by a link that only shows: all pages stay inside the link.

    `token` is the link's, `place` what it shows: nothing means every wave. Who may read may not act, so that
    nothing here does, unless `sign` is given: where acting takes a person who has signed in. `every_wave` is
    the token of a link to all waves, for whom that is meant.
    """

    token: str = ""
    place: tuple[str, ...] = field(default=())
    every_wave: str = ""

    def overview(self) -> str:
        """The page of all waves: inside of this link, or by a link of its own."""
        return self._link(self.every_wave or self.token) if self.every_wave or not self.place else ""

    @property
    def shows_only(self) -> bool:
        return self.sign is None

    def _document(self, tracking_id: str, suffix: str) -> str:
        return self.wave_as(tracking_id, suffix)

    def _to(self, place: tuple[str, ...], path: str, suffix: str = "") -> str:
        del path
        if place[: len(self.place)] != self.place:
            return ""
        inside = place[len(self.place) :] or (place[-1:] if suffix else ())
        rest = "".join(f"/{quote(part, safe='', errors='replace')}" for part in inside)
        return f"{self._link(self.token)}{rest}{f'.{suffix}' if suffix else ''}"


def _about(run: Run, action: str) -> Mapping[str, str]:
    """What an acknowledgement names: it is for one trouble and not for the next."""
    ringing = run.ringing
    return (
        {"notice": str(ringing.number)} if action == CommandKind.ACKNOWLEDGE and ringing is not None else {}
    )


def place_of(tracking_id: str, target: Placed) -> tuple[str, ...]:
    """Where a run stands: wave, subscription, resource group, scale set."""
    return (tracking_id, target.subscription, target.resource_group, target.name)


def wave_path(tracking_id: str) -> str:
    """The wave's address below /api."""
    return f"waves/{quote(tracking_id, safe='')}"


def run_path(tracking_id: str, target: Placed) -> str:
    """The run's address below /api, in Azure's spelling."""
    parts = (target.subscription, target.resource_group, target.name)
    return "/".join((wave_path(tracking_id), *(quote(part, safe="", errors="replace") for part in parts)))
