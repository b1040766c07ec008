"""The deployed app over HTTP, with the caller's key or sign-in.

A key or a token goes to this app alone: no redirect is followed, and neither is ever printed.
"""

import json
import os
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote, urlsplit

from handlers.cli.exits import Failed
from handlers.wire.ids import is_url, safe_for_secrets

if TYPE_CHECKING:
    import aiohttp

SECONDS = 60
"""For one answer: a cold app loads its code first."""

KEY_HEADER = "x-functions-key"

HOW_TO_GET_A_KEY = "To see its keys: az functionapp keys list --resource-group GROUP --name APP."


@dataclass(frozen=True, slots=True)
class Where:
    """Where the app is, and how the caller shows who is asking.

    `typed` is what a further command needs to reach the same app in the same way. `key` and the token for
    `audience` are secrets.
    """

    url: str
    key: str = field(default="", repr=False)
    audience: str = ""
    typed: str = ""

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc


@dataclass(frozen=True, slots=True)
class Answer:
    """What the app answered; `body` is its JSON, None where it sent none. `date` is the Date header."""

    status: int
    body: Any
    date: str = ""

    @property
    def sentence(self) -> str:
        """Why it refused, in its own words; empty where it gave none."""
        said = self.body if isinstance(self.body, dict) else {}
        return str(said.get("reason") or said.get("error") or "")


class App:
    """One deployed app. Every method raises Failed with what happened and what to do."""

    def __init__(self, where: Where, session: "aiohttp.ClientSession", token: str) -> None:
        self.where = where
        self._session = session
        self._headers = {
            **({KEY_HEADER: where.key} if where.key else {}),
            **({"Authorization": f"Bearer {token}"} if token else {}),
        }

    @classmethod
    @asynccontextmanager
    async def opened(cls, where: Where) -> AsyncIterator[Self]:
        """A client of the app, signed in where an audience is given."""
        import aiohttp  # noqa: PLC0415

        token = await _token(where.audience) if where.audience else ""
        timeout = aiohttp.ClientTimeout(total=SECONDS)
        async with aiohttp.ClientSession(timeout=timeout, trust_env=True) as session:
            yield cls(where, session, token)

    async def read(self, path: str) -> Any:
        """The JSON at a path below /api."""
        answer = await self.asked("GET", path)
        if answer.status == 200:
            return answer.body
        raise refused(answer, self.where)

    async def asked(self, method: str, path: str, body: bytes | None = None) -> Answer:
        """One request below /api, whatever it is answered."""
        import aiohttp  # noqa: PLC0415

        address = f"{self.where.url}/api/{path}"
        headers = {**self._headers, **({"Content-Type": "application/json"} if body is not None else {})}
        try:
            async with self._session.request(
                method, address, data=body, headers=headers, allow_redirects=False
            ) as response:
                content = await response.read()
                return Answer(response.status, _json(content), response.headers.get("Date", ""))
        except TimeoutError as error:
            raise Failed(f"{self.where.host} did not answer within {SECONDS} s.{_taken(method)}") from error
        except aiohttp.ClientConnectorError as error:
            raise Failed(
                f"{self.where.host} cannot be reached: {_why(error)}. Check the address and your network."
            ) from error
        except (aiohttp.ClientError, OSError) as error:
            raise Failed(
                f"The connection to {self.where.host} broke ({type(error).__name__}).{_taken(method)}"
            ) from error

    async def post(self, path: str, fields: Mapping[str, Any]) -> Answer:
        """A JSON object posted below /api."""
        return await self.asked("POST", path, json.dumps(dict(fields)).encode())


