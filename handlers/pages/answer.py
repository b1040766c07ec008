"""A page as an answer, with the headers that every one of them has."""

from handlers.wire.http import Response

SECURITY = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
"""No script, nothing loaded from elsewhere, no address given away, no copy kept by a cache."""


def html(status: int, body: str) -> Response:
    """A page of ours."""
    return Response(status, body, "text/html", SECURITY)


def as_file(name: str) -> dict[str, str]:
    """The headers of what is saved under this name."""
    return {**SECURITY, "Content-Disposition": f'attachment; filename="{name}"'}
