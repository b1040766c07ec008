"""From a notice about a scale set to what a message says of it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from handlers.render import asked, facts
from handlers.render.addresses import Addresses
from handlers.render.heading import ORDER, Items
from handlers.render.headline import headline, told
from handlers.render.letter import Answer, Event, Option, each_text
from handlers.render.moments import Clock, zone_of
from handlers.render.vocabulary import KINDS
from handlers.render.why_now import why_now
from planner.record import instance
from planner.record.command import CommandKind
from planner.record.notice import Choice, Kind, Notice, Urgency
from planner.record.run import Run
from planner.record.states import ACTIVE, RunState
from planner.words.endings import done_by_azure

MOST_DOWN = 40
"""Instances that are named when many are down."""

NONE_LEFT = "0 of 0 "
"""How it begins to be said what serves of a scale set that is gone."""

LISTED = frozenset(
    {Kind.STALLED, Kind.STARTING, Kind.STARTED, Kind.COMPLETED, Kind.CANCELLED, Kind.REPLANNED, Kind.LATE}
)
"""Notices that share lines when many scale sets send them at once."""

TELLS_PLAN = frozenset({Kind.APPROVAL, Kind.REPLANNED, Kind.STARTED})
"""Notices whose first line is what will be rebooted."""


def events(tracking_id: str, others: Items, addresses: Addresses, clock: Clock) -> tuple[Event, ...]:
    """Most urgent first; only the last notice of a scale set offers answers, the earlier ones are history."""
    last = {run.target.id: notice.number for run, notice in others}
    ordered = sorted(others, key=lambda item: (ORDER.index(item[1].urgency), item[1].at, item[0].target.name))
    return tuple(
        _event(tracking_id, run, notice, addresses, clock, offers=last[run.target.id] == notice.number)
        for run, notice in ordered
    )


def _event(
    tracking_id: str, run: Run, notice: Notice, addresses: Addresses, clock: Clock, *, offers: bool
) -> Event:
    clock = replace(clock, zone=zone_of((run,), clock.zone))
    symbol, word = KINDS[notice.kind]
    called = headline(run, notice, clock) if offers else told(run, notice)
    said = Event(
        word=word,
        symbol=symbol,
        name=run.target.name,
        where=f"{run.target.resource_group}, {run.target.location}",
        at=clock.at(notice.at),
        sentence=notice.sentence,
        headline=called.what,
        by=called.by,
        gist=_gist(run, notice, clock) if offers else (notice.sentence,),
        why=why_now(run, notice, clock),
        down=facts.down(notice, MOST_DOWN),
        serving="" if notice.serving.startswith(NONE_LEFT) else notice.serving,
        page=addresses.run(tracking_id, run.target),
        portal=addresses.portal(run.target.id),
        brief=_brief(run, notice),
        kind=notice.kind.value,
        urgency=notice.urgency.value,
        scale_set=run.target.id,
    )
    if offers:
        said = _with_answers(said, tracking_id, run, notice, addresses, clock.now)
    made: Event = each_text(said, lambda _, text: clock.said(text))
    return made


def _with_answers(
    said: Event, tracking_id: str, run: Run, notice: Notice, addresses: Addresses, now: datetime
) -> Event:
    # As they are now: what was offered counts no longer once the run goes on.
    choices = facts.choices(run) if notice.choices else ()
    chosen = {choice.word for choice in choices if not choice.to}
    # Checks say what keeps a run from going on.
    held_up = notice.urgency is not Urgency.KNOW and run.state in ACTIVE
    return replace(
        said,
        otherwise=notice.otherwise,
        # The plan in figures, without what the notice says itself.
        facts=tuple((term, text) for term, text in facts.facts(run, now) if text not in notice.sentence),
        checks=facts.sentences(run) if held_up else (),
        choices=_options(tracking_id, run, choices, addresses),
        answers=tuple(
            Answer(
                facts.label(run, action),
                addresses.command(tracking_id, run, action),
                addresses.act(tracking_id, run, action),
            )
            for action in asked.answers(run, notice)
            if action not in chosen
        ),
    )


def _options(
    tracking_id: str, run: Run, choices: Sequence[Choice], addresses: Addresses
) -> tuple[Option, ...]:
    return tuple(
        Option(
            choice.sentence,
            choice.word,
            dict(choice.to),
            addresses.choose(tracking_id, run, choice),
            addresses.act(tracking_id, run, choice.word, choice.to),
        )
        for choice in choices
    )


def _gist(run: Run, notice: Notice, clock: Clock) -> tuple[str, ...]:
    """What happens, and what can be done: the lines under the headline."""
    said: list[str] = []
    asks = run.state is RunState.AWAITING_APPROVAL and CommandKind.APPROVE in notice.answers
    if (notice.kind in TELLS_PLAN or asks) and (plan := asked.how(run, clock)):
        said.append(" ".join(filter(None, (f"{plan}.", asked.at_most_down(run)))))
    if not asks or not said:
        stopped = notice.kind is Kind.PAUSED and run.state is RunState.PAUSED and run.waiting
        words = notice.sentence
        if stopped:
            ended = words if words.endswith((".", "!", "?")) else f"{words}."
            words = f"{ended} Nothing else starts until you answer."
        said.append(words)
    said.append(asked.what_to_do(run, notice))
    return tuple(filter(None, said))


def _brief(run: Run, notice: Notice) -> str:
    """What a list says of a notice that asks for nothing and comes from many scale sets at once."""
    if notice.urgency is not Urgency.KNOW or notice.kind not in LISTED:
        return ""
    if notice.kind is Kind.COMPLETED and run.state is RunState.LEFT_TO_AZURE:
        return done_by_azure(instance.counted(run.instances))
    return notice.sentence
