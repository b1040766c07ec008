"""Whole protobuf messages over a stream socket, each after its length; in Azure they travel over gRPC."""

import asyncio
import socket
import struct
import threading
from typing import Any

from simulator.host.protocol import protocol

_LENGTH = struct.Struct(">I")


def framed(message: Any) -> bytes:
    """A message as it travels."""
    body: bytes = message.SerializeToString()
    return _LENGTH.pack(len(body)) + body


async def read(stream: asyncio.StreamReader) -> Any | None:
    """The next StreamingMessage, None when the other side has closed or died."""
    try:
        (length,) = _LENGTH.unpack(await stream.readexactly(_LENGTH.size))
        return _parsed(await stream.readexactly(length))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


class Line:
    """The worker's end, which blocks: one thread reads, any thread writes."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._writing = threading.Lock()

    def read(self) -> Any | None:
        """The next StreamingMessage, None when the other side has closed or died."""
        head = self._exactly(_LENGTH.size)
        body = self._exactly(_LENGTH.unpack(head)[0]) if head is not None else None
        return None if body is None else _parsed(body)

    def write(self, message: Any) -> None:
        """Send a message whole; one that finds nobody at the other end is dropped."""
        frame = framed(message)
        with self._writing:
            try:
                self._socket.sendall(frame)
            except OSError:  # the host is gone; the reading thread ends this process
                return

    def _exactly(self, length: int) -> bytes | None:
        parts: list[bytes] = []
        while length:
            try:
                part = self._socket.recv(min(length, 1 << 20))
            except OSError:
                return None
            if not part:
                return None
            parts.append(part)
            length -= len(part)
        return b"".join(parts)


def _parsed(body: bytes) -> Any:
    return protocol().StreamingMessage.FromString(body)
