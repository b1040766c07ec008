"""Why a mail server's certificate does not fit, and what to set.

RFC 6125: the name that was asked for has to be on the certificate. A relay behind an alias often shows its
own name. Python's error says which name failed, not which name would do; so the certificate is read.
"""

import ssl
from collections.abc import Iterator, Mapping
from typing import Any

from planner.text.phrases import some

SECONDS = 10
"""For the second connection, which only reads the certificate."""

_WRONG_NAME = frozenset({62, 64})
"""OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH."""

_EXPIRED = 10
"""OpenSSL's X509_V_ERR_CERT_HAS_EXPIRED."""

MISFIT = "The mail server's certificate does not fit:"

NAMED = 5
"""Names of a certificate that the message lists; some have hundreds."""


def refused(error: BaseException) -> ssl.SSLCertVerificationError | None:
    """The refused certificate that caused an error; None where something else did."""
    return next((cause for cause in _causes(error) if isinstance(cause, ssl.SSLCertVerificationError)), None)


async def explained(error: ssl.SSLCertVerificationError, host: str, port: int, *, tls: bool) -> str:
    """What is wrong with the certificate and what to set; asks the server once more for its names.

    `tls`: the server speaks TLS from the first byte, otherwise by STARTTLS.
    """
    if error.verify_code in _WRONG_NAME:
        names = await _names(host, port, tls=tls)
        if names:
            return (
                f"{MISFIT} it is for {some(names, most=NAMED)}, not for {host}. "
                "Use a name on the certificate in BREAKWATER_SMTP."
            )
        return f"{MISFIT} it is not for {host}. Use the name on the certificate in BREAKWATER_SMTP."
    if error.verify_code == _EXPIRED:
        return f"{MISFIT} it has expired. {host} needs a new one."
    why = (error.verify_message or "it is not trusted").rstrip(".")
    return (
        f"{MISFIT} {why}. Name a file with the certificates to trust, its authority's among them, in "
        "SSL_CERT_FILE."
    )


async def _names(host: str, port: int, *, tls: bool) -> list[str]:
    """The names on the server's trusted certificate; none if it cannot be read."""
    import aiosmtplib  # noqa: PLC0415 - only the stage that sends pays for it

    context = ssl.create_default_context()
    context.check_hostname = False  # it is read, and nothing is sent
    client = aiosmtplib.SMTP(
        hostname=host, port=port, use_tls=tls, start_tls=not tls, tls_context=context, timeout=SECONDS
    )
    try:
        async with client:
            found: Mapping[str, Any] = client.get_transport_info("peercert") or {}
    except (aiosmtplib.SMTPException, OSError, ValueError):
        return []
    return [str(name) for kind, name in found.get("subjectAltName", ()) if kind in {"DNS", "IP Address"}]


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
