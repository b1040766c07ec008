"""Why a wave may touch nothing of yours: the guidance's reasons, each with what speaks for or against it.

"Planned maintenance notifications for Virtual Machine Scale Sets", questions and answers: docs/guidance.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from handlers.render.clock import said
from planner.azure.usage import LOOK_BACK, Source
from planner.azure.wave import Wave
from planner.record.check import Check, Outcome
from planner.record.run import Run
from planner.text.phrases import many, some

DAYS = LOOK_BACK.days


@dataclass(frozen=True, slots=True)
class Reason:
    """What may be the reason, and what Breakwater has read about it."""

    says: str
    evidence: str


def reasons(waves: Sequence[Wave], runs: Sequence[Run], zone: str) -> tuple[Reason, ...]:
    """Every reason, the likeliest first; `runs` are those of the wave that could be read."""
    return (
        Reason("The wave is over, was cancelled, or was changed and leaves yours out.", _stage(waves, zone)),
        Reason("The wave does not show on the machines yet, or not on yours.", _looked(waves, runs, zone)),
        Reason("None of your scale sets is in the wave's regions.", _regions(waves)),
        Reason(
            "The machines were stopped and started, or repaired by Azure, and run on updated hosts by now.",
            _moved(waves),
        ),
        Reason(
            "It needs no reboot: it pauses a machine for some seconds, one fault domain at a time.",
            "Such maintenance shows no status on an instance. What Azure announced stands below.",
        ),
        Reason("Breakwater may not see them.", _unread(waves, runs)),
        Reason(
            "The subscription is marked as Microsoft internal, and Azure shows nothing of it.",
            "Azure does not say so to Breakwater. Whoever owns the subscription knows.",
        ),
        Reason(
            "The portal does not show its Maintenance column.",
            "That hides nothing from Breakwater: it reads each instance's view itself.",
        ),
    )


def _stage(waves: Sequence[Wave], zone: str) -> str:
    if not waves:
        return "No announcement of it is on record."
    return " ".join(
        f"{_of(wave, waves)}Azure's last word: {wave.stage.value}, {said(wave.current.event_time, zone)}."
        for wave in waves
    )


def _looked(waves: Sequence[Wave], runs: Sequence[Run], zone: str) -> str:
    again = "" if any(wave.open for wave in waves) else " The wave is over, so nobody looks again."
    if not runs:
        return f"No instance was read, since there is no scale set to read.{again}"
    shown = sum(len(each.instances) for run in runs for each in run.fleet.shown)
    read = max(run.fleet.shown_at or run.planned_at for run in runs)
    number = sum(run.target.capacity for run in runs)
    again = again or " Breakwater looks again after 15 minutes, an hour, then every six hours."
    return (
        f"{shown} of {many(number, 'instance')} {'shows' if shown == 1 else 'show'} a maintenance status, "
        f"last read {said(read, zone)}.{again}"
    )


def _regions(waves: Sequence[Wave]) -> str:
    found = []
    for wave in waves:
        named = f"The announcement names {some(wave.current.regions)}" if wave.current.regions else (
            "The announcement names no region, so all count"
        )  # fmt: skip
        there = many(len(wave.roster), "scale set")
        found.append(f"{_of(wave, waves)}{named}; the last listing of the subscription had {there} there.")
    return " ".join(found) or "No announcement of it is on record."


def _moved(waves: Sequence[Wave]) -> str:
    known = [wave.evidence for wave in waves if wave.evidence is not None]
    unread = dict.fromkeys(
        each.unread[Source.ACTIVITY_LOG] for each in known if Source.ACTIVITY_LOG in each.unread
    )
    if unread:
        return f"The activity log could not be read: {' '.join(unread)}"
    if not known:
        return "The activity log was not read for this wave."
    habits = [one for each in known for one in each.scale_sets.values()]
    stops, healed = sum(one.stops for one in habits), sum(len(one.healed) for one in habits)
    return (
        f"The activity log of the last {DAYS} days has {many(stops, 'stop')} of your scale sets and "
        f"{many(healed, 'instance')} that Azure moved to repair {'it' if healed == 1 else 'them'}."
    )


def _unread(waves: Sequence[Wave], runs: Sequence[Run]) -> str:
    blind = [run.target.name for run in runs if any(map(_says_unread, run.checks))]
    if blind:
        return f"Of {some(blind, most=5)} not everything could be read."
    if any(wave.roster for wave in waves):
        return "Every scale set that was listed could be read in full."
    return (
        "Its identity lists what its role covers: check the role on the subscription and on every resource "
        "group, and that the alert names the right subscription."
    )


def _says_unread(check: Check) -> bool:
    return "readable" in check.name and check.outcome in {Outcome.BLOCK, Outcome.UNKNOWN}


def _of(wave: Wave, waves: Sequence[Wave]) -> str:
    return f"Subscription {wave.subscription}: " if len(waves) > 1 else ""
