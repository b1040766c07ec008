"""The lists of a message: what becomes of each scale set of a wave, and how each of them ended."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from handlers.render import facts
from handlers.render.announced import Groups
from handlers.render.heading import endings
from handlers.render.letter import Line, Part, each_text
from handlers.render.moments import Clock, zone_of
from handlers.render.vocabulary import GROUPS, STATES
from planner.notices.digest import Group
from planner.record.run import Run
from planner.record.skip_reasons import skip_reasons
from planner.record.states import RunState
from planner.text.phrases import to_the_minute


def digest(groups: Groups, told: Collection[str], clock: Clock) -> tuple[Part, ...]:
    """The digest; of scale sets that a notice of their own tells about, only their plan."""
    return tuple(
        Part(
            f"{GROUPS[group]} ({len(members)})",
            tuple(
                _in_zone(_line(group, run, clock.now, told=run.target.id in told), run, clock)
                for run in members
            ),
        )
        for group, members in groups.items()
    )


def over(ended: Sequence[Run], clock: Clock) -> tuple[Part, ...]:
    """How each of them ended."""
    if not ended:
        return ()
    lines = tuple(
        _in_zone(
            Line(
                run.target.name,
                _where(run),
                f"{STATES[run.state][1]}; {endings((run,))}. {_how(run)}".strip(),
            ),
            run,
            clock,
        )
        for run in sorted(ended, key=lambda run: run.target.name.lower())
    )
    return (Part(f"How it ended ({len(lines)})", lines),)


def _in_zone(line: Line, run: Run, clock: Clock) -> Line:
    clock = replace(clock, zone=zone_of((run,), clock.zone))
    made: Line = each_text(line, lambda _, text: clock.said(text))
    return replace(made, clock=clock)


def _where(run: Run) -> str:
    return f"{run.target.resource_group}, {run.target.location}"


def _line(group: Group, run: Run, now: datetime, *, told: bool) -> Line:
    ours = group in {Group.OURS, Group.PERSON, Group.WAITS} and run.batches
    return Line(
        run.target.name,
        _where(run),
        f"See above. {facts.batches(run)}".strip() if told else _what_happens(group, run),
        f"Checks: {facts.checked(run)}." if run.checks else "",
        () if told else facts.sentences(run),
        facts.times(run, now) if ours else "",
        facts.begins(run),
        run.times.forecast_end,
    )


def _what_happens(group: Group, run: Run) -> str:
    said = [run.reason]
    times = run.times
    if group in {Group.OURS, Group.PERSON, Group.WAITS}:
        said += [facts.batches(run), facts.capacity(run)]
    if group is Group.AZURE and times.scheduled is not None:
        start, end = to_the_minute(times.scheduled.start), to_the_minute(times.scheduled.end)
        said.append(f"Azure reboots it between {start} and {end}.")
    if run.repairs is not None:
        said.append(f"Automatic repairs: {facts.repairs(run)}")
    said.append(run.story.again)
    return " ".join(filter(None, said))


def _how(run: Run) -> str:
    """What the counts do not say of a run's end."""
    if run.state in {RunState.COMPLETED, RunState.LEFT_TO_AZURE} and run.instances:
        return skip_reasons(run) if run.settled else ""
    return run.reason
