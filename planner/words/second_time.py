"""Why an instance is scheduled for the second time: part of a sentence, but for the first."""

from collections.abc import Sequence
from datetime import datetime

from planner.text.phrases import say


def scheduled_again(ids: Sequence[str], why: str) -> str:
    if len(ids) == 1:
        which = f"Instance {ids[0]} is"
    else:
        which = f"Instances {', '.join(ids[:10])}{' and others' if len(ids) > 10 else ''} are"
    return f"{which} scheduled for the second time: {why}."


def healed(at: datetime) -> str:
    return f"Azure moved it at {say(at)} to repair its host (service healing)"


def stopped_by_schedule(schedule: str, at: datetime) -> str:
    return f"the auto-shutdown schedule {schedule} stops it, last at {say(at)}"


def stopped(at: datetime, actor: str) -> str:
    by = f" by {actor}" if actor else ""
    return f"it was stopped and started since, at {say(at)}{by}"


def stops_daily(schedule: str) -> str:
    return f"the auto-shutdown schedule {schedule} stops it, and a stop makes maintenance due again"


def unknown(unread: str) -> str:
    """`unread` is what could not be read; empty where nothing was looked up."""
    return f"the reason is unknown ({unread or 'nothing was looked up'})"


NOTHING_SHOWN = "Azure shows no restarted wave, no service healing, no stop and start, and no auto-shutdown"


def restarted(wave: str, stage: str, over: datetime, anew: datetime) -> str:
    """A wave that was over in `stage` and began again."""
    return f"wave {wave} was {stage.lower()} at {say(over)} and restarted at {say(anew)}"


def other_wave(wave: str, announced: datetime, called_off: str) -> str:
    """Another wave was announced since, after the wave `called_off` if there was one."""
    before = f" after wave {called_off} was called off" if called_off else ""
    return f"wave {wave} was announced at {say(announced)}{before}"


def announced_anew(wave: str, at: datetime, stage: str) -> str:
    return f"wave {wave} was announced anew at {say(at)} ({stage})"
