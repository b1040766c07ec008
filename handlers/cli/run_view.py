"""How one scale set of a wave looks in a terminal: state, what it asks, plan, checks, history."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from handlers.cli.app_client import quoted
from handlers.cli.app_waves import Run
from handlers.cli.output import Format, Out
from handlers.render.moments import Clock, named
from handlers.render.outside_text import one_line
from handlers.render.vocabulary import ANSWERS, BATCHES, OUTCOMES, STATES, VERDICTS
from planner.record.check import Outcome
from planner.record.run import Verdict
from planner.record.states import SETTLED, BatchState, RunState
from planner.text.phrases import many, say_how_far, short, some, upper
from planner.words.drills import PLAYED

HISTORY = 10
"""The latest lines of history for people; --all has the others."""

OPENED = (Outcome.BLOCK, Outcome.UNKNOWN, Outcome.ACCEPTED)
"""Checks told with their sentence; the others are counted."""

LONGEST = 600
"""Characters of a sentence with names and text from outside."""

WORDS = {"let-pass": "pass"}
"""Commands that are called otherwise here than in the app."""


def run(out: Out, tracking_id: str, seen: Run, name: str, more: str, now: datetime, *, whole: bool) -> None:
    """The whole scale set for people; for scripts a line each fact, batch, check and line of history."""
    if out.format is Format.PLAIN:
        out.table((), [*_plain(seen)])
        return
    symbol, word, _ = STATES[RunState(seen["state"])]
    clock = clock_of([seen], now)
    out.say(f"{seen['name']} in {tracking_id}", "bold")
    if seen.get("drill"):
        out.say(PLAYED, "bold magenta")
    out.say(clock.said(f"{symbol} {word}: {why(seen)}"))
    if seen.get("asks"):
        out.say("")
        asked(out, seen, name, clock, again=False)
    if seen.get("commands") or seen["choices"]:
        out.say("")
        out.say("What you can type:", "dim")
    typed(out, tracking_id, seen, name, clock, more)
    out.table(("", ""), [(term, clock.said(fact)) for term, fact in _facts(seen, clock)])
    batches(out, seen, clock)
    _checks(out, seen, clock)
    _history(out, seen, clock, whole=whole)


def clock_of(runs: Sequence[Run], now: datetime) -> Clock:
    """In the zone in which all of the runs have their windows; in UTC where they have none, or several."""
    zones = {run.get("zone", "UTC") for run in runs} - {"UTC"}
    try:
        return Clock(ZoneInfo(zones.pop() if len(zones) == 1 else "UTC"), now)
    except (ZoneInfoNotFoundError, ValueError):
        return Clock(UTC, now)  # an app with newer time zones than this machine


def asked(out: Out, seen: Run, name: str, clock: Clock, *, again: bool = True) -> None:
    """What it asks; `again`: with its state, which the page of the scale set has above."""
    asks = seen["asks"]
    told = f"{name}: {asks['reason']}" if again or asks["reason"] != seen["reason"] else ""
    if first := asks["question"] or told:
        out.say(clock.said(one_line(first, LONGEST)), "bold")
    for sentence in (
        *(f"Down: {down}" for down in asks["down"]),
        f"Still serving: {asks['serving'].rstrip('.')}." if asks["serving"] else "",
        asks["otherwise"],
    ):
        if sentence:
            out.say(clock.said(one_line(sentence, LONGEST)))


def typed(out: Out, tracking_id: str, seen: Run, name: str, clock: Clock, more: str) -> None:
    """The commands that answer it now: its choices first, then what can be said."""
    for choice in seen["choices"]:
        out.say(clock.said(choice["sentence"]))
        out.typed(_command(choice["word"], tracking_id, name, choice["to"], more))
    for action in seen.get("commands", ()):
        out.say(f"{label(action)}:")
        out.typed(_command(action, tracking_id, name, {}, more))


def batches(out: Out, seen: Run, clock: Clock) -> None:
    """The plan: who goes down together, when, and how far it is."""
    if seen["batches"]:
        rows = [_batch(batch, clock) for batch in seen["batches"]]
        out.table(("Batch", "State", _when(clock), "Takes away", "Instances"), rows, whole=(_when(clock),))


def done(seen: Run) -> str:
    """`2 of 3` instances over; empty without a plan."""
    every = [each["state"] for batch in seen["batches"] for each in batch["instances"]]
    return f"{sum(state in SETTLED for state in every)} of {len(every)}" if every else ""


def state_of(seen: Run, out: Out) -> str:
    """Symbol and word for people, the state itself for scripts."""
    symbol, word, _ = STATES[RunState(seen["state"])]
    return f"{symbol} {word}" if out.format is Format.TABLE else str(seen["state"])


def why(seen: Run) -> str:
    """Its reason without the words of its state, which stand beside it."""
    word = STATES[RunState(seen["state"])][1]
    reason = str(seen["reason"])
    return upper(reason[len(word) + 2 :]) if reason.lower().startswith(f"{word.lower()}: ") else reason


def instant(at: str | None) -> datetime | None:
    """A moment of the app's JSON, aware UTC."""
    return None if at is None else datetime.fromisoformat(at).astimezone(UTC)


def label(action: str) -> str:
    """What a command does, in the words of the app's buttons."""
    return ANSWERS.get(action, action)


def _command(action: str, tracking_id: str, name: str, to: dict[str, str], more: str) -> str:
    if action == "skip":
        given = "".join(
            f" --{key.removesuffix('s')} {quoted(part)}"
            for key, text in to.items()
            for part in str(text).split(";" if key == "domains" else ",")
        )
    else:
        given = "".join(f" {key}={quoted(str(text))}" for key, text in to.items())
    return f"breakwater {WORDS.get(action, action)} {tracking_id} {quoted(name)}{given}{more}"


