"""What is drawn of a run's plan, and of a wave's: rows, bars, bands and marks, and the same in words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from handlers.render import clock, facts
from handlers.render.capacity_plot import Plot, levels, lowest, plotted
from handlers.render.outside_text import one_line
from handlers.render.spans import Span, spans
from handlers.render.timeline import NARROW, WIDE, Drawing, Format, Named, Shape, around, drawn
from planner.azure.fleet import Interval
from planner.calendar.openings import opening
from planner.record.run import Run, Verdict
from planner.record.states import ACTIVE, RunState
from planner.text.phrases import many, some

DOMAINS = 24
"""Domains with a row of their own; a plan of more has the others in one row."""

MOST_BANDS = 200
"""Openings that are drawn behind the rows."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing for a desk and one for a phone, with its heading, its words, and the kinds that are in it."""

    heading: str
    words: str
    wide: Drawing
    narrow: Drawing
    kinds: frozenset[str]
    capacity: tuple[Plot, Plot] | None = None
    serving: str = ""


def of_run(run: Run, now: datetime) -> tuple[Picture, ...]:
    """The plan of a run by its domains, and where it lies in the wave; none where nothing has a time."""
    found = spans(run, now)
    pictures = [made for made in (_plan(run, found, now), _whole(run, found, now)) if made is not None]
    return tuple(pictures)


def of_wave(runs: Sequence[Run], now: datetime) -> Picture | None:
    """The scale sets of a page, one below the other; None where none of them has a time."""
    rows: list[Named] = []
    ours: list[Interval] = []
    theirs: list[Interval] = []
    deadlines: list[datetime] = []
    for run in runs:
        found = spans(run, now)
        shapes = [Shape(Interval(span.start, span.end), span.stand.value) for span in found]
        ours += [shape.when for shape in shapes]
        if run.state is RunState.LEFT_TO_AZURE and run.times.scheduled is not None and not _over(run):
            shapes.append(Shape(run.times.scheduled, "azure"))
            theirs.append(run.times.scheduled)
        if run.times.deadline is not None and run.state in ACTIVE:
            deadlines.append(run.times.deadline)
        if shapes:
            rows.append((one_line(run.target.name, 80), shapes))
    marks = [(now, "now"), *((at, "next deadline") for at in (min(deadlines, default=None),) if at)]
    between = around(ours or theirs, [at for at, _ in marks])
    if between is None:
        return None
    zone = clock.common_zone(runs)
    rows = [row for row in rows if any(_within(shape.when, between) for shape in row[1])]
    words = (
        f"{many(len(rows), 'scale set')} from {clock.local(between.start, zone)} to "
        f"{clock.local(between.end, zone)}. The table has the same in words."
    )
    return _picture("When", words, rows, between, zone, marks=marks)


def _plan(run: Run, found: Sequence[Span], now: datetime) -> Picture | None:
    marks = _marks(run, now)
    between = around((Interval(span.start, span.end) for span in found), [at for at, _ in marks])
    if between is None:
        return None
    zone = clock.zone_of(run)
    bands = _bands(run, between)
    made = _picture("The plan, to scale", _words(run, found, zone), _domains(found, zone), between, zone,
                    bands=bands, marks=marks)  # fmt: skip
    if run.verdict is Verdict.LEAVE_TO_AZURE or not run.fleet.serving:
        return made
    serving = run.fleet.serving
    low = lowest(levels(found, serving, between.start))
    said = f"{serving} serve; {low.serving} at the lowest, at {clock.local(low.start, zone)}."
    plots = (
        plotted(found, serving, made.wide.axis, WIDE.width),
        plotted(found, serving, made.narrow.axis, NARROW.width),
    )
    return Picture(made.heading, made.words, made.wide, made.narrow, made.kinds, plots, said)


