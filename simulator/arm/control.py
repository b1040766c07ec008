"""A small control face for people and scripts, under `/_simulator/`; no token asked, loopback only.

GET  /_simulator/ledger?after=N            facts after the first N
GET  /_simulator/calls                     calls by kind
POST /_simulator/alert {"stage": ..., "schema": ..., "tracking_id": ..., and variations of `Fleet.alert`}
                                           the body an action group would post now, to be posted by the caller
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from aiohttp import web

from simulator.fleet import Fleet
from simulator.fleet.alerts import WORDS


def plain(value: object) -> str:
    """Datetimes as RFC 3339; raises TypeError for anything else JSON has no word for."""
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{value!r} has no place in JSON")


def routes(fleet: Fleet, calls: Mapping[str, int]) -> list[web.RouteDef]:
    def answer(body: Any, status: int = 200) -> web.Response:
        text = json.dumps(body, default=plain, indent=1)
        return web.Response(status=status, text=text, content_type="application/json")

    async def ledger(request: web.Request) -> web.Response:
        after = int(request.query.get("after", "0"))
        return answer([{"fact": type(f).__name__, **asdict(f)} for f in fleet.ledger.since(after)])

    async def counted(_: web.Request) -> web.Response:
        return answer(dict(calls))

    async def alert(request: web.Request) -> web.Response:
        try:
            asked: dict[str, Any] = await request.json() if request.can_read_body else {}
            stage = asked.pop("stage", "Planned")
            tracking_id = asked.pop("tracking_id", None) or next(iter(fleet.world.waves))
            return answer(fleet.alert(tracking_id, stage, asked.pop("schema", "common"), **asked))
        except (ValueError, TypeError, KeyError, StopIteration) as error:
            stages = ", ".join(WORDS)
            return answer({"error": f"no such alert: {error!r}; stages are {stages}"}, 400)

    return [
        web.get("/_simulator/ledger", ledger),
        web.get("/_simulator/calls", counted),
        web.post("/_simulator/alert", alert),
    ]
