"""Every kind of message, by name: those about a wave from recorded waves, the others by the code that sends them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

from handlers.render.compose import standalone
from handlers.render.forms import Rendered, render
from tests.golden.recorded import moments
from tests.golden.replayed import ADDRESSES, told
from tests.golden.waves import TRACKING_ID, WAVES

IN_WAVES = {name: wave for wave, recording in WAVES.items() for name in recording.moments}
"""In which wave each moment was recorded."""


@dataclass(frozen=True)
class Alone:
    """What is told that is about no wave that could be recorded."""

    kind: str
    text: str
    tracking_id: str = TRACKING_ID


ALONE = {
    "test": Alone("test", "ana@example.org typed it.", ""),
    "wired": Alone("wired", "Alert rule `breakwater`, action group `ops`.", "TEST-TTT"),
    "quarantined": Alone(
        "quarantined", "A message of the queue `runs` failed 5 times. The last time: no run.", ""
    ),
    "channel": Alone("channel", "The Teams channel of ops: answered 404: its address is no longer valid."),
    "empty-wave": Alone("empty_wave", "Wave VM8T-1Q8 names uksouth in which Breakwater sees no scale set."),
    "unknown-wave": Alone("unknown_wave", "Resource Graph shows planned maintenance in uksouth."),
}


@cache
def message(name: str) -> Rendered:
    """The message of this name as it is sent today."""
    if (alone := ALONE.get(name)) is not None:
        return render(standalone(alone.kind, alone.tracking_id, alone.text, ADDRESSES), "0" * 32, "wave")
    return asyncio.run(told(moments(IN_WAVES[name])[name]))


SCENES: dict[str, Callable[[], Rendered]] = {name: partial(message, name) for name in (*IN_WAVES, *ALONE)}
ASKING = (
    "announced-with-a-question", "announced-huge", "approval", "paused", "paused-again", "paused-holds-others-up",
    "paused-on-hold", "paused-does-not-fit", "paused-hostile", "paused-on-hold-hostile", "stalled", "reminder",
    "out-of-time", "trouble", "everything-went-wrong",
)  # fmt: skip
"""Those in which somebody is asked for something that can still be answered, or is told that it cannot."""
