"""Everything a wave needs on one machine: simulated Azure, storage, inboxes, the app under its host.

For the demo, the journeys of the tests and the benchmarks; each brings its own fleet and policy.
"""

import asyncio
import contextlib
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from simulator import azurite
from simulator.arm import ArmServer, serve
from simulator.arm.faults import Faults
from simulator.fleet import Fleet
from simulator.host import HostProcess
from simulator.inboxes import MailInbox, TeamsInbox
from simulator.lies import Liar


class Rig:
    """Started as an async context manager. `hosts` are the app's processes; the first takes the alerts.

    policy: the text of policy.yaml; `{teams}` in it becomes the Teams inbox's address. storage: a connection
    string, or an Azurite of its own. settings: further settings of the app. folder: where the inboxes save
    what arrives. liar: what the simulated Azure answers wrongly.
    """

    def __init__(
        self,
        fleet: Fleet,
        *,
        policy: str = "",
        storage: str = "",
        settings: Mapping[str, str] | None = None,
        faults: Faults | None = None,
        folder: Path | None = None,
        hosts: int = 1,
        port: int = 0,
        lock_seconds: int = 600,
        page_size: int = 120,
        liar: Liar | None = None,
    ) -> None:
        self.fleet = fleet
        self.faults = faults or Faults()
        self.teams = TeamsInbox(folder=folder / "teams" if folder else None)
        self.mail = MailInbox(folder=folder / "mail" if folder else None)
        self.hosts: list[HostProcess] = []
        self.storage = storage
        self._policy, self._settings = policy, dict(settings or {})
        self._how_many, self._port, self._lock_seconds = hosts, port, lock_seconds
        self._page_size, self._liar = page_size, liar
        self._stack = contextlib.AsyncExitStack()
        self._arm: ArmServer | None = None
        self._http: aiohttp.ClientSession | None = None

    @property
    def arm(self) -> ArmServer:
        assert self._arm is not None
        return self._arm

    @property
    def host(self) -> HostProcess:
        return self.hosts[0]

    @property
    def http(self) -> aiohttp.ClientSession:
        assert self._http is not None
        return self._http

    def environment(self) -> dict[str, str]:
        """The settings of the app; what the test or demo set itself wins."""
        return {
            "AzureWebJobsStorage": self.storage,
            "BREAKWATER_ARM_ENDPOINT": self.arm.url,
            "IDENTITY_ENDPOINT": self.arm.identity_url,
            "IDENTITY_HEADER": self.arm.identity_header,
            "BREAKWATER_SMTP": self.mail.url,
            "BREAKWATER_MAIL_FROM": "breakwater@example.org",
            **self._settings,
        }

    async def __aenter__(self) -> Self:
        try:
            await self._open()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def _open(self) -> None:
        enter = self._stack.enter_async_context
        if not self.storage:
            emulator = await asyncio.to_thread(azurite.start)
            self._stack.callback(emulator.stop)
            self.storage = emulator.connection_string
        await enter(self.teams)
        await enter(self.mail)
        self._arm = await serve(self.fleet, faults=self.faults, page_size=self._page_size, liar=self._liar)
        self._stack.push_async_callback(self._arm.close)
        self._http = await enter(aiohttp.ClientSession())
        if self._policy:
            folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
            path = folder / "policy.yaml"
            path.write_text(self._policy.replace("{teams}", self.teams.url), encoding="utf-8")
            self._settings.setdefault("BREAKWATER_POLICY", str(path))
        for number in range(self._how_many):
            host = HostProcess(
                env=self.environment(),
                port=self._port if number == 0 else 0,
                lock_seconds=self._lock_seconds,
            )
            self.hosts.append(await enter(host))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def post_alert(self, body: Mapping[str, Any] | bytes) -> tuple[int, dict[str, Any]]:
        """Post an alert as an action group does; status and answer."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self.http.post(f"{self.host.url}/api/alerts", data=data) as answer:
            return answer.status, await answer.json(content_type=None)

    async def get(self, path: str) -> tuple[int, str]:
        """GET below /api; status and text."""
        async with self.http.get(f"{self.host.url}/api/{path}") as answer:
            return answer.status, await answer.text()

    async def report(self, tracking_id: str) -> dict[str, Any]:
        """The wave's report as JSON, all parts of it in one; no runs while there is nothing to report."""
        status, text = await self.get(f"waves/{tracking_id}.json")
        if status != 200:
            return {"tracking_id": tracking_id, "runs": []}
        report: dict[str, Any] = json.loads(text)
        while report["next"] is not None:
            part = json.loads((await self.get(report["next"].partition("/api/")[2]))[1])
            report |= {"runs": [*report["runs"], *part["runs"]], "next": part["next"]}
        return report
