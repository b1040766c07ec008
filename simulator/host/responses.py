"""A function's return value as the answer that goes out."""

from typing import Any

from aiohttp import hdrs, web


def response(returned: Any) -> web.Response:
    """The answer to a request: the status as given, the body in chunks, 204 where nothing was returned."""
    if returned is None:
        return web.Response(status=204)
    if returned.WhichOneof("data") == "string":
        return _chunked(web.Response(text=returned.string))
    http = returned.http
    answer = web.Response(status=int(http.status_code), body=http.body.bytes)
    for name, value in http.headers.items():
        answer.headers[name] = value
    for cookie in http.cookies:
        answer.headers.add(hdrs.SET_COOKIE, _cookie(cookie))
    return _chunked(answer)


def _chunked(answer: web.Response) -> web.Response:
    if answer.body:
        answer.enable_chunked_encoding()
    return answer


def _cookie(cookie: Any) -> str:
    """The header's value, in ASP.NET's order and spelling; a domain that was not given comes out empty."""
    said = [f"{cookie.name}={cookie.value}"]
    if cookie.HasField("domain"):
        said.append(f"domain={cookie.domain.value}")
    if cookie.HasField("path"):
        said.append(f"path={cookie.path.value}")
    if cookie.secure.value:
        said.append("secure")
    if cookie.http_only.value:
        said.append("httponly")
    return "; ".join(said)
