"""Why a command would change nothing: then it is refused, with this sentence."""

from planner.people import approval
from planner.policy.keys import PARSERS
from planner.policy.model import Mode
from planner.policy.overrides import raised_further
from planner.record.command import Command
from planner.record.run import Run
from planner.record.states import RunState
from planner.words import commands as words


def approve(run: Run, command: Command) -> str:
    """An approval is for one plan, which it names by its checksum."""
    if not approval.wanted(run):
        if run.terms.mode is not Mode.APPROVE:
            return words.mode_asks_nobody(run.terms.mode)
        return words.APPROVED_ALREADY
    if command.checksum == run.people.checksum:
        return ""
    if not command.checksum:
        return words.names_no_plan(run.people.checksum)
    return words.for_another_plan(command.checksum, run.people.checksum)


def hold(run: Run, command: Command) -> str:
    """Held once is held; who holds it is told."""
    del command
    return words.held_already(run.people.held) if run.people.holding else ""


def quarantined(run: Run, command: Command) -> str:
    """Each cause pauses once."""
    return words.PAUSED_ALREADY if command.comment and command.comment in run.people.held else ""


def resume(run: Run, command: Command) -> str:
    """There is something to resume while it is paused, or asks whether to go on though time is short."""
    del command
    if run.state is RunState.PAUSED or run.people.choices:
        return ""
    if run.state is RunState.AWAITING_APPROVAL:
        return words.waits_for_approval(run.people.checksum, run.reason)
    return words.not_paused(run.state, run.reason)


def raised(run: Run, command: Command) -> str:
    """What is so already is not raised again."""
    same = {key: text for key, text in command.raised.items() if _so(run, key, text)}
    if len(same) < len(command.raised):
        return ""
    return words.raised_already(words.values(same)) if same else words.RAISES_NOTHING


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
        return words.nothing_pages(run.state, run.reason)
    if command.notice not in {0, alarm.number}:
        return words.EARLIER_TROUBLE
    if alarm.taken_at is not None:
        return words.taken_already(alarm.taken_by, alarm.taken_at)
    return ""


def let_pass(run: Run, command: Command) -> str:
    del command
    if run.state is not RunState.PAUSED:
        return words.only_paused_lets_pass(run.state)
    if run.people.lets_pass:
        return words.LETS_OTHERS_GO_ALREADY
    if not run.claims:
        return words.TAKES_NO_PLACE
    flying = next((instance.id for instance in run.instances if instance.in_flight), "")
    if flying:
        return words.still_watched(flying)
    return ""
