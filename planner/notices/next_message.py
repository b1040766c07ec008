"""What a channel is told next: which notices are ripe by the receiver's choice, and when to choose again."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from planner.notices.delivery import EMERGENCY, FINISHED, ChannelState, Delivery
from planner.notices.digest import HELD, PATIENCE, Overview
from planner.policy.pace import AT_ONCE, Pace
from planner.record.notice import LOUD_FIRST, Kind, Notice, Urgency
from planner.record.run import Run
from planner.record.states import RunState


def untold(run: Run, told: int) -> tuple[Notice, ...]:
    """The notices after the last one told, in order."""
    return tuple(notice for notice in run.story.notices if notice.number > told)


@dataclass(frozen=True, slots=True)
class NextMessage:
    """What a channel is told now: `upto` per run, `kinds` of the wave; else `wake`, when to choose again.

    `loudness` is the urgency of the loudest notice in it.
    """

    upto: Mapping[str, int] = field(default_factory=dict)
    kinds: tuple[str, ...] = ()
    wake: datetime | None = None
    loudness: Urgency = Urgency.KNOW


@dataclass(frozen=True, slots=True)
class Choice:
    """What a receiver has chosen: when it hears what informs, when what asks, and whether of a wave's end."""

    know: Pace = AT_ONCE
    act: Pace = AT_ONCE
    end: bool = True


@dataclass(frozen=True, slots=True)
class _Times:
    """When each sort of notice may go; `group` is when the grouping wait is over."""

    group: datetime
    know: datetime
    act: datetime
    held: datetime
    paged: bool

    def of(self, notice: Notice, now: datetime) -> datetime:
        """When this notice may go.

        The announcement of a wave is gathered already, and the lead time runs from it: it waits for the
        roster and nothing else. An emergency pages until the wave has `paged`, then it is grouped like the
        others, or a thousand scale sets would page a thousand times.
        """
        if notice.urgency is Urgency.PAGE:
            return self.group if notice.emergency and self.paged else now
        if notice.kind is Kind.PLANNED:
            return self.held
        if notice.urgency is Urgency.KNOW:
            return self.know
        return max(self.act, self.held) if notice.kind in HELD else self.act


def choose(
    delivery: Delivery,
    channel: str,
    waiting: Mapping[str, tuple[Notice, ...]],
    seen: Overview,
    wait: timedelta,
    now: datetime,
    choice: Choice = Choice(),
) -> NextMessage:
    """What is ripe for a channel that has nothing on its way; `wait` is the grouping wait.

    The first message waits from the oldest notice on, later ones from the message before. What goes takes
    along whatever came before it about the same scale set. The closing overview comes last, once, and takes
    along all that still waits; there is none for a wave that hit nothing.
    """
    state = delivery.channels[channel]
    times = _times(delivery, state, waiting, seen, wait, now, choice)
    upto = {
        key: max(numbers)
        for key, notices in waiting.items()
        if (numbers := [notice.number for notice in notices if times.of(notice, now) <= now])
    }
    hit = set(seen.counts) - {RunState.NOT_IMPACTED.value}
    told = bool(state.told or waiting)
    ends = choice.end and seen.finished and bool(hit) and FINISHED not in state.wave_told and told
    closes = ends and times.group <= now
    if closes:
        upto = {key: notices[-1].number for key, notices in waiting.items()}
    chosen = [notice for key in upto for notice in waiting[key] if notice.number <= upto[key]]
    emergency = any(notice.emergency for notice in chosen) and not times.paged
    kinds = ((EMERGENCY,) if emergency else ()) + ((FINISHED,) if closes else ())
    if upto or kinds:
        return NextMessage(upto, kinds, loudness=_loudest(chosen, paged=times.paged))
    ahead = [times.of(notice, now) for notices in waiting.values() for notice in notices]
    ahead += [times.group] if ends else []
    return NextMessage(wake=min(ahead, default=None))


def _times(
    delivery: Delivery,
    state: ChannelState,
    waiting: Mapping[str, tuple[Notice, ...]],
    seen: Overview,
    wait: timedelta,
    now: datetime,
    choice: Choice,
) -> _Times:
    notices = [notice for run_notices in waiting.values() for notice in run_notices]
    group = delivery.not_before or _oldest(notices, now) + wait
    held = [notice for notice in notices if notice.kind in HELD]
    # Every scale set has its plan, or the oldest plan has waited long enough for the others.
    complete = not seen.planning or not held or _oldest(held, now) + PATIENCE * wait <= now
    informing = [
        notice for notice in notices if notice.urgency is Urgency.KNOW and notice.kind is not Kind.PLANNED
    ]
    asking = [notice for notice in notices if notice.urgency is Urgency.ACT]
    asked = (state.asked_at,) if state.asked_at is not None else ()
    return _Times(
        group,
        max(group, choice.know.earliest(_oldest(informing, now), state.informed)),
        max(group, choice.act.earliest(_oldest(asking, now), asked)),
        group if complete or group > now else now + wait,
        paged=EMERGENCY in state.wave_told,
    )


def _oldest(notices: Iterable[Notice], now: datetime) -> datetime:
    return min((notice.at for notice in notices), default=now)


def _loudest(notices: Iterable[Notice], *, paged: bool) -> Urgency:
    loud = (Urgency.KNOW if notice.emergency and paged else notice.urgency for notice in notices)
    return min(loud, key=LOUD_FIRST.index, default=Urgency.KNOW)
