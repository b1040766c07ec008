"""How the deployed app's waves look in a terminal: first the state, then what is asked, then the table."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from handlers.cli.app_client import quoted
from handlers.cli.app_waves import NEEDS, Run, Wave, short_name
from handlers.cli.output import Format, Out
from handlers.cli.run_view import asked, clock_of, done, instant, state_of, typed, why
from handlers.render.contract import ordered
from handlers.render.heading import wave_sentence
from handlers.render.moments import Clock
from handlers.render.outside_text import one_line
from handlers.render.vocabulary import STATES, STOP, counted
from planner.notices.digest import Overview
from planner.record.states import ENDED, RunState
from planner.text.phrases import many
from planner.words.drills import PLAYED

ROWS = 50
"""Scale sets in a table for people, as on a page; --all has the others."""

WIDE = 120
"""Columns from which on the table has the deadlines, too; the sentence above it has the next one."""

COLOURS = {
    "bad": "bold red",
    "ask": "bold yellow",
    "live": "cyan",
    "good": "green",
    "plan": "",
    "calm": "dim",
}
STYLES = {f"{symbol} {word}": COLOURS[tone] for symbol, word, tone in STATES.values()}


def overview(out: Out, waves: Sequence[Wave], more: str, now: datetime) -> None:
    """Every wave; `more` is what a further command needs to reach the same app."""
    if out.format is Format.TABLE:
        asking = [wave for wave in waves if wave["needs_person"]]
        if not waves:
            out.say("No wave is on record: Azure has announced no planned maintenance.")
            return
        sets = sum(wave["needs_person"] for wave in asking)
        out.say(
            f"{many(sets, 'scale set')} {'needs' if sets == 1 else 'need'} your action."
            if asking
            else "Nothing needs your action.",
            "bold yellow" if asking else "green",
        )
    rows = [
        (
            wave["tracking_id"],
            wave["stage"],
            counted(wave["counts"]) or "none",
            wave["needs_person"],
            _when(wave["deadline"], Clock(UTC, now), out),
        )
        for wave in waves
    ]
    out.table(("Wave", "Stage", "Scale sets", "Need you", "Next deadline"), rows, whole=("Next deadline",))
    if out.format is Format.TABLE and waves:
        first = next((wave for wave in waves if wave["needs_person"]), waves[0])
        out.say("What it asks, and what to type:" if first["needs_person"] else "Its scale sets:", "dim")
        out.typed(f"breakwater show {first['tracking_id']}{more}")


def wave(out: Out, document: Wave, more: str, now: datetime, *, whole: bool = False, only: str = "") -> None:
    """One wave: the state in a sentence, what needs an answer with the commands to type, the table."""
    runs = sorted(document["runs"], key=_order)
    clock = clock_of(runs, now)
    if out.format is Format.TABLE:
        title = document["announcements"][-1]["title"] if document["announcements"] else ""
        out.say(f"{document['tracking_id']} {one_line(title, 150)}".strip(), "bold")
        if document.get("drill"):
            out.say(PLAYED, "bold magenta")
        out.say(clock.said(sentence(document, now)))
        asking(out, document["tracking_id"], runs, clock, more)
    chosen = [run for run in runs if only in {"", run["state"]}]
    shown = chosen if whole or out.format is not Format.TABLE else chosen[:ROWS]
    columns = ["Scale set", "State", "Over", "Deadline", "Why"]
    rows = [_row(run, runs, clock, out) for run in shown]
    if out.format is Format.TABLE and out.console.width < WIDE:
        columns.remove("Deadline")
        rows = [(*row[:3], row[4]) for row in rows]
    out.table(columns, rows, STYLES, cut=("Why",))
    if out.format is not Format.TABLE:
        return
    if len(shown) < len(chosen):
        out.say(
            f"{many(len(chosen) - len(shown), 'more scale set')}: --all, or --state STATE for some of them."
        )
    if runs:
        out.say("A scale set with its plan, checks and history:", "dim")
        out.typed(f"breakwater show {document['tracking_id']} {quoted(short_name(runs[0], runs))}{more}")


def sentence(document: Wave, now: datetime) -> str:
    """How the wave stands, as its page says it."""
    seen = Overview(
        counts={RunState(state): number for state, number in document["counts"].items()},
        needs_person=document["needs_person"],
        deadline=instant(document["deadline"]),
        planning=document["planning"],
        waits=document["waits"],
    )
    asking = [run["name"] for run in sorted(document["runs"], key=_order) if run["state"] in NEEDS]
    return wave_sentence(seen, asking, now)


def asking(out: Out, tracking_id: str, runs: Sequence[Run], clock: Clock, more: str) -> None:
    """What each scale set asks, with the commands that answer; nothing where none asks."""
    found = [run for run in runs if run.get("asks")]
    if not found:
        return
    out.say("")
    out.say("Needs your action", "bold yellow")
    for run in found:
        out.say("")
        name = short_name(run, runs)
        asked(out, run, name, clock)
        typed(out, tracking_id, run, name, clock, more)
    out.say("")
    out.say(STOP, "dim")


def _row(run: Run, runs: Sequence[Run], clock: Clock, out: Out) -> tuple[object, ...]:
    going = RunState(run["state"]) not in ENDED
    deadline = _when(run["deadline"], clock, out) if going else ""
    reason = clock.said(why(run)) if out.format is Format.TABLE else run["reason"]
    return short_name(run, runs), state_of(run, out), done(run), deadline, reason


def _when(at: str | None, clock: Clock, out: Out) -> str:
    """A moment in the table, for programs as the app gave it."""
    moment = instant(at)
    return at or "" if moment is None or out.format is not Format.TABLE else clock.at(moment)


def _order(run: Mapping[str, Any]) -> tuple[Any, ...]:
    return ordered(RunState(run["state"]), run["name"], run["scale_set"])
