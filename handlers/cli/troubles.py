"""What a person lets go wrong in a rehearsal, from the options as they are typed."""

import re
from dataclasses import dataclass, field, replace
from datetime import timedelta

from handlers.cli.exits import ExitCode, Failed
from planner.policy.durations import parse_duration
from planner.rehearsal.trouble import Moved, Span, Throttling, Trouble
from planner.text.phrases import long

NEVER = "never"
_SHARE = re.compile(r"(\d{1,3}(?:\.\d{1,3})?)\s*%")


@dataclass(frozen=True, slots=True)
class Asked:
    """The options; empty means what a rehearsal takes for ordinary."""

    fail: str = ""
    slow: str = ""
    approve_after: str = ""
    resume_after: str = ""
    acknowledge_after: str = ""
    throttle: list[str] = field(default_factory=list)
    throttle_reads: list[str] = field(default_factory=list)
    move: list[str] = field(default_factory=list)
    cancel_after: str = ""


def trouble(asked: Asked) -> Trouble:
    """What goes wrong. Raises Failed with the option that cannot be read and how it is written."""
    made = Trouble(
        lost=_share("--fail", asked.fail),
        slow=_share("--slow", asked.slow),
        throttled=tuple(Throttling(*_pair("--throttle", each, "2h:30m")) for each in asked.throttle),
        unread=tuple(Throttling(*_pair("--throttle-reads", each, "2h:30m")) for each in asked.throttle_reads),
        moved=tuple(Moved(*_pair("--move", each, "3d:2d")) for each in asked.move),
        cancelled=_length("--cancel-after", asked.cancel_after) if asked.cancel_after else None,
    )
    if asked.approve_after:
        made = replace(made, approves=_answer("--approve-after", asked.approve_after))
    if asked.resume_after:
        made = replace(made, resumes=_answer("--resume-after", asked.resume_after))
    if asked.acknowledge_after:
        made = replace(made, acknowledges=_answer("--acknowledge-after", asked.acknowledge_after))
    return made


def premises(made: Trouble, *, as_if: bool) -> tuple[str, ...]:
    """What is taken for granted: the wave, where there is none, and what goes wrong; a sentence each."""
    wave = ("Azure plans nothing for this fleet: every instance counts as due from the start on.",)
    return (*(wave if as_if else ()), *(_wrongs(made) or ("No failures are played.",)))


def _wrongs(made: Trouble) -> tuple[str, ...]:
    usual = Trouble()
    found = []
    if made.lost:
        found.append(f"{made.lost * 100:g} % of the instances do not come back by themselves.")
    if made.slow:
        found.append(f"{made.slow * 100:g} % of the instances take {made.slow_by:g} times as long to reboot.")
    found += [
        f"From {long(each.after)} on, Azure throttles starts for {long(each.lasts)}."
        for each in made.throttled
    ]
    found += [
        f"From {long(each.after)} on, Azure throttles reads for {long(each.lasts)}." for each in made.unread
    ]
    found += [f"After {long(each.after)}, Azure moves its windows by {long(each.by)}." for each in made.moved]
    if made.cancelled is not None:
        found.append(f"After {long(made.cancelled)}, Azure cancels the wave.")
    if made.approves != usual.approves:
        found.append(_people("approve", "approves", made.approves))
    if made.resumes != usual.resumes:
        found.append(_people("repair and resume", "repairs and resumes", made.resumes))
    if made.acknowledges != usual.acknowledges:
        found.append(_people("take a page", "takes a page", made.acknowledges))
    return tuple(found)


def _people(do: str, does: str, span: Span | None) -> str:
    return f"People {do} after {long(span.least)}." if span is not None else f"Nobody {does}."


def _share(option: str, text: str) -> float:
    if not text:
        return 0.0
    found = _SHARE.fullmatch(text.strip())
    if found is None or float(found[1]) > 100:
        raise _wrong(option, text, "a share such as 3%")
    return float(found[1]) / 100


def _length(option: str, text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise Failed(f"{option}: {error}.", ExitCode.USAGE) from error


def _pair(option: str, text: str, example: str) -> tuple[timedelta, timedelta]:
    after, colon, second = text.partition(":")
    if not colon:
        raise _wrong(option, text, f"two durations such as {example}")
    return _length(option, after), _length(option, second)


def _answer(option: str, text: str) -> Span | None:
    if text.strip().lower() == NEVER:
        return None
    after = _length(option, text)
    return Span(after, after)


def _wrong(option: str, text: str, wanted: str) -> Failed:
    return Failed(f"{option}: `{text[:60]}` cannot be read; write {wanted}.", ExitCode.USAGE)
