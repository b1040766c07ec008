"""What the demo shows: a table that moves on a terminal, a line per change elsewhere."""

from typing import Any, Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

SYMBOLS = {
    "scheduled": "· waiting", "awaiting_approval": "? needs approval", "running": "~ running",
    "paused": "! paused", "completed": "✓ completed", "left_to_azure": "- left to Azure",
    "not_impacted": "- not impacted", "cancelled": "- cancelled", "missed": "✗ missed",
}  # fmt: skip


def table(runs: list[dict[str, Any]]) -> Table:
    """One line a scale set."""
    made = Table(title="Wave VM8T-1Q8", expand=True)
    for name in ("scale set", "state", "instances done", "why"):
        made.add_column(name, overflow="fold")
    for run in sorted(runs, key=lambda one: one["name"]):
        instances = [one for batch in run["batches"] for one in batch["instances"]]
        done = sum(one["state"] in {"maintained", "by_azure", "excused"} for one in instances)
        count = f"{done} of {len(instances)}" if instances else "-"
        made.add_row(run["name"], SYMBOLS.get(run["state"], run["state"]), count, run["reason"])
    return made


class View:
    """Used as a context manager; `show` takes the report's runs as they are now."""

    def __init__(self) -> None:
        self.console = Console()
        self._seen: dict[str, tuple[str, str]] = {}
        self._live = Live(console=self.console, refresh_per_second=4) if self.console.is_terminal else None

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def show(self, runs: list[dict[str, Any]]) -> None:
        if self._live:
            self._live.update(table(runs))
            return
        for run in runs:
            now = (run["state"], run["reason"])
            if self._seen.get(run["name"]) != now:
                self._seen[run["name"]] = now
                print(
                    f"{run['name']:16} {SYMBOLS.get(run['state'], run['state']):18} {run['reason']}",
                    flush=True,
                )
