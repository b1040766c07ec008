"""Mail by SMTP: `smtp://user:password@host:port`, STARTTLS when offered; `smtps://` speaks TLS at once.

A password goes to another machine only over TLS.
"""

from urllib.parse import unquote, urlsplit

from handlers.channels import certificate
from handlers.channels.mail import address, build
from handlers.channels.trouble import ChannelTrouble, Message
from handlers.wire.ids import LOOPBACK

SECONDS = 30
"""For each step of the conversation."""

MENDED = {
    530: "it wants a sign-in; put user and password, as the server knows them now, into BREAKWATER_SMTP",
    534: "it wants a stronger way to sign in; use one it takes, such as an app password, in BREAKWATER_SMTP",
    535: "user or password do not count any more; put those that do into BREAKWATER_SMTP",
}
"""What to fix by the code of RFC 4954, section 6: about the sign-in, whatever was sent."""


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
                recipients=[address(one) for one in self._recipients],
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
            codes = [one.code for one in error.recipients]
            raise ChannelTrouble(
                f"The mail server refused every recipient ({', '.join(map(str, codes))}). Check the "
                "addresses in the policy file, and whether the server takes mail from this app.",
                recoverable=True,
                broken=not any(400 <= code < 500 for code in codes),
            ) from error
        except aiosmtplib.SMTPResponseException as error:
            raise _answered(
                error.code, error.message, of_the_message=isinstance(error, aiosmtplib.SMTPDataError)
            ) from error
        except aiosmtplib.SMTPNotSupported as error:
            raise ChannelTrouble(
                "The mail server offers no way to sign in that we know; name another in BREAKWATER_SMTP.",
                recoverable=True,
                broken=True,
            ) from error
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            if _no_tls(error):
                raise ChannelTrouble(
                    "The mail server offers no STARTTLS, and BREAKWATER_SMTP has a password that would cross "
                    "the network in the clear. Use a port with STARTTLS (587), or smtps instead of smtp.",
                    recoverable=True,
                    broken=True,
                ) from error
            misfit = certificate.refused(error)
            if misfit is not None:
                sentence = await certificate.explained(misfit, host, port, tls=tls)
                raise ChannelTrouble(sentence, recoverable=True, broken=True) from error
            raise ChannelTrouble(
                f"The mail server could not be reached ({type(error).__name__}).", recoverable=True
            ) from error
        # Some got it: sending again would repeat it to them.
        return f"Refused for {', '.join(sorted(refused))}." if refused else ""


def parse_server(server: str) -> tuple[str, int, str, str, bool]:
    """Host, port, user, password and whether TLS comes first; ChannelTrouble when it is no such address."""
    try:
        parts = urlsplit(server)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise ChannelTrouble(
            "BREAKWATER_SMTP is not an address of a mail server; docs/notices.md shows how to write it.",
            recoverable=True,
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
    """What a code is about: 4xx passes, a 5xx after the data refuses the message, any other the channel."""
    said = f"The mail server answered {code} {_first_line(text)}".rstrip(". ")
    if code in MENDED:
        return ChannelTrouble(f"{said}: {MENDED[code]}.", recoverable=True, broken=True)
    if 400 <= code < 500 or code < 0:
        return ChannelTrouble(f"{said}.", recoverable=True)
    if of_the_message:
        return ChannelTrouble(f"{said}.", recoverable=False)
    fix = "check BREAKWATER_SMTP and BREAKWATER_MAIL_FROM, and what the server lets this app do"
    return ChannelTrouble(f"{said}: {fix}.", recoverable=True, broken=True)


def _no_tls(error: Exception) -> bool:
    return "STARTTLS extension not supported" in str(error)


def _first_line(text: str) -> str:
    return (text.splitlines() or [""])[0][:200]
