"""The people of the demo, who act on what they are sent and on nothing else."""

import re
from collections.abc import Sequence
from email.message import EmailMessage

import aiohttp

_LINK = re.compile(r"^Approve:\s+(?P<address>https?://\S+/api/links/\S+)", re.MULTILINE)
_REPORT = re.compile(r"^Open the wave:\s+(?P<address>https?://\S+)", re.MULTILINE)
_HEADING = re.compile(r"<h1>(?P<text>.*?)</h1>", re.DOTALL)


class Engineer:
    """On call: reads the mail and follows, once, each link found in it that asks for approval.

    No key is needed for that: the engineer has the mail and nothing else.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._read = 0

    def read(self, mails: Sequence[EmailMessage]) -> list[str]:
        """The links of the mails that came since the last call."""
        found = [link["address"] for mail in mails[self._read :] for link in _LINK.finditer(text_of(mail))]
        self._read = len(mails)
        return found

    async def approve(self, link: str) -> str:
        """Open the link, look at the page, send its form; what came of it, in words."""
        async with aiohttp.ClientSession() as http:
            async with http.get(link) as opened:
                page = await opened.text()
                if "<form" not in page:
                    return f"opens the link in the mail: {_heading(page)}"
            form = {"actor": self.name, "comment": "go ahead"}
            async with http.post(link, data=form) as answer:
                return f"opens the link in the mail and sends its form: {_heading(await answer.text())}"


async def unopened(mails: Sequence[EmailMessage]) -> list[str]:
    """The reports' links that do not open for a reader who has the mail and no key."""
    links = {link["address"] for mail in mails for link in _REPORT.finditer(text_of(mail))}
    found = [] if links or not mails else ["no link to a report in any mail"]
    async with aiohttp.ClientSession() as http:
        for link in sorted(links):
            async with http.get(link) as answer:
                if answer.status != 200:
                    found.append(f"{link}: {answer.status}")
    return found


def _heading(page: str) -> str:
    found = _HEADING.search(page)
    return found["text"].strip() if found else "no page of ours"


def text_of(mail: EmailMessage) -> str:
    """The mail as a reader without HTML sees it."""
    part = mail.get_body(("plain",))
    return str(part.get_content()) if part else ""


def untold(ends: dict[str, str], mails: Sequence[EmailMessage]) -> list[str]:
    """The scale sets whose end no mail tells; `ends` are the words for that of each, by name."""
    lines = [line for mail in mails for line in text_of(mail).splitlines()]
    return [name for name, words in ends.items() if not any(name in line and words in line for line in lines)]
