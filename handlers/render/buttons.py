"""What a reader can do with one tap: answer a run, open its page, Azure's portal or Service Health."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from handlers.render import facts
from handlers.render.addresses import Addresses
from planner.people.commands import refusal
from planner.record.command import Command, CommandKind
from planner.record.run import Run

SAYABLE = (CommandKind.APPROVE, CommandKind.RESUME, CommandKind.LET_PASS, CommandKind.HOLD, CommandKind.SKIP)
"""What can be said without saying more, in the order of the buttons."""


@dataclass(frozen=True, slots=True)
class Button:
    """A label and where it leads; `first` is what most readers come for."""

    label: str
    link: str
    first: bool = False


def commands(run: Run) -> tuple[str, ...]:
    """What a person may say to the run now: what it asks first; what stands among its choices is there."""
    chosen = {choice.word for choice in facts.choices(run) if not choice.to}
    asked = facts.answers(run) if facts.asks(run) else ()
    possible = (kind for kind in SAYABLE if kind not in chosen and not _refused(run, kind))
    return tuple(dict.fromkeys((*asked, *possible)))


def _refused(run: Run, kind: CommandKind) -> str:
    nobody = Command("", kind, "", "", datetime.min.replace(tzinfo=UTC), run.people.checksum)
    return refusal(run, nobody)


def of_run(run: Run, tracking_id: str, addresses: Addresses, *, own: bool) -> tuple[Button, ...]:
    """The run's buttons; `own`: on its own page, which needs no button to open it."""
    said = (
        Button(facts.label(run, action), addresses.act(tracking_id, run, action), _first(run, action, number))
        for number, action in enumerate(commands(run))
    )
    opens = () if own else (Button("Open", addresses.run(tracking_id, run.target)),)
    return shown((*said, *opens, Button("Portal", addresses.portal(run.target.id))))


def _first(run: Run, action: str, number: int) -> bool:
    """Whether it is what most come for: the first answer to what is asked, but not one nobody takes back."""
    return facts.asks(run) and number == 0 and action != CommandKind.SKIP


def of_health(tracking_id: str, subscriptions: Iterable[str], addresses: Addresses) -> tuple[Button, ...]:
    """Azure's own page of the event, one for each subscription."""
    every = tuple(subscriptions)
    return tuple(
        Button(
            "Service Health" if len(every) == 1 else f"Service Health, subscription {each[:8]}",
            addresses.service_health(tracking_id, each),
        )
        for each in every
    )


def shown(buttons: Iterable[Button]) -> tuple[Button, ...]:
    """Those that lead somewhere."""
    return tuple(button for button in buttons if button.link)
