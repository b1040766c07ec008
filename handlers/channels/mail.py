"""A message as mail: headers that thread, a plain part that is complete, the HTML beside it."""

import re
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr

from handlers.channels.trouble import ChannelTrouble, Message

_FLAT = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")
_ADDRESS = re.compile(r"[^@\s<>,;:\"()\[\]\\]+@[A-Za-z0-9.-]+")
_PRIORITY = {"page": "1 (Highest)", "act": "2 (High)"}

CALENDAR_NAME, CALENDAR_TYPE = "maintenance.ics", "text/calendar"


def build(message: Message, sender: str, recipients: tuple[str, ...]) -> EmailMessage:
    """The mail; raises ChannelTrouble when an address is not valid."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender.strip()
    mail["To"] = ", ".join(address(recipient) for recipient in recipients)
    mail["Subject"] = _FLAT.sub(" ", message.subject)
    mail["Date"] = datetime.now(UTC)  # RFC 5322 wants the time of this try, not of what it tells
    for name, value in headers(message, sender).items():
        mail[name] = value
    mail.set_content(message.text)
    mail.add_alternative(message.html, subtype="html")
    if message.calendar:
        mail.add_attachment(
            message.calendar,
            *CALENDAR_TYPE.split("/"),
            filename=CALENDAR_NAME,
            params={"method": "PUBLISH", "charset": "utf-8"},  # RFC 6047, 2.4
        )
    return mail


def headers(message: Message, sender: str) -> dict[str, str]:
    """What makes the mails of a wave one thread and marks an urgent one, the same whoever carries it."""
    domain = address(sender).rpartition("@")[2]
    thread, urgent = f"<{message.thread}@{domain}>", _PRIORITY.get(message.urgency)
    return {
        "Message-ID": f"<{message.message_id}@{domain}>",
        "In-Reply-To": thread,
        "References": thread,
        "Auto-Submitted": "auto-generated",  # RFC 3834: no answers from absence notes
        **({"X-Priority": urgent} if urgent else {}),
    }


def address(given: str) -> str:
    """The bare address; raises ChannelTrouble for anything that could smuggle in a second one."""
    bare = parseaddr(given)[1]
    if _FLAT.search(given.strip()) or not _ADDRESS.fullmatch(bare):
        raise ChannelTrouble(
            f"{given[:80]!r} is not a mail address; fix it in the policy file, or BREAKWATER_MAIL_FROM.",
            broken=True,
        )
    return bare
