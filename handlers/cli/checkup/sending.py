"""A labelled test through each channel of each receiver."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import TYPE_CHECKING

from handlers.channels import Channels, ChannelTrouble
from handlers.cli.checkup.finding import Finding, unread, well, wrong
from handlers.cli.checkup.here import ELSEWHERE
from handlers.render.addresses import Addresses
from handlers.render.compose import standalone
from handlers.render.forms import render
from planner.policy.model import Receiver

if TYPE_CHECKING:
    from handlers.channels import Sender

AREA = "receivers"


async def send_tests(
    receivers: tuple[Receiver, ...], channels: Channels, who: str, now: datetime
) -> AsyncIterator[Finding]:
    """One message a channel, and what came of it. `who` is named in it."""
    letter = standalone("test", "", f"Sent by {who}." if who else "", Addresses())
    for receiver in receivers:
        message = render(letter, f"test-{int(now.timestamp())}-{receiver.name}", "test", now)
        for name, sender in channels.of(receiver).items():
            if str(getattr(receiver, name, "")) == ELSEWHERE:
                yield unread(
                    AREA,
                    f"{name} of {receiver.name}: its address is in the app's settings and not in this shell.",
                    "export NAME=...   # the setting that the policy file names",
                )
                continue
            yield await _sent(f"{name} of {receiver.name}", sender, message)


async def _sent(which: str, sender: "Sender", message: object) -> Finding:
    try:
        remark = await sender.send(message)  # type: ignore[arg-type]
    except ChannelTrouble as trouble:
        return wrong(AREA, f"{which} did not take the test: {trouble.sentence}", "less docs/notices.md")
    return well(AREA, f"{which} has taken the test.{f' {remark}' if remark else ''}")
