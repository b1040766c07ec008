"""What happened, told once each: what the fleet went through, how the runs moved, what people were sent."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

from simulator.fleet import Fleet
from simulator.fleet.ledger import Down, Ended, HealthBecame, StartAsked
from simulator.inboxes.teams import Post

STATES = {
    "scheduled": "· waiting",
    "awaiting_approval": "? needs approval",
    "running": "~ running",
    "paused": "! paused",
    "completed": "✓ completed",
    "left_to_azure": "- left to Azure",
    "not_impacted": "- not impacted",
    "cancelled": "- cancelled",
    "missed": "✗ missed",
}


@dataclass(frozen=True, slots=True)
class Event:
    """One line: who it is about (a scale set, a receiver), and a sentence."""

    who: str
    text: str


class Story:
    """Follows a fleet's ledger, the reported runs and the inboxes; every call tells what is new since."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._facts = len(fleet.ledger)
        self._states: dict[str, str] = {}
        self._mails = self._cards = 0
        self._rebooted: set[str] = set()

    def next(
        self, runs: Sequence[Mapping[str, Any]], mails: Sequence[EmailMessage], cards: Sequence[Post]
    ) -> list[Event]:
        """New events: first the fleet's, then the runs', then the messages'."""
        return [*self._lived(), *self._moved(runs), *self._sent(mails, cards)]

    def _lived(self) -> Iterator[Event]:
        new = self._fleet.ledger.since(self._facts)
        self._facts += len(new)
        for fact in new:
            if not isinstance(fact, StartAsked | Down | Ended | HealthBecame):
                continue
            text = self._sentence(fact, f"instance {_name(fact.instance)}")
            if text:
                yield Event(_name(fact.scale_set), text)

    def _sentence(self, fact: StartAsked | Down | Ended | HealthBecame, instance: str) -> str:
        """Empty for what goes without saying: that a reboot ended well, that health comes back."""
        match fact:
            case StartAsked(accepted=True):
                self._rebooted.discard(fact.instance)
                return f"maintenance of {instance} is started"
            case StartAsked():
                return f"Azure refuses to start {instance}: {fact.code}"
            case Down():
                self._rebooted.add(fact.instance)
                return f"{instance} reboots"
            case Ended(status="Succeeded"):
                rebooted = fact.instance in self._rebooted
                return "" if rebooted else f"Azure puts {instance} off: to be tried again later"
            case Ended():
                return f"maintenance of {instance} failed: {fact.code}"
            case HealthBecame(health="unhealthy"):
                return f"{instance} reports that it is unhealthy"
            case _:
                return ""

    def _moved(self, runs: Sequence[Mapping[str, Any]]) -> Iterator[Event]:
        for run in sorted(runs, key=lambda one: str(one["name"])):
            if self._states.get(run["name"]) != run["state"]:
                self._states[run["name"]] = run["state"]
                yield Event(run["name"], sentence(run))

    def _sent(self, mails: Sequence[EmailMessage], cards: Sequence[Post]) -> Iterator[Event]:
        for mail in mails[self._mails :]:
            yield Event(str(mail["to"]), f"mail: {str(mail['subject']).strip()}")
        for card in cards[self._cards :]:
            yield Event("Teams", f"card: {_headline(card.body)}")
        self._mails, self._cards = len(mails), len(cards)


def state(run: Mapping[str, Any]) -> str:
    """A run's state as symbol and words."""
    return STATES.get(str(run["state"]), str(run["state"]))


def sentence(run: Mapping[str, Any]) -> str:
    """State and reason, the state's words once."""
    said, reason = state(run), str(run["reason"])
    symbol, _, words = said.partition(" ")
    return f"{symbol} {reason}" if reason.lower().startswith(words.lower()) else f"{said}: {reason}"


def _headline(body: Any) -> str:
    """A posted card in one line, as a client that cannot show cards has it."""
    return str(body["attachments"][0]["content"].get("fallbackText", "a card"))


def _name(arm_id: str) -> str:
    return arm_id.rsplit("/", 1)[-1]
