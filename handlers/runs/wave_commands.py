"""A person's command for a whole wave, to each run that it is for, or to the limits.

Each run takes it as if it had been said to it alone: on its own record before it is answered, or refused with
the sentence why. Said again, what is done already stays as it is.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from handlers import deadline
from handlers.cloud.records import Conflict, Listed, StorageDown
from handlers.cloud.side_by_side import side_by_side
from handlers.log import logger
from handlers.repository.runs import place_of
from handlers.runs import commands, limits, queue
from handlers.wire.command_request import Refused
from handlers.wire.documents import BadRecord, NewerRecord, waves_of
from handlers.wire.wave_request import Which
from handlers.wiring import Wiring
from handlers.words import answers as words
from planner.azure.wave import Wave
from planner.policy.limits import RaisedLimits, numbers
from planner.record.command import Command
from planner.record.states import ACTIVE

log = logger(__name__)

AT_ONCE = 16
"""Runs whose records are written side by side."""

ONE_COMMAND = timedelta(minutes=1)
"""With less time than this no further run is told: whoever asked would hear that nobody knows."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of the command at one run: a refusal, or why it could not be written, or neither."""

    scale_set: str
    refused: str = ""
    failed: str = ""


async def waves(tracking_id: str, subscription: str, wiring: Wiring) -> list[Wave]:
    """The wave's records, one a subscription, or the one of this subscription. Raises Refused."""
    known = await wiring.waves.of(tracking_id)
    found = [wave for wave in known if subscription in {"", wave.subscription.lower()}]
    if not found:
        raise Refused(404, words.no_wave(tracking_id, subscription))
    return found


async def active(tracking_id: str, known: Iterable[Wave], wiring: Wiring) -> list[Listed]:
    """The lines of the wave's runs that are not over."""
    lines: list[Listed] = []
    for wave in known:
        listed = await wiring.runs.of_subscription(wave.subscription, fresh=True)
        lines += [
            line
            for line in listed
            if tracking_id in waves_of(line.metadata) and line.metadata.get("state") in ACTIVE
        ]
    return lines


async def chosen(which: Which, lines: list[Listed], wiring: Wiring) -> list[Listed]:
    """Those of the lines that a command is for."""
    if which is Which.ALL:
        return lines
    waiting = [line for line in lines if "begun" not in line.metadata]
    if which is Which.WAITING:
        return waiting
    late = await queue.late(waiting, wiring)
    return [line for line in waiting if line.path in late]


async def raisable(raised: Mapping[str, int], known: Iterable[Wave], wiring: Wiring) -> None:
    """Raises Refused where these limits cannot be raised, or are so already."""
    for wave in known:
        now = numbers(await limits.of(wave.subscription, wiring))
        for key, number in raised.items():
            if key not in now:
                raise Refused(409, words.no_such_limit(key))
            if number <= now[key]:
                raise Refused(409, words.limit_allows_already(key, now[key]))
        if not wave.open:
            raise Refused(409, words.wave_over(wave.tracking_id))


async def raise_limits(
    raised: Mapping[str, int], known: Sequence[Wave], actor: str, comment: str, wiring: Wiring
) -> str:
    """The limits raised until the wave is over, in a sentence; those who wait for them are woken."""
    for wave in known:
        more = RaisedLimits(wave.tracking_id, wave.subscription, raised, actor, comment, wiring.now())
        await wiring.raised_limits.add(more)
    await pass_on({wave.subscription for wave in known}, wiring)
    log.info("wave.limits", extra={"wave": known[0].tracking_id, "limits": dict(raised)})
    return words.limits_raised(raised)


async def said(
    command: Callable[[], Command],
    lines: Sequence[Listed],
    tracking_id: str,
    wiring: Wiring,
    traceparent: str = "",
) -> list[Outcome]:
    """What came of it at each of these runs; `command` makes what each is told.

    Whose turn has come is woken.
    """

    async def say(line: Listed) -> Outcome:
        return await _one(command(), line, tracking_id, wiring, traceparent)

    outcomes = await side_by_side(say, lines, AT_ONCE)
    await pass_on({place_of(line)[0] for line in lines}, wiring)
    return outcomes


async def _one(command: Command, line: Listed, tracking_id: str, wiring: Wiring, traceparent: str) -> Outcome:
    name = "/".join(place_of(line)[1:])
    if deadline.left() < ONE_COMMAND:
        return Outcome(name, failed=words.NO_TIME_LEFT)
    try:
        await commands.taken(command, line.path, tracking_id, wiring, traceparent, pass_on=False)
    except Refused as refused:
        return Outcome(name, refused=refused.sentence)
    except (StorageDown, Conflict, NewerRecord, BadRecord, LookupError) as error:
        log.warning("wave.run_later", extra={"path": line.path, "why": str(error)})
        return Outcome(name, failed=str(error))
    return Outcome(name)


async def pass_on(subscriptions: Iterable[str], wiring: Wiring) -> None:
    """Wake whose turn has come; the sweep does it, too."""
    for subscription in sorted(subscriptions):
        try:
            await queue.wake(subscription, wiring)
        except StorageDown as error:
            log.warning("queue.wake_lost", extra={"subscription": subscription, "why": str(error)})


def sentence(outcomes: Sequence[Outcome]) -> str:
    """Who took it, and who did not and why."""
    refused = [each for each in outcomes if each.refused]
    failed = [each for each in outcomes if each.failed]
    taken = len(outcomes) - len(refused) - len(failed)
    sentences = [words.taken_by(taken)]
    if refused:
        sentences.append(words.refused_by(len(refused), refused[0].scale_set, refused[0].refused))
    if failed:
        sentences.append(words.unreached(len(failed), failed[0].scale_set, failed[0].failed))
    return " ".join(sentences)
