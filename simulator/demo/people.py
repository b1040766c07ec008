"""The people of the demo, who act on what they are sent and on nothing else."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

import aiohttp

_COMMAND = re.compile(r"""curl -X POST "(?P<address>[^"]+/approve)".* -d '(?P<body>\{[^']*\})'""")


@dataclass(frozen=True, slots=True)
class Approval:
    """The command of a mail that asks for approval, with the names filled in."""

    address: str
    body: dict[str, Any]


class Engineer:
    """On call: reads the mail and runs, once, each approval command found in it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._read = 0

    def read(self, mails: Sequence[EmailMessage]) -> list[Approval]:
        """What to post about the mails that came since the last call."""
        found = []
        for mail in mails[self._read :]:
            for command in _COMMAND.finditer(text_of(mail)):
                body = {**json.loads(command["body"]), "actor": self.name, "comment": "go ahead"}
                found.append(Approval(command["address"], body))
        self._read = len(mails)
        return found

    async def approve(self, http: aiohttp.ClientSession, approval: Approval) -> str:
        """Run the command; what came of it, in words."""
        async with http.post(approval.address, json=approval.body) as answer:
            what = approval.address.rsplit("/", 2)[1]
            if answer.status == 202:
                return f"approves {what} with the command in the mail"
            return f"could not approve {what}: {answer.status} {await answer.text()}"


def text_of(mail: EmailMessage) -> str:
    """The mail as a reader without HTML sees it."""
    part = mail.get_body(("plain",))
    return str(part.get_content()) if part else ""


def untold(ends: dict[str, str], mails: Sequence[EmailMessage]) -> list[str]:
    """The scale sets whose end no mail tells; `ends` is the word of each (`Paused`), by name."""
    texts = [text_of(mail) for mail in mails]
    return [name for name, word in ends.items() if not any(f"{name}: {word}" in text for text in texts)]