def _facts(seen: Run, clock: Clock) -> Iterator[tuple[str, str]]:
    verdict = VERDICTS[Verdict(seen["verdict"])]
    yield "Where", f"{seen['resource_group']}, {seen['location']}, subscription {seen['subscription']}"
    yield "Verdict", f"{verdict}, mode {seen['mode']}, self-service {seen['self_service']}"
    if (deadline := instant(seen["deadline"])) is not None:
        yield "Deadline", f"{say_how_far(deadline, clock.now)}{_slack(seen)}"
    for term, key in (("Expected end", "forecast_end"), ("Start by", "start_by")):
        if (at := instant(seen[key])) is not None:
            yield term, say_how_far(at, clock.now)
    if held := seen["waits"]:
        since = instant(held["since"])
        yield "Held up", f"{held['what']}, since {clock.at(since) if since else 'unknown'}"
    if others := seen["holds_up"]:
        yield "Holds up", f"{others['scale_sets']} other scale sets that wait for a limit"
    for term, text in (
        ("Capacity", seen["capacity"]),
        ("Second time", seen["again"]),
        ("Repairs", seen["repairs"]),
        ("Raised", ", ".join(f"{key} {value}" for key, value in seen["raised"].items())),
        ("Plan", seen["checksum"] if seen["batches"] else ""),
    ):
        if text:
            yield term, str(text)


def _slack(seen: Run) -> str:
    if seen["slack_seconds"] is None:
        return ""
    left = timedelta(seconds=seen["slack_seconds"])
    return f", {short(left)} {'to spare' if seen['slack_seconds'] >= 0 else 'too late'}"


def _batch(batch: dict[str, Any], clock: Clock) -> tuple[str, str, str, str, str]:
    symbol, word, _ = BATCHES[BatchState(batch["state"])]
    began, ended = instant(batch["started_at"]), instant(batch["verified_at"] or batch["finished_at"])
    before = instant(batch["not_before"])
    if began is not None:
        when = f"{_day(began, clock)}{f'-{_hour(ended, clock)}' if ended else ''}"
    else:
        when = f"from {_day(before, clock)}" if before is not None else ""
    share = f"{batch['share_percent']} %" if batch["share_percent"] is not None else ""
    well = some([each["id"] for each in batch["instances"] if each["state"] != "failed"])
    ill = [f"{each['id']}: {each['reason']}" for each in batch["instances"] if each["state"] == "failed"]
    said = clock.said("; ".join(filter(None, (well, *ill))))
    return batch["domain"], f"{symbol} {word}", when, share, said


def _when(clock: Clock) -> str:
    """The heading of a column of moments, with the letters of the zone that they are in today."""
    return f"When ({named(clock.now.astimezone(clock.zone))})"


def _day(at: datetime, clock: Clock) -> str:
    there, today = at.astimezone(clock.zone), clock.now.astimezone(clock.zone)
    day = "" if there.date() == today.date() else f"{there:%a} {there.day} {there:%b} "
    return f"{day}{_hour(at, clock)}"


def _hour(at: datetime, clock: Clock, form: str = "%H:%M") -> str:
    """Without the zone that the heading names, unless summer time has changed it."""
    there = at.astimezone(clock.zone)
    same = named(there) == named(clock.now.astimezone(clock.zone))
    return f"{there.strftime(form)}{'' if same else f' {named(there)}'}"


def _checks(out: Out, seen: Run, clock: Clock) -> None:
    for outcome in OPENED:
        found = [check for check in seen["checks"] if check["outcome"] == outcome]
        symbol, word, _ = OUTCOMES[outcome]
        for check in found:
            out.say(clock.said(f"{symbol} {check['name']} ({word}): {check['reason']}"))
    rest = [check for check in seen["checks"] if check["outcome"] not in set(OPENED)]
    passed = sum(check["outcome"] == Outcome.PASS for check in rest)
    if rest:
        out.say(f"{passed} checks passed, {len(rest) - passed} not declared.", "dim")


def _history(out: Out, seen: Run, clock: Clock, *, whole: bool) -> None:
    lines = seen["history"] if whole else seen["history"][-HISTORY:]
    if lines:
        rows = [(_stamp(line["at"], clock), line["actor"], clock.said(said(line))) for line in lines]
        out.table((_when(clock), "Who", "What"), rows, whole=(_when(clock),))
    if len(lines) < len(seen["history"]):
        out.say(f"{many(len(seen['history']) - len(lines), 'earlier line')} of history: --all", "dim")


def said(line: dict[str, Any]) -> str:
    """A line of history without its time and actor."""
    return f"{line['event']}: {one_line(line['reason'], 400)}" if line["reason"] else str(line["event"])


def _stamp(at: str, clock: Clock) -> str:
    moment = instant(at)
    if moment is None:
        return ""
    return f"{moment.astimezone(clock.zone):%d %b} {_hour(moment, clock, '%H:%M:%S')}"


def _plain(seen: Run) -> Iterator[tuple[object, ...]]:
    for key in ("scale_set", "state", "verdict", "mode", "checksum", "deadline", "forecast_end", "reason"):
        yield key, seen[key] or ""
    for batch in seen["batches"]:
        ids = ",".join(each["id"] for each in batch["instances"])
        yield "batch", batch["domain"], batch["state"], batch["not_before"] or "", ids
    for check in seen["checks"]:
        yield "check", check["name"], check["outcome"], check["reason"]
    for line in seen["history"]:
        yield "history", line["at"], line["actor"], line["event"], line["reason"]
