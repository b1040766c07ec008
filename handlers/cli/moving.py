"""The moving picture of a wave: where every scale set stands, and below it what happened last."""

from collections import deque
from collections.abc import Sequence
from datetime import datetime
from types import TracebackType
from typing import Self

from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from handlers.cli import clock
from handlers.cli.app_waves import Run, Wave, short_name
from handlers.cli.changes import Change
from handlers.cli.output import Format, Out, clean
from handlers.cli.run_view import clock_of, done, instant, state_of, why
from handlers.cli.wave_view import STYLES, sentence
from handlers.render.contract import ordered
from handlers.render.moments import Clock
from handlers.render.vocabulary import BATCHES
from planner.record.states import BatchState, RunState
from planner.text.phrases import many

LATEST = 60
"""Changes kept; as many are shown as there is room for."""

FRAME = 9
"""Lines beside the scale sets and the changes."""

FEWEST = 4
"""Changes that are shown however many scale sets there are."""


class Picture:
    """A context manager. On a terminal it moves; elsewhere it prints a line for each change."""

    def __init__(self, out: Out, more: str) -> None:
        self._out, self._more = out, more
        self._latest: deque[Change] = deque(maxlen=LATEST)
        moves = out.format is Format.TABLE and out.console.is_terminal
        self._live = Live(console=out.console, refresh_per_second=4, transient=False) if moves else None

    @property
    def moves(self) -> bool:
        return self._live is not None

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def show(self, document: Wave, changes: Sequence[Change], trouble: str) -> None:
        """The wave as it is now, and what is new; `trouble`: why it could not be read anew."""
        # How things stand at first is in the table already.
        self._latest.extend(change for change in changes if change.at)
        if self._live is None:
            for change in changes:
                self._line(change)
            return
        runs = sorted(
            document["runs"],
            key=lambda run: ordered(RunState(run["state"]), run["name"], run["scale_set"]),
        )
        console = self._out.console
        room = max(FEWEST, console.height - FRAME - FEWEST)
        shown = runs[:room]
        below = max(FEWEST, console.height - FRAME - len(shown))
        there = clock_of(runs, clock.now())
        stands = there.said(sentence(document, there.now))
        parts: list[RenderableType] = [
            Text(clean(f"{document['tracking_id']}: {stands}"), style="bold"),
            _table(shown, runs, there),
        ]
        if len(shown) < len(runs):
            parts.append(Text(many(len(runs) - len(shown), "more scale set"), style="dim"))
        if trouble:
            parts.append(Text(clean(f"Not read anew: {trouble}"), style="bold red"))
        lines = [
            _said(change, instant(change.at or None), "%H:%M:%SZ") for change in list(self._latest)[-below:]
        ]
        latest = "\n".join(map(clean, lines))
        parts.append(Text(latest, no_wrap=True, overflow="ellipsis", style="dim"))
        if any(run.get("asks") for run in runs):
            parts.append(
                Text(f"What to type: breakwater show {document['tracking_id']}{self._more}", style="yellow")
            )
        self._live.update(Group(*parts), refresh=True)

    def _line(self, change: Change) -> None:
        if self._out.format is Format.PLAIN:
            self._out.table((), [(change.at, change.who, change.state, change.sentence)])
        else:
            # A log is read days later: each of its lines has the day and the time.
            self._out.say(_said(change, instant(change.at or None) or clock.now(), "%Y-%m-%d %H:%M:%SZ"))
        # Whoever reads the pipe sees it now, and not when a buffer is full.
        self._out.console.file.flush()


def _said(change: Change, at: datetime | None, form: str) -> str:
    return f"{at:{form}} {change.who}  {change.sentence}" if at else f"{change.who}  {change.sentence}"


def _table(shown: Sequence[Run], runs: Sequence[Run], there: Clock) -> Table:
    made = Table(box=None, pad_edge=False, expand=True)
    for heading in ("Scale set", "State", "Over", "Batches"):
        made.add_column(heading, no_wrap=True)
    made.add_column("Why", no_wrap=True, overflow="ellipsis", ratio=1)
    out = Out()
    for run in shown:
        state = state_of(run, out)
        cells = (short_name(run, runs), done(run), _batches(run), there.said(why(run)))
        name, over, batches, reason = (clean(str(cell)) for cell in cells)
        made.add_row(name, Text(state, style=STYLES[state]), over, batches, Text(reason))
    return made


def _batches(run: Run) -> str:
    """A symbol a batch, in order."""
    if run["verdict"] != "self_service":
        return ""
    symbols = [BATCHES[BatchState(batch["state"])][0] for batch in run["batches"]]
    return "".join(symbols[:20]) + ("…" if len(symbols) > 20 else "")
