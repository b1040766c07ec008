"""Why a command would change nothing: then it is refused, with this sentence."""

from planner.people import approval
from planner.policy.keys import PARSERS
from planner.policy.model import Mode
from planner.policy.overrides import raised_further
from planner.record.command import Command
from planner.record.run import Run
from planner.record.states import RunState
from planner.text.phrases import say


def approve(run: Run, command: Command) -> str:
    """An approval is for one plan, which it names by its checksum."""
    if not approval.wanted(run):
        if run.terms.mode is not Mode.APPROVE:
            return "Nothing waits for approval: its mode is " + run.terms.mode + "."
        return "Nothing waits for approval: what is left of the plan is approved already."
    if command.checksum == run.people.checksum:
        return ""
    now = f"The plan is {run.people.checksum} now: look at it, then approve it with that checksum."
    if not command.checksum:
        return f"An approval names the plan it is for, in `checksum`. {now}"
    return f"The plan has changed since you saw it: this approval is for {command.checksum}. {now}"


def hold(run: Run, command: Command) -> str:
    """Held once is held; who holds it is told."""
    del command
    return f"It is held already. {run.people.held}" if run.people.holding else ""


def quarantined(run: Run, command: Command) -> str:
    """Each cause pauses once."""
    return "It is paused for this already." if command.comment and command.comment in run.people.held else ""


def resume(run: Run, command: Command) -> str:
    """There is something to resume while it is paused, or asks whether to go on though time is short."""
    del command
    if run.state is RunState.PAUSED or run.people.choices:
        return ""
    if run.state is RunState.AWAITING_APPROVAL:
        return (
            f"It is not paused, it waits for approval: approve the plan {run.people.checksum}. {run.reason}"
        )
    return f"It is neither held nor paused: it is {run.state}. {run.reason}"


def raised(run: Run, command: Command) -> str:
    """What is so already is not raised again."""
    same = [f"{key} {text}" for key, text in command.raised.items() if _so(run, key, text)]
    if len(same) < len(command.raised):
        return ""
    return f"This run has that already: {', '.join(same)}." if same else "It names nothing to raise."


def _so(run: Run, key: str, text: str) -> bool:
    if key == "accept":
        return raised_further(run.terms.raised, {key: text}) == {key: "", **run.terms.raised}
    parse = PARSERS[key]
    if key in run.terms.raised:
        return bool(parse(run.terms.raised[key]) == parse(text))
    match key:
        case "soak":
            return bool(parse(text) == run.terms.soak)
        case "lead":
            return bool(parse(text) == run.terms.lead)
        case "windows":
            windows = parse(text)
            return run.terms.windows == ((windows,) if windows else ())
        case _:
            # What the policy says of the others is not on the run's record.
            return False


def acknowledge(run: Run, command: Command) -> str:
    """Somebody takes what pages; an acknowledgement is for one trouble and not for the next."""
    alarm = run.alarmed
    if alarm is None:
        return f"Nothing of it pages: the run is {run.state}. {run.reason}"
    if command.notice not in {0, alarm.number}:
        return "It was about an earlier trouble; something else has happened since. Look at the run again."
    if alarm.taken_at is not None:
        return f"{alarm.taken_by} has taken it already, at {say(alarm.taken_at)}."
    return ""


def let_pass(run: Run, command: Command) -> str:
    del command
    if run.state is not RunState.PAUSED:
        return f"The run is {run.state} and not paused: only a paused run can let the others pass."
    if run.people.lets_pass:
        return "It lets the others pass already."
    if not run.claims:
        return "Nothing of it was started, so it takes no place and holds up nobody."
    flying = next((instance.id for instance in run.instances if instance.in_flight), "")
    if flying:
        return f"Instance {flying} is still being watched after its start; try again once that is over."
    return ""
