"""What `breakwater plan` prints: first the counts, then each scale set with what would happen and why."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from handlers.cli.as_if import AS_IF, SELF_SERVICE, is_made_up
from handlers.cli.output import Format, Out
from handlers.cli.plan_shown import Fate, Shown, document, row
from handlers.render import facts
from planner.azure.wave import Wave
from planner.policy.model import CheckName
from planner.record.run import Run
from planner.schedule.timing import next_start
from planner.text.phrases import many, short, some, upper

HEADED = ("Left to Azure: ", "Not affected: ")
"""How reasons begin that stand under a heading which says the same."""

ITEM = "- "

NAMES = 12
"""Scale sets that one line names where many share a reason."""

HEADINGS: Mapping[Fate, str] = {
    Fate.PERSON: "Needs you",
    Fate.LATE: "No place before the deadline: what does not start in time is left to Azure",
    Fate.OURS: "To reboot by us",
    Fate.OBSERVED: "Only observed (mode `observe`): nothing is started",
    Fate.AZURE: "Left to Azure",
    Fate.NOT_HIT: "Not affected",
}

MARKS: Mapping[Fate, tuple[str, str]] = {
    Fate.PERSON: ("!", "yellow"),
    Fate.LATE: ("x", "red"),
    Fate.OURS: ("+", "green"),
    Fate.OBSERVED: ("~", "cyan"),
    Fate.AZURE: ("-", ""),
    Fate.NOT_HIT: (" ", "dim"),
}


def printed(shown: Shown, out: Out) -> None:
    """Print the plan in the format asked for."""
    if out.format is Format.JSON:
        out.json(document(shown))
    elif out.format is Format.PLAIN:
        out.table((), [row(run) for run in shown.runs])
    else:
        _Page(shown, out).print()


class _Page:
    """The plan for people."""

    def __init__(self, shown: Shown, out: Out) -> None:
        self.shown, self.out, self.clock = shown, out, shown.clock
        self.planned = shown.planned

    def print(self) -> None:
        self.out.say(f"As of {self.clock.at(self.planned.at)}.", "dim")
        for wave in self._waves():
            self.out.say(self._wave(wave), "bold")
            self.out.say(self._windows(wave), indent=2)
        if self.planned.stopped:
            self.out.say(f"Nothing would start now. {self.planned.stopped}", "bold yellow")
        self.out.say("")
        self.out.say(f"{self.shown.counts()}.", "bold")
        for each, sentences in (
            (Fate.PERSON, self._each),
            (Fate.LATE, self._each),
            (Fate.OURS, self._each),
            (Fate.OBSERVED, self._each),
            (Fate.AZURE, self._by_reason),
            (Fate.NOT_HIT, self._by_reason),
        ):
            if runs := self.shown.of(each):
                self.out.say("")
                self.out.say(f"{HEADINGS[each]} ({len(runs)})", "bold underline")
                sentences(each, runs)
        for outlook in self.planned.outlooks:
            self.out.say("")
            self.out.say(self.clock.said(outlook.sentence))
        for remark in self.planned.remarks:
            self.out.say("")
            self.out.say(self.clock.said(remark), "yellow")

    def _waves(self) -> list[Wave]:
        """One of each wave: its subscriptions say the same."""
        return list({wave.tracking_id: wave for wave in self.planned.waves}.values())

    def _wave(self, wave: Wave) -> str:
        if wave.tracking_id == AS_IF:
            return (
                f"If every instance were due from {self.clock.at(self.planned.at)} on, "
                f"with {SELF_SERVICE.days} days of self-service:"
            )
        said = wave.current
        urgent = "EMERGENCY maintenance" if said.emergency else "Planned maintenance"
        where = some(said.regions, most=4) if said.regions else "every region"
        title = f": {said.title}" if said.title else ""
        return f"{urgent} {wave.tracking_id} in {where}{title}"

    def _windows(self, wave: Wave) -> str:
        """From when to when we may reboot, and when Azure does."""
        made_up = wave.tracking_id == AS_IF
        concerned = [run.times for run in self.planned.runs if wave.tracking_id in run.waves]
        times = [each for each in concerned if is_made_up(each.self_service, self.planned.at) == made_up]
        ours = [each.self_service for each in times if each.self_service is not None]
        azures = [each.scheduled for each in times if each.scheduled is not None]
        if not ours or not azures:
            return "Every instance is due as it is." if made_up else "No instance shows maintenance."
        mine = self.clock.span(min(each.start for each in ours), min(each.end for each in ours))
        last = self.clock.span(min(each.start for each in azures), max(each.end for each in azures))
        return f"Self-service {mine}. Azure reboots the rest {last}."

    def _each(self, what: Fate, runs: Sequence[Run]) -> None:
        """A scale set at a time."""
        mark, style = MARKS[what]
        for run in runs:
            self.out.say(f"{mark} {self._name(run)}  {self._size(run)}", style)
            for sentence in self._facts(run):
                listed = sentence.startswith(ITEM)
                self.out.say(sentence.removeprefix(ITEM), indent=4, mark=ITEM if listed else "")

    def _name(self, run: Run) -> str:
        return f"{run.target.resource_group}/{run.target.name}"

    def _size(self, run: Run) -> str:
        instances = many(len(run.instances), "instance")
        batches = many(len(run.batches), "batch", "batches")
        return f"{instances} in {batches}, {run.target.location}" if run.batches else run.target.location

    def _facts(self, run: Run) -> list[str]:
        return [
            line
            for line in (
                self._times(run),
                f"Why: {self._said(run.reason)}",
                *(f"Note: {self._said(note)}" for note in notes(run)),
                *map(self._said, facts.sentences(run)),
                *((self._said(run.people.misfit),) if run.people.misfit != run.reason else ()),
                *(("What you can choose:",) if run.people.choices else ()),
                *(f"{ITEM}{self._said(choice.sentence)}" for choice in run.people.choices),
                self._approval(run),
                self._said(facts.capacity(run)),
            )
            if line
        ]

    def _times(self, run: Run) -> str:
        first, end, by = facts.begins(run), run.times.forecast_end, run.times.deadline
        if first is None and by is None:
            return ""
        why = _why_then(run, first, self.planned.at)
        start = f"Starts {self.clock.at(first)}{f' ({why})' if why else ''}" if first else "Finds no time"
        done = f", done {self.clock.at(end)}" if end is not None and first else ""
        left = f", {facts.slack(run)}" if facts.slack(run) else ""
        return f"{start}{done}. {f'Deadline {self.clock.at(by)}{left}.' if by else ''}".strip()

    def _approval(self, run: Run) -> str:
        if run.people.misfit or not run.needs_person:
            return ""
        by = facts.start_by(run)
        return f"Asks you to approve it{f' by {self.clock.at(by)}' if by is not None else ''}."

    def _said(self, text: str) -> str:
        return self.clock.said(text)

    def _by_reason(self, what: Fate, runs: Sequence[Run]) -> None:
        """Many have one reason: each reason once, with the names of those that share it."""
        shared: dict[str, list[str]] = {}
        for run in runs:
            shared.setdefault(self._said(_after_heading(run.reason)), []).append(self._name(run))
        mark, style = MARKS[what]
        for reason, names in sorted(shared.items(), key=lambda each: -len(each[1])):
            self.out.say(upper(reason), style, mark=f"{mark} ")
            self.out.say(some(names, most=NAMES), indent=4)
        for note, names in self._noted(runs).items():
            self.out.say(f"Note: {note}", "yellow", indent=2)
            self.out.say(some(names, most=NAMES), indent=4)

    def _noted(self, runs: Sequence[Run]) -> Mapping[str, list[str]]:
        """What was understood and does not count, a reader may wonder why, with the names concerned."""
        found: dict[str, list[str]] = {}
        for run in runs:
            for note in notes(run):
                found.setdefault(self._said(note), []).append(self._name(run))
        return found


def _after_heading(reason: str) -> str:
    return next((reason.removeprefix(each) for each in HEADED if reason.startswith(each)), reason)


def notes(run: Run) -> tuple[str, ...]:
    """Tags that were understood and do not count."""
    return next((check.evidence for check in run.checks if check.name == CheckName.POLICY), ())


def _why_then(run: Run, first: datetime | None, now: datetime) -> str:
    """Why it does not start at once, where one thing says it."""
    if first is None or first <= now:
        return "at once" if first is not None else ""
    times, terms = run.times, run.terms
    opens = times.self_service.start if times.self_service is not None else None
    alone = max((at for at in (times.lead_over, opens) if at is not None), default=now)
    if first == alone:
        return "self-service opens" if first == opens else f"lead time {short(terms.lead or timedelta(0))}"
    if terms.after:
        return f"after {some(terms.after, most=3)}"
    if first == next_start(terms.windows, terms.freezes, alone, times.expected)[0]:
        return "its window"
    return "its turn in the queue"
