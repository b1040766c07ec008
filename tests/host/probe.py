"""The probe app under a host of its own, and requests written byte by byte, as the recorded ones were."""

import asyncio
import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator.host import HostProcess
from tests.host.work import APPS, Work

APP = APPS / "probe"
KEY, MASTER = "the-key", "KEY"


class Probe(Work):
    """The probe app's surroundings."""

    @property
    def env(self) -> dict[str, str]:
        keys = {"BREAKWATER_HOST_KEY": KEY, "BREAKWATER_MASTER_KEY": MASTER}
        return {**super().env, **keys}

    def host(
        self, *, lock_seconds: int = 600, timeout: float | None = None, wire: Path | None = None, **more: str
    ) -> HostProcess:
        level = more.pop("log_level", "WARNING")
        env = {**self.env, **more}
        return HostProcess(
            app=APP, env=env, lock_seconds=lock_seconds, timeout=timeout, wire=wire, log_level=level
        )


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def said(self) -> Any:
        return json.loads(self.body)


async def ask(
    url: str,
    target: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    length: int | None = None,
) -> Answer:
    """One request on a connection of its own: nothing but these headers is sent, the target is not touched.

    A body goes in chunks when the headers say so. `length` is claimed instead of the body's own.
    """
    host, port = url.removeprefix("http://").split(":")
    sent = {
        "Host": "app.example",
        "Connection": "close",
        **{name.title(): said for name, said in (headers or {}).items()},
    }
    if sent.get("Transfer-Encoding") == "chunked":
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    elif length is not None or body:
        sent["Content-Length"] = str(len(body) if length is None else length)
    reader, writer = await asyncio.open_connection(host, int(port))
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items()), "", ""]
    writer.write("\r\n".join(lines).encode() + body)
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    answered = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    rest = await _body(reader, answered) if method != "HEAD" else b""
    writer.close()
    return Answer(int(head[0].split()[1]), answered, rest)


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding") != "chunked":
        return await reader.readexactly(int(headers.get("content-length", "0")))
    parts = []
    while size := int(await reader.readline(), 16):
        parts.append(await reader.readexactly(size))
        await reader.readexactly(2)
    return b"".join(parts)


def not_text() -> str:
    """A message that is base64 of bytes that are no UTF-8."""
    return base64.b64encode(b"\xff\xfe").decode()
