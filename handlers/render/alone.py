"""Messages about no scale set: a test alert arrived, something is in quarantine, a wave no alert brought."""

from handlers.render.addresses import Addresses
from handlers.render.letter import Letter
from handlers.render.vocabulary import WORDS
from handlers.render.words import one_line
from planner.record.notice import Urgency

_SAID = {
    "wired": (
        Urgency.KNOW,
        "a test alert arrived",
        (
            "You are wired up: a test alert came from the action group through the queues to you. "
            "A real announcement takes the same way. Nothing was planned and nothing will be started."
        ),
    ),
    "quarantined": (
        Urgency.ACT,
        "something could not be processed",
        (
            "Something Breakwater was sent could not be processed. It is in quarantine and can be replayed; "
            "until somebody does, nothing is started because of it."
        ),
    ),
    "unread": (
        Urgency.ACT,
        "Azure cannot be read",
        (
            "A wave was announced and Azure does not let Breakwater read what it hits. Breakwater goes on "
            "trying by itself; until it succeeds nothing is planned and nothing new is started there. If it "
            "lasts until the self-service window closes, Azure maintains the scale sets in its own window."
        ),
    ),
    "channel": (
        Urgency.ACT,
        "a channel does not get through",
        (
            "One way to tell people does not work. Breakwater goes on trying; once it is fixed, what it has "
            "missed is told there, and nothing else is needed. Until then this is how you hear of it."
        ),
    ),
    "empty_wave": (
        Urgency.KNOW,
        "a wave that hits no scale set",
        (
            "If you expected some to be hit, check that Breakwater's identity has its role on the "
            "subscription and all its resource groups, and that the alert names the right subscription. "
            "Breakwater lists again while the wave is open and plans what it finds."
        ),
    ),
    "unknown_wave": (
        Urgency.ACT,
        "Azure knows a wave that no alert brought",
        (
            "A search found planned maintenance that no alert announced. Check that an alert rule of this "
            "subscription covers Service Health, planned maintenance, Virtual Machines and Virtual Machine "
            "Scale Sets, and calls Breakwater."
        ),
    ),
}


def alone(kind: str, tracking_id: str, text: str, addresses: Addresses) -> Letter:
    """The message of one of these kinds; `text` is what the stage that sent it adds. KeyError for others."""
    urgency, title, sentence = _SAID[kind]
    symbol, word = WORDS[kind]
    return Letter(
        tracking_id=tracking_id,
        kind=kind,
        urgency=urgency,
        word=word,
        symbol=symbol,
        title=title,
        sentence=sentence,
        remarks=(one_line(text, 1500),) if text else (),
        report=addresses.wave(tracking_id)
        if kind in {"empty_wave", "unknown_wave", "unread", "channel"} and tracking_id
        else "",
    )
