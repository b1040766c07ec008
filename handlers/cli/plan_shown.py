"""A plan as it is asked for: what would become of each scale set, the counts, and the answer for programs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from handlers.cli.dry_run import Planned
from handlers.render import contract, facts
from handlers.render.moments import Clock, zone_of
from planner.notices.digest import Group, group
from planner.record.run import Run, Verdict


class Fate(StrEnum):
    """What would become of a scale set, in the order in which a reader wants to know it."""

    PERSON = "needs_you"
    LATE = "too_late"
    OURS = "by_us"
    OBSERVED = "observed"
    AZURE = "left_to_azure"
    NOT_HIT = "not_affected"


COUNTED: Mapping[Fate, tuple[str, str]] = {
    Fate.OURS: ("to reboot by us", "to reboot by us"),
    Fate.AZURE: ("left to Azure", "left to Azure"),
    Fate.OBSERVED: ("only observed", "only observed"),
    Fate.NOT_HIT: ("not affected", "not affected"),
    Fate.LATE: ("without a place in time", "without a place in time"),
    Fate.PERSON: ("needs you", "need you"),
}
"""How each is counted, for one and for several."""


def fate(run: Run) -> Fate:
    """What would become of the scale set."""
    if run.verdict is Verdict.SELF_SERVICE and group(run) is Group.AZURE:
        return Fate.OBSERVED
    late = run.times.slack is None or run.times.slack < timedelta(0)
    if group(run) is Group.OURS and run.times.deadline is not None and late:
        return Fate.LATE
    known = {Group.PERSON: Fate.PERSON, Group.OURS: Fate.OURS, Group.NOT_HIT: Fate.NOT_HIT}
    return known.get(group(run), Fate.AZURE)


@dataclass(frozen=True, slots=True)
class Shown:
    """The plan as asked for: the runs that are shown, and by which policy (a path, or empty for built in)."""

    planned: Planned
    runs: tuple[Run, ...]
    policy: str
    as_if: bool

    @property
    def clock(self) -> Clock:
        """In the zone of the windows, where they share one."""
        return Clock(zone_of(self.runs or self.planned.runs), self.planned.at)

    def of(self, wanted: Fate) -> list[Run]:
        return [run for run in self.runs if fate(run) is wanted]

    def counts(self) -> str:
        """`3 to reboot by us, 41 left to Azure, 2 need you`."""
        numbers = {each: len(self.of(each)) for each in COUNTED}
        always = {Fate.OURS, Fate.AZURE}
        return ", ".join(
            f"{number} {COUNTED[each][number > 1]}"
            for each, number in numbers.items()
            if number or each in always
        )


def chosen(runs: Sequence[Run], patterns: Sequence[str]) -> tuple[Run, ...]:
    """The runs whose scale set one of the patterns names; all without patterns. In the order of a report."""
    picked = [run for run in runs if not patterns or any(_named(run, each.lower()) for each in patterns)]
    return tuple(contract.in_order(picked))


def _named(run: Run, pattern: str) -> bool:
    target = run.target
    names = (target.name, f"{target.resource_group}/{target.name}", target.id)
    return any(fnmatchcase(name.lower(), pattern) for name in names)


def document(shown: Shown) -> dict[str, Any]:
    """The plan for programs; a scale set is as in the app's own JSON (docs/report.md)."""
    planned = shown.planned
    return {
        "read_at": contract.instant(planned.at),
        "as_if": shown.as_if,
        "policy": shown.policy or None,
        "stopped": planned.stopped,
        "counts": {each.value: len(shown.of(each)) for each in Fate},
        "waves": [
            {
                "tracking_id": wave.tracking_id,
                "subscription": wave.subscription,
                "stage": wave.stage.value,
                "title": wave.current.title,
                "level": wave.current.level,
                "regions": list(wave.current.regions),
            }
            for wave in planned.waves
        ],
        "scale_sets": [
            {"fate": fate(run).value, **contract.run_document(run, planned.at)} for run in shown.runs
        ],
        "outlooks": [each.sentence for each in planned.outlooks],
        "remarks": list(planned.remarks),
        "unread": [{"what": each.what, "why": each.why} for each in planned.unread],
    }


def row(run: Run) -> tuple[object, ...]:
    """One line of the plan for pipes: fate, names, first start, end, deadline, reason."""
    moments = (facts.begins(run), run.times.forecast_end, run.times.deadline)
    return (
        fate(run).value,
        run.target.subscription,
        run.target.resource_group,
        run.target.name,
        *(contract.instant(each) or "-" for each in moments),
        run.reason,
    )
