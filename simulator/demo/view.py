"""What the demo shows: on a terminal a table that moves, elsewhere a line per event."""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from simulator.demo.story import Event, state

BATCHES = {
    "pending": "·",
    "starting": "»",
    "rebooting": "↻",
    "verifying": "?",
    "soaking": "~",
    "done": "✓",
    "failed": "✗",
}
COLOURS = {"paused": "bold red", "completed": "green", "running": "cyan", "awaiting_approval": "yellow"}
VERDICTS = {
    "self_service": "reboot it ourselves",
    "leave_to_azure": "leave it to Azure",
    "not_impacted": "not impacted",
}
OVER = frozenset({"maintained", "by_azure", "skipped"})
WIDE = 120  # columns; below it some are left out, and reasons stand below what they are about
PLAIN_WIDTH = 140
LATEST = 60  # events kept; as many are shown as there is room for
FRAME = 8  # lines of the moving picture besides the scale sets and the events


def batches(run: Mapping[str, Any]) -> str:
    """A symbol a batch, in order; nothing for what is not ours to start."""
    if run["verdict"] != "self_service":
        return ""
    return "".join(BATCHES.get(str(batch["state"]), "!") for batch in run["batches"])


def legend() -> str:
    """The symbols in words."""
    return "batches: " + "  ".join(f"{symbol} {word}" for word, symbol in BATCHES.items())


def live_table(runs: Sequence[Mapping[str, Any]], kinds: Mapping[str, str], width: int) -> Table:
    """Where every scale set stands, one line each, those nobody planned yet included."""
    made = Table(box=None, pad_edge=False, expand=True)
    wide = width >= WIDE
    for heading in ("scale set", *(["kind"] if wide else []), "state", "batches"):
        made.add_column(heading, no_wrap=True)
    made.add_column("why", no_wrap=True, overflow="ellipsis", ratio=1)
    known = {str(run["name"]): run for run in runs}
    for name, kind in kinds.items():
        run = known.get(name)
        cells = ("…", "", "") if run is None else (_state(run), batches(run), Text(run["reason"]))
        made.add_row(name, *([kind] if wide else []), *cells)
    return made


def summary(runs: Sequence[Mapping[str, Any]], kinds: Mapping[str, str], width: int) -> RenderableType:
    """How it ended and why; what needs a person first, as the report has it."""
    if width < WIDE:
        return _list(runs)
    made = Table(title="How the wave went", expand=True)
    for heading in ("scale set", "kind", "verdict", "state", "done"):
        made.add_column(heading, no_wrap=True)
    made.add_column("why", ratio=1, overflow="fold")
    for run in runs:
        verdict = VERDICTS.get(str(run["verdict"]), str(run["verdict"]))
        told = (kinds.get(run["name"], ""), verdict, _state(run), _done(run), Text(run["reason"]))
        made.add_row(run["name"], *told)
    return made


def _list(runs: Sequence[Mapping[str, Any]]) -> Group:
    """For a terminal too narrow for a column of reasons: each below its scale set, over the whole width."""
    lines: list[RenderableType] = [Text("How the wave went", style="bold")]
    for run in runs:
        lines.append(Text("  ").join([Text(run["name"], style="bold"), _state(run), Text(_done(run))]))
        lines.append(Padding(Text(run["reason"], overflow="fold"), (0, 0, 0, 4)))
    return Group(*lines)


def _done(run: Mapping[str, Any]) -> str:
    if run["verdict"] != "self_service":
        return "-"
    instances = [one for batch in run["batches"] for one in batch["instances"]]
    return f"{sum(one['state'] in OVER for one in instances)} of {len(instances)}"


def _state(run: Mapping[str, Any]) -> Text:
    return Text(state(run), style=COLOURS.get(str(run["state"]), ""))


class View:
    """A context manager; `show` takes the runs as they are now and what happened since."""

    def __init__(self, kinds: Mapping[str, str], console: Console | None = None) -> None:
        """`kinds`: what sort of scale set each is, by name, in the order they are shown in."""
        self.console = console or _console()
        self._kinds = kinds
        self._latest: deque[str] = deque(maxlen=LATEST)
        self._live = (
            Live(console=self.console, refresh_per_second=4, transient=True)
            if self.console.is_terminal
            else None
        )

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def show(self, seconds: float, runs: Sequence[Mapping[str, Any]], events: Sequence[Event]) -> None:
        """`seconds`: since the alert."""
        lines = [f"{seconds:6.1f} s  {event.who:24} {event.text}" for event in events]
        if not self._live:
            for line in lines:
                self.say(line)
            return
        self._latest.extend(lines)
        room = max(3, self.console.height - len(self._kinds) - FRAME)
        latest = Text("\n".join(list(self._latest)[-room:]), no_wrap=True, overflow="ellipsis")
        head = Text(f"{seconds:.0f} s since the alert", style="bold")
        foot = Text(legend(), style="dim")
        self._live.update(
            Group(head, live_table(runs, self._kinds, self.console.width), foot, Text(), latest)
        )

    def say(self, text: str, style: str = "") -> None:
        """A line that stays, as it is: no markup, no wrapping, so that it can be searched and copied."""
        self.console.print(Text(text, style=style), soft_wrap=True)


def _console() -> Console:
    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=PLAIN_WIDTH)
