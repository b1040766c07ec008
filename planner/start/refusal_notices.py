"""Azure's refusals of starts: one notice for each cause, all of them in the history."""

import re
from collections.abc import Sequence
from datetime import datetime

from planner.azure.refusal import Refusal, classified
from planner.record.action import StartResult
from planner.record.copying import replace
from planner.record.notice import Kind, Urgency
from planner.record.run import Run
from planner.state.journal import with_entry
from planner.state.notices import with_notice
from planner.text.phrases import say, shortened

REMEMBERED = 20
"""Causes that a run remembers having told."""

NAMED = 5
"""Instances that a sentence names; of more it says how many."""


_VARIES = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`|\S*/\S+|\b\S*\d\S*")
"""What differs between two refusals for the same cause: names in quotes, addresses, ids and counts."""

MOST_WORDS = 300
"""Characters of Azure's message that are kept with each instance; the history has all of it."""

LONGEST = 200
"""Characters of a cause that are kept in the record."""


def cause(answer: StartResult) -> str:
    """What makes two refusals the same to a person: their kind, code and words, without names and numbers."""
    said = re.sub(rf"\b{re.escape(answer.instance)}\b", "*", answer.message, flags=re.IGNORECASE).lower()
    said = " ".join(_VARIES.sub("*", said).split())
    return f"{classified(answer.code, answer.message)} {answer.code.lower()} {said}"[:LONGEST]


def words(answer: StartResult) -> str:
    """Azure's code and message, to stand in a sentence and in the record of each instance."""
    said = answer.message.strip()
    said = shortened(said, MOST_WORDS).rstrip(".")
    return ": ".join(filter(None, (answer.code, said)))


def told_by_cause(run: Run, refusals: Sequence[StartResult], now: datetime) -> Run:
    """The run with every refusal in its history, and a notice for each cause that nobody was told yet.

    `refusals` were added to its instances already. What a lock keeps back is asked of a person elsewhere.
    """
    by_cause: dict[str, list[StartResult]] = {}
    for result in refusals:
        by_cause.setdefault(cause(result), []).append(result)
    for key, answers in by_cause.items():
        refusal = classified(answers[0].code, answers[0].message)
        sentence = _sentence(run, refusal, answers)
        run = with_entry(run, "refused", sentence, now, "azure")
        if key in run.story.refusals:
            continue
        run = replace(run, story=replace(run.story, refusals=(*run.story.refusals, key)[-REMEMBERED:]))
        if refusal is not Refusal.LOCKED:
            run = with_notice(run, Kind.TROUBLE, Urgency.KNOW, sentence, now)
    return run


def _sentence(run: Run, refusal: Refusal, answers: Sequence[StartResult]) -> str:
    ids = {result.instance for result in answers}
    one = len(ids) == 1
    it, is_ = ("it", "It is") if one else ("them", "They are")
    first = answers[0]
    why = f": {first.message.strip().rstrip('.')}" if first.message else ""
    again = min(
        (instance.retry_at for instance in run.instances if instance.id in ids and instance.retry_at),
        default=None,
    )
    at = f" at {say(again)}" if again is not None else " later"
    then = {
        Refusal.NOT_ELIGIBLE: f"Azure reboots {it} in its own window if the next poll shows the same; "
        f"otherwise Breakwater tries again{at}.",
        Refusal.LOCKED: "Nothing more starts until somebody resumes.",
        Refusal.IN_DOUBT: f"{is_} watched, and started again only if nothing comes of it.",
    }.get(refusal, f"Breakwater tries again{at}, then less and less often.")
    return f"Azure refused to start {_which(answers)} ({first.code}){why}. {then}"


def _which(answers: Sequence[StartResult]) -> str:
    ids = [result.instance for result in answers]
    if len(ids) == 1:
        return f"instance {ids[0]}"
    if len(ids) <= NAMED:
        return f"instances {', '.join(ids)}"
    return f"{len(ids)} instances ({', '.join(ids[:NAMED])} and others)"
