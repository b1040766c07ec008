"""What every part of a page may ask for, in templates as `page`."""

import re
from collections.abc import Iterable
from datetime import datetime
from operator import itemgetter
from types import SimpleNamespace
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from markupsafe import Markup

from handlers.render import (
    asked,
    azure_names,
    bounded,
    buttons,
    clock,
    environment,
    facts,
    plan_drawing,
    vocabulary,
)
from handlers.render.addresses import Addresses, Placed
from handlers.render.contract import MOST_DOWN, self_service
from handlers.render.moments import Clock
from handlers.render.report_model import OWN, Room
from handlers.render.vocabulary import BATCH_OVER, BATCHES, INSTANCES
from planner.azure.fleet import natural
from planner.notices.delivery import Delivery
from planner.notices.digest import outcomes
from planner.record.batch import Batch
from planner.record.check import Check
from planner.record.run import Run
from planner.record.states import BatchState, InstanceState, RunState

MESSAGES = 100
"""The latest messages that are listed."""

LONG_TEXT = 1000
"""Characters of what Azure said up to which it stands open."""

OPENED = frozenset(facts.STANDS_OUT)
"""Outcomes of checks that stand open; the others unfold."""


def tools(
    addresses: Addresses, now: datetime, tracking_id: str = "", room: Room = OWN, zone: str = clock.HERE
) -> SimpleNamespace:
    """The tools of one page. `zone` is whose clock its times are told on beside UTC."""

    def href(
        tracking_id: str, target: Placed | None = None, state: RunState | None = None, number: int = 1
    ) -> str:
        """Where the page goes on; empty for what is outside of the link that it was opened by."""
        if target is not None:
            return addresses.run(tracking_id, target)
        wave = addresses.wave(tracking_id)
        asked = {"state": state, "page": number if number > 1 else None}
        query = urlencode({name: value for name, value in asked.items() if value})
        return f"{wave}?{query}" if wave and query else wave

    def said(at: datetime, zone: str, *, far: bool = False) -> str:
        return clock.said(at, zone, now if far else None)

    return SimpleNamespace(
        addresses=addresses,
        now=now,
        tracking_id=tracking_id,
        room=room,
        zone=zone,
        zone_of=clock.zone_of,
        said=said,
        both=lambda text, run: clock.both(text, clock.zone_of(run)),
        question=lambda run: asked.question(run, Clock(ZoneInfo(clock.zone_of(run)), now)),
        in_a_table=clock.in_a_table,
        words=vocabulary,
        facts=facts,
        bounded=bounded,
        buttons=lambda run: buttons.of_run(run, tracking_id, addresses, own=room.own),
        commands=buttons.commands,
        batch=_batch,
        checks=_checks,
        shows_none=_shows_none,
        properties=azure_names.properties,
        pictures=lambda run: plan_drawing.of_run(run, now),
        most_down=MOST_DOWN,
        long_text=LONG_TEXT,
        progress=_progress,
        ends=_ends,
        anchor=_anchor,
        href=href,
        self_service=self_service,
    )


def pieces(
    template: str, runs: Iterable[Run], room: int, page: SimpleNamespace, *, folded: bool = False
) -> tuple[Markup, ...]:
    """A piece of the page for each run, as many as fit into `room` bytes."""
    found = environment.html().get_template(template)
    # Jinja has escaped them: they are pieces of a page already.
    made = (Markup(found.render(run=run, page=page, folded=folded)) for run in runs)  # noqa: S704
    return bounded.as_many_as_fit(made, room)


def messages(deliveries: Iterable[Delivery]) -> list[tuple[datetime, str, str, str, str]]:
    """Messages, the newest first: when, receiver, channel, subject, trouble."""
    lines = [
        (sent.at, delivery.receiver, sent.channel, sent.subject, sent.trouble)
        for delivery in deliveries
        for sent in delivery.messages
    ]
    lines += [
        (state.sending.since, delivery.receiver, name, "on its way", state.trouble)
        for delivery in deliveries
        for name, state in delivery.channels.items()
        if state.sending is not None
    ]
    return sorted(lines, key=itemgetter(0), reverse=True)[:MESSAGES]


def _checks(run: Run, *, opened: bool) -> list[Check]:
    """The checks that stand open, or the others."""
    return [check for check in run.checks if (check.outcome in OPENED) is opened]


def _shows_none(run: Run) -> list[str]:
    """The instances that Azure lists without a maintenance status."""
    shown = {key for each in run.fleet.shown for key in each.instances}
    return sorted({*run.fleet.members, *run.fleet.served} - shown, key=natural)


def _batch(batch: Batch) -> tuple[str, str, str]:
    """How a batch stands; one that is over and of which nothing was maintained is not called done."""
    maintained = {InstanceState.MAINTAINED, InstanceState.BY_AZURE} & {
        instance.state for instance in batch.instances
    }
    return BATCHES[batch.state] if maintained or batch.state is not BatchState.DONE else BATCH_OVER


def _progress(run: Run) -> str:
    settled = sum(instance.settled for instance in run.instances)
    return f"{settled} of {len(run.instances)}" if run.instances else "no plan"


def _ends(run: Run) -> str:
    return ", ".join(f"{number} {INSTANCES[state][1]}" for state, number in outcomes((run,)).items())


def _anchor(run: Run) -> str:
    name = re.sub("[^a-z0-9]", "-", run.target.name.lower())
    return f"{run.target.subscription[:8]}-{run.target.resource_group.lower()}-{name}".replace(" ", "-")
