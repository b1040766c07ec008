"""What a command will do, in sentences, before it is given."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from handlers.cli import clock
from handlers.cli.app_client import quoted
from handlers.cli.app_waves import NEEDS, Run, Wave
from handlers.cli.output import Format, Out
from handlers.cli.run_view import batches, clock_of, state_of, why
from planner.record.states import ACTIVE
from planner.text.phrases import many, some

if TYPE_CHECKING:
    from handlers.cli.acting import Said

WAITING = frozenset({"pending", "aside"})
FLYING = frozenset({"starting", "rebooting", "verifying"})
FOR = {
    "late": "each scale set that has not begun and has no place before its deadline",
    "waiting": "each scale set that has not begun",
    "all": "each active scale set",
}


def of_run(out: Out, said: "Said", seen: Run, name: str) -> None:
    """Where the scale set stands, and what the command does to it."""
    out = _aside(out)
    there = clock_of([seen], clock.now())
    out.say(there.said(f"{name} in {said.wave}, {state_of(seen, out)}: {why(seen)}"), "bold")
    if said.action in {"approve", "skip", "raise", "resume"}:
        batches(out, seen, there)
    for sentence in (*_what(said, seen, name), _why(said)):
        out.say(sentence)


def of_wave(out: Out, said: "Said", document: Wave) -> None:
    """What the command does to the wave's scale sets, or to its limits."""
    out = _aside(out)
    active = sum(run["state"] in ACTIVE for run in document["runs"])
    needs = sum(run["state"] in NEEDS for run in document["runs"])
    out.say(
        f"{said.wave}: {many(active, 'active scale set')}, {needs} of them need your action.",
        "bold",
    )
    values = _values(said)
    if not said.runs:
        out.say(f"Raises the limits of the whole wave until it is over: {values}.")
    else:
        out.say(f"Sends {said.called} to {FOR[said.runs]}{f': {values}' if values else ''}.")
        out.say("Each takes it or refuses it by itself; the answer names those that refuse, and why.")
    out.say(_why(said))


def _what(said: "Said", seen: Run, name: str) -> Iterator[str]:
    every = [each for batch in seen["batches"] for each in batch["instances"]]
    left = [each["id"] for each in every if each["state"] in WAITING]
    flying = [each["id"] for each in every if each["state"] in FLYING]
    failed = [each["id"] for each in every if each["state"] == "failed"]
    match said.action:
        case "approve":
            yield f"Approves the plan {seen['checksum']}: {many(len(left), 'instance')} will be rebooted."
            yield "Lead time, windows and limits still count."
            yield f"To stop it later: breakwater hold {said.wave} {quoted(name)}"
        case "hold":
            yield "Pauses it: nothing new starts."
            if flying:
                yield f"Reboots in progress are watched to their end: {_instances(flying)}."
            yield f"To go on: breakwater resume {said.wave} {quoted(name)}"
        case "resume":
            if failed:
                yield f"Looks again at what failed, and tries it again where it may: {_instances(failed)}."
            yield f"Goes on: {many(len(left), 'instance')} still to be rebooted."
        case "skip":
            yield f"Leaves to Azure: {_skipped(said, left)}. This cannot be taken back."
            yield "Azure reboots them at a time it chooses."
        case "raise":
            yield f"Changes this plan alone: {_values(said)}. The plan is made anew with it."
        case "let-pass":
            others = (seen["holds_up"] or {}).get("scale_sets", 0)
            yield (
                f"Lets {many(others, 'scale set')} that wait for a limit go first."
                if others
                else "No scale set waits for it: this only gives up its place."
            )
            yield "It needs a place of its own again before it starts anything more."
        case _:
            yield "It pages nobody any more until something else goes down. It stays paused."


def _skipped(said: "Said", left: list[str]) -> str:
    named = [f"instance {each}" for each in said.fields.get("instances", ())]
    named += [f"domain {each!r}" for each in said.fields.get("domains", ())]
    return some(named) if named else f"all that has not been started ({_instances(left)})"


def _instances(ids: list[str]) -> str:
    return f"instance{'s' if len(ids) > 1 else ''} {some(ids)}" if ids else "no instance"


def _values(said: "Said") -> str:
    return ", ".join(f"{key} {value}" for key, value in said.fields.items())


def _why(said: "Said") -> str:
    return f"Reason: {said.reason}" if said.reason else "Reason: none given (--reason)."


def _aside(out: Out) -> Out:
    """Said beside the answer: a script's standard output has the app's answer alone."""
    return out if out.format is Format.TABLE else Out.aside()
