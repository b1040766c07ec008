"""Mail by SMTP: `smtp://user:password@host:port`, STARTTLS when offered; `smtps://` speaks TLS at once.

A password is sent to another machine only over TLS.
"""

from urllib.parse import unquote, urlsplit

from handlers.channels import certificate
from handlers.channels.mail import address, build
from handlers.channels.trouble import ChannelTrouble, Message
from handlers.wire.ids import LOOPBACK
from planner.text.phrases import shortened

SECONDS = 30
"""For each step of the conversation."""

SIGN_IN = {
    530: "it requires a sign-in; put the current user and password into BREAKWATER_SMTP",
    534: "it requires a stronger sign-in; put one it accepts, such as an app password, into BREAKWATER_SMTP",
    535: "user or password is no longer valid; put the current ones into BREAKWATER_SMTP",
}
"""What to fix by a code about the sign-in, whatever was sent (RFC 4954, section 6)."""


class Smtp:
    """Mail to the addresses of one receiver."""

    def __init__(self, server: str, sender: str, recipients: tuple[str, ...]) -> None:
        self._server = server
        self._sender = sender
        self._recipients = recipients

    async def send(self, message: Message) -> str:
        import aiosmtplib  # noqa: PLC0415 - only the stage that sends pays for it

        mail = build(message, self._sender, self._recipients)
        host, port, user, password, tls = parse_server(self._server)
        try:
            refused, _ = await aiosmtplib.send(
                mail,
                sender=address(self._sender),
                recipients=[address(recipient) for recipient in self._recipients],
                hostname=host,
                port=port,
                username=user or None,
                password=password or None,
                use_tls=tls,
                # None is STARTTLS when it is offered; a password needs it.
                start_tls=True if user and not tls and host not in LOOPBACK else None,
                timeout=SECONDS,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            codes = [refusal.code for refusal in error.recipients]
            raise ChannelTrouble(
                f"The mail server refused every recipient ({', '.join(map(str, codes))}). Check the "
                "addresses in the policy file, and whether the server takes mail from this app.",
                broken=not any(400 <= code < 500 for code in codes),
            ) from error
        except aiosmtplib.SMTPResponseException as error:
            raise _answered(
                error.code, error.message, of_the_message=isinstance(error, aiosmtplib.SMTPDataError)
            ) from error
        except aiosmtplib.SMTPNotSupported as error:
            raise ChannelTrouble(
                "The mail server offers no sign-in that we support; put another server into BREAKWATER_SMTP.",
                broken=True,
            ) from error
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            if "STARTTLS extension not supported" in str(error):
                raise ChannelTrouble(
                    "The mail server offers no STARTTLS, and BREAKWATER_SMTP has a password that would cross "
                    "the network in the clear. Use a port with STARTTLS (587), or smtps instead of smtp.",
                    broken=True,
                ) from error
            misfit = certificate.refused(error)
            if misfit is not None:
                sentence = await certificate.explained(misfit, host, port, tls=tls)
                raise ChannelTrouble(sentence, broken=True) from error
            raise ChannelTrouble(f"The mail server could not be reached ({type(error).__name__}).") from error
        # Some recipients have it: sending again would repeat it to them.
        return f"Refused for {', '.join(sorted(refused))}." if refused else ""


def parse_server(server: str) -> tuple[str, int, str, str, bool]:
    """Host, port, user, password, and whether TLS comes first. Raises ChannelTrouble for an invalid URL."""
    try:
        parts = urlsplit(server)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise ChannelTrouble(
            "BREAKWATER_SMTP is not the URL of a mail server; docs/notices.md shows how to write it.",
            broken=True,
        )
    tls = parts.scheme == "smtps"
    return (
        parts.hostname,
        port or (465 if tls else 25),
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        tls,
    )


def _answered(code: int, text: str, *, of_the_message: bool) -> ChannelTrouble:
    """The trouble a code means: 4xx passes, 5xx after the data refuses the message, any other the channel."""
    said = f"The mail server answered {code} {shortened(next(iter(text.splitlines()), ''), 200)}".rstrip(". ")
    if code in SIGN_IN:
        return ChannelTrouble(f"{said}: {SIGN_IN[code]}.", broken=True)
    if 400 <= code < 500 or code < 0:
        return ChannelTrouble(f"{said}.")
    if of_the_message:
        return ChannelTrouble(f"{said}.", recoverable=False)
    fix = "check BREAKWATER_SMTP and BREAKWATER_MAIL_FROM, and what the server lets this app do"
    return ChannelTrouble(f"{said}: {fix}.", broken=True)