def refused(answer: Answer, where: Where) -> Failed:
    """Why an answer is none, and what to do."""
    said, host = answer.sentence, where.host
    if answer.status == 401 and where.key:
        return Failed(f"{host} refused the key. {HOW_TO_GET_A_KEY}")
    if answer.status in {301, 302, 303, 307, 308, 401, 403} and where.audience:
        return Failed(
            f"{host} refused the sign-in ({answer.status}): check --audience, and that you may use the app."
        )
    if answer.status == 401:
        return Failed(
            f"{host} asks for a key: set BREAKWATER_KEY, or --key-file FILE. {HOW_TO_GET_A_KEY} "
            "Where App Service authentication guards it, sign in: az login, then --audience api://CLIENT-ID."
        )
    if answer.status in {301, 302, 303, 307, 308}:
        return Failed(
            f"{host} sends the caller elsewhere ({answer.status}). Where it asks people to sign in: "
            "az login, then --audience api://CLIENT-ID. Otherwise check the address."
        )
    if answer.status == 404 and not said:
        return Failed(
            f"There is no Breakwater at {where.url}: nothing answers below /api. Check the address."
        )
    if answer.status == 503:
        return Failed(f"{said or 'The app is not ready.'} Try again in a minute.")
    return Failed(said or f"{host} answered {answer.status}. The app's log says why.")


def app_at(url: str, key_file: str, audience: str, environment: Mapping[str, str]) -> Where:
    """The app that options and environment name. Raises Failed.

    A key comes from a file or from BREAKWATER_KEY: on a command line every user of the machine can read it.
    """
    address = (url or environment.get("BREAKWATER_PUBLIC_URL", "")).strip().rstrip("/").removesuffix("/api")
    if not address:
        raise Failed("Say where the app is: --app https://HOST, or set BREAKWATER_PUBLIC_URL.")
    parts = urlsplit(address)
    if not is_url(address, "https", "http") or parts.path:
        raise Failed("The app's address is not like https://HOST: give it alone, without a path.")
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise Failed("Give the app's address alone: a key belongs in BREAKWATER_KEY or --key-file.")
    if not safe_for_secrets(address):
        raise Failed("The app's address is plain http to another machine, which exposes the key; use https.")
    audience_said = audience or environment.get("BREAKWATER_AUDIENCE", "")
    options = {"--app": url, "--key-file": key_file, "--audience": audience}
    typed = "".join(f" {name} {quoted(value)}" for name, value in options.items() if value)
    return Where(address, _key(key_file, environment), audience_said, typed)


def quoted(text: str) -> str:
    """A word as a shell takes it."""
    import shlex  # noqa: PLC0415

    return shlex.quote(text)


def path_of(*parts: str) -> str:
    """A path below /api."""
    return "/".join(quote(part, safe="", errors="replace") for part in parts)


def _key(file: str, environment: Mapping[str, str]) -> str:
    from pathlib import Path  # noqa: PLC0415

    from handlers.cli.policy_source import text_of  # noqa: PLC0415

    where = file or "BREAKWATER_KEY"
    key = (text_of(Path(file)) if file else environment.get("BREAKWATER_KEY", "")).strip()
    if file and not key:
        raise Failed(f"{file} is empty: it should hold the app's key.")
    if not all("!" <= char <= "~" for char in key):
        raise Failed(f"What {where} holds is not a key: a key is one word of ASCII.")
    return key


async def _token(audience: str) -> str:
    """A token of the caller's own sign-in for this audience."""
    from azure.core.exceptions import ClientAuthenticationError  # noqa: PLC0415
    from azure.identity.aio import DefaultAzureCredential  # noqa: PLC0415

    scope = audience if audience.endswith("/.default") else f"{audience.rstrip('/')}/.default"
    async with DefaultAzureCredential() as credential:
        try:
            return (await credential.get_token(scope)).token
        except ClientAuthenticationError as error:
            raise Failed(
                f"Nobody is signed in who could get a token for {audience}. Type: az login"
            ) from error


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None


def _taken(method: str) -> str:
    """Nobody should have to guess whether a command counts."""
    if method != "POST":
        return " Try again."
    return " It may have been taken all the same. Type it again: what was taken is refused as being so."


def _why(error: "aiohttp.ClientConnectorError") -> str:
    if isinstance(error.os_error, ssl.SSLError):
        return "its certificate is not trusted (SSL_CERT_FILE names further authorities)"
    number = error.os_error.errno
    # asyncio puts the address into the text, which stands there already.
    return os.strerror(number).lower() if number and number > 0 else "its name is not known"
