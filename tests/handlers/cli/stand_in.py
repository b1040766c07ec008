"""A stand-in for a deployed app: answers as it is told, asks for its key, keeps what it was asked."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "k3y-Of-the-stand-in-0123456789"


@dataclass
class StandIn:
    """`answers`: `METHOD path-below-/api` to status and JSON (None: no body). `asked`: method, path, headers, body. `date`: what its clock shows."""

    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    asked: list[tuple[str, str, Mapping[str, str], Any]] = field(default_factory=list)
    url: str = ""
    key: str = KEY
    headers: dict[str, str] = field(default_factory=dict)
    date: str = ""


@contextmanager
def stand_in(answers: Mapping[str, tuple[int, Any]]) -> Iterator[StandIn]:
    """It runs in a thread of its own: the command runs a loop of its own."""
    app = StandIn(dict(answers))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            path = self.path.removeprefix("/api/")
            app.asked.append((self.command, path, dict(self.headers), json.loads(body) if body else None))
            keyed = not app.key or path == "health" or self.headers.get("x-functions-key") == app.key
            status, said = app.answers.get(f"{self.command} {path}", (404, None)) if keyed else (401, None)
            content = b"" if said is None else json.dumps(said).encode()
            self.send_response(status)
            for name, value in app.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = answer  # noqa: N815 - as http.server calls them

        def date_time_string(self, timestamp: float | None = None) -> str:
            return app.date or super().date_time_string(timestamp)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    app.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield app
    finally:
        server.shutdown()
        server.server_close()
