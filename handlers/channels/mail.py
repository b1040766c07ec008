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


def build(message: Message, sender: str, recipients: tuple[str, ...]) -> EmailMessage:
    """The mail; raises ChannelTrouble when an address is not valid."""
    domain = address(sender).rpartition("@")[2]
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender.strip()
    mail["To"] = ", ".join(address(recipient) for recipient in recipients)
    mail["Subject"] = _FLAT.sub(" ", message.subject)
    mail["Date"] = datetime.now(UTC)  # RFC 5322 wants the time of this try, not of what it tells
    mail["Message-ID"] = f"<{message.message_id}@{domain}>"
    mail["In-Reply-To"] = mail["References"] = f"<{message.thread}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answers from absence notes
    for name, value in priority(message).items():
        mail[name] = value
    mail.set_content(message.text)
    mail.add_alternative(message.html, subtype="html")
    return mail


def priority(message: Message) -> dict[str, str]:
    """The header that marks an urgent mail, the same whoever carries it."""
    urgent = _PRIORITY.get(message.urgency)
    return {"X-Priority": urgent} if urgent else {}


def address(given: str) -> str:
    """The bare address; raises ChannelTrouble for anything that could smuggle in a second one."""
    bare = parseaddr(given)[1]
    if _FLAT.search(given.strip()) or not _ADDRESS.fullmatch(bare):
        raise ChannelTrouble(
            f"{given[:80]!r} is not a mail address; fix it in the policy file, or BREAKWATER_MAIL_FROM.",
            broken=True,
        )
    return bare