def _whole(run: Run, found: Sequence[Span], now: datetime) -> Picture | None:
    """The run among Azure's own windows."""
    rows: list[Named] = []
    if run.times.self_service is not None:
        rows.append(("Self-service window", [Shape(run.times.self_service, "ours")]))
    if run.times.scheduled is not None:
        rows.append(("Azure's own window", [Shape(run.times.scheduled, "azure")]))
    if not rows:
        return None
    if found:
        bars = [Shape(Interval(span.start, span.end), span.stand.value) for span in found]
        rows.insert(0, ("Batches", bars))
    zone, marks = clock.zone_of(run), _marks(run, now)
    every = [shape.when for _, shapes in rows for shape in shapes]
    between = around([*every, *(Interval(at, at) for at, _ in marks)])
    if between is None:
        return None
    said = [f"{name}: {clock.local(shapes[0].when.start, zone)} to {clock.local(shapes[-1].when.end, zone)}."
            for name, shapes in rows]  # fmt: skip
    bands = [band for band in _bands(run, between) if band.kind == "freeze"]
    return _picture("In the wave", " ".join(said), rows, between, zone, bands=bands, marks=marks)


def _picture(
    heading: str,
    words: str,
    rows: Sequence[Named],
    between: Interval,
    zone: str,
    *,
    bands: Sequence[Shape] = (),
    marks: Sequence[tuple[datetime, str]],
) -> Picture:
    def sized(size: Format) -> Drawing:
        return drawn(rows, between, zone, size, bands=bands, marks=marks)

    wide = sized(WIDE)
    kinds = {bar.kind for row in wide.rows for bar in row.bars} | {band.kind for band in wide.bands}
    return Picture(f"{heading} ({zone})", words, wide, sized(NARROW), frozenset(kinds))


def _domains(found: Sequence[Span], zone: str) -> list[Named]:
    """A row for each domain, in the order in which they go down."""
    rows: dict[str, list[Shape]] = {}
    for span in sorted(found, key=lambda span: (span.start, span.number)):
        shape = Shape(Interval(span.start, span.end), span.stand.value, _title(span, zone))
        rows.setdefault(one_line(span.domain, 80), []).append(shape)
    named: list[Named] = list(rows.items())
    if len(named) <= DOMAINS:
        return named
    rest = [Shape(shape.when, shape.kind) for _, shapes in named[DOMAINS - 1 :] for shape in shapes]
    return [*named[: DOMAINS - 1], (f"{len(named) - DOMAINS + 1} more domains", rest)]


def _title(span: Span, zone: str) -> str:
    what = "Instance" if len(span.instances) == 1 else "Instances"
    ids = one_line(some(span.instances, most=12), 300)
    return f"{what} {ids}: {span.stand}, {clock.local(span.start, zone)} to {clock.local(span.end, zone)}"


def _words(run: Run, found: Sequence[Span], zone: str) -> str:
    first, last = min(found, key=lambda span: span.start), max(found, key=lambda span: span.end)
    down = f"{many(len(found), 'time')} down in {many(len({span.domain for span in found}), 'domain')}"
    said = [f"{down}, from {clock.local(first.start, zone)} to {clock.local(last.end, zone)}."]
    if run.times.deadline is not None:
        left = facts.slack(run)
        said.append(f"Must be done by {clock.local(run.times.deadline, zone)}{f', {left}' if left else ''}.")
    said.append("The table of batches has each of them in words.")
    return " ".join(said)


def _marks(run: Run, now: datetime) -> list[tuple[datetime, str]]:
    deadline = run.times.deadline if run.state in ACTIVE else None
    return [(now, "now"), *([(deadline, "deadline")] if deadline is not None else [])]


def _bands(run: Run, between: Interval) -> list[Shape]:
    """When windows less freezes let something start, and the freezes themselves."""
    freezes = [Shape(Interval(each.start, each.end), "freeze") for each in run.terms.freezes]
    return [*_openings(run, between), *freezes]


def _openings(run: Run, between: Interval) -> Iterable[Shape]:
    at = between.start
    for _ in range(MOST_BANDS if run.terms.windows else 0):
        found = opening(run.terms.windows, run.terms.freezes, at)
        if found is None or found.start >= between.end:
            return
        end = min(found.end or between.end, between.end)
        yield Shape(Interval(found.start, end), "window")
        if end >= between.end:
            return
        at = end


def _within(time: Interval, between: Interval) -> bool:
    return time.start <= between.end and between.start <= time.end


def _over(run: Run) -> bool:
    """Whether Azure has done what was left to it; it may not have been seen at work yet."""
    return bool(run.batches) and run.settled
