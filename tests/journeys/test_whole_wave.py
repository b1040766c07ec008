"""Commands for a whole wave that does not fit: more at once, wider windows, or left to Azure."""

import html
import json
import shlex
from datetime import timedelta
from typing import Any

import pytest

from handlers.runs import limits, queue
from handlers.stages import report
from handlers.wire.documents import encode
from handlers.wire.http import Request
from planner.places.outlook import Outlook
from planner.policy.limits import RaisedLimits
from planner.policy.model import Limits
from planner.record.states import ENDED, RunState
from simulator.fleet import SUBSCRIPTION
from simulator.lies import Lies
from tests.journeys.test_queue import DAY, ID, Queue, names
from tests.world.chaos import Chaos
from tests.world.mailbox import Mailbox
from tests.world.promises import broken
from tests.world.world import START

H = timedelta(hours=1)
NIGHTS = {"soak": "1h", "windows": "daily 22:00-02:00 UTC", "lead": "6h"}


async def overloaded(**more: Any) -> Queue:
    """Twenty-four sets of which two at a time do not fit into eight nights."""
    azure = Queue(Limits(scale_sets=2), **NIGHTS, **more)
    await azure.announced(dict.fromkeys(names("set", 24), "westeurope"), days=8)
    await azure.until(START + 30 * timedelta(minutes=1))
    return azure


async def seen(azure: Queue) -> Outlook:
    lines = await azure.wiring.runs.of_subscription(SUBSCRIPTION, fresh=True)
    [found] = await queue.outlooks(lines, azure.wiring)
    return found


def ended(azure: Queue, state: RunState) -> int:
    return sum(run.state is state for run in azure.runs().values())


async def test_a_limit_raised_for_the_wave_gives_everybody_a_place_until_the_wave_is_over() -> None:
    azure = await overloaded()
    before = await seen(azure)
    [(key, enough)] = before.enough
    assert key == "scale-sets"
    status, said = await azure.say_of_the_wave(ID, "raise", **{key: enough})
    assert (status, said["reason"]) == (202, f"`scale-sets` is {enough} until the wave is over.")
    after = await seen(azure)
    assert after.late == ()
    assert f"ana raised `scale-sets` to {enough}: as agreed" in after.sentence
    status, said = await azure.say_of_the_wave(ID, "raise", **{key: enough})
    assert (status, said["reason"]) == (409, f"`limits.scale-sets` allows {enough} already.")
    await azure.until(START + 9 * DAY, when=azure.over)
    assert ended(azure, RunState.COMPLETED) == 24
    assert broken(azure, limits=Limits(scale_sets=enough)) == []
    await azure.alert(ID, "Complete")
    await azure.until(azure.clock() + H)
    assert (await limits.of(SUBSCRIPTION, azure.wiring)).scale_sets == 2
    assert not [path for path in azure.records.documents if path.startswith("limits/")]


async def test_each_choice_of_the_digest_is_taken_as_it_stands_there_and_does_what_it_says() -> None:
    mailbox = Mailbox()
    azure = await overloaded(mailbox=mailbox)
    (digest,) = mailbox.mails
    choices = digest.message.payload["choices"]
    assert [choice["word"] for choice in choices] == ["raise", "raise", "skip"]
    for choice in choices:
        words = shlex.split(choice["command"])
        assert words[3] == f"$BREAKWATER_URL/api/waves/{ID}/{choice['word']}"
        said = {**json.loads(words[-1]), "actor": "ana", "comment": "as agreed"}
        late = (await seen(azure)).late
        status, _ = await azure.say_of_the_wave(ID, choice["word"], **said)
        # After the first one everybody has a place: there is nothing left to choose.
        assert status == (202 if late else 409)
    assert (await seen(azure)).late == ()


async def test_sets_that_lose_their_places_are_told_again_with_what_can_be_chosen_for_the_wave() -> None:
    mailbox = Mailbox()
    azure = Queue(Limits(scale_sets=1), mailbox=mailbox)
    await azure.announced(dict.fromkeys(names("set", 6), "westeurope"), days=3)
    await azure.until(START + 3 * H)
    assert "6 scale sets fit before the deadline" in mailbox.mails[0].message.text
    (flying,) = [name for name, run in azure.runs().items() if run.begun and run.ended_at is None]
    assert await azure.say(flying, "hold") == 202
    waiting = sum(not run.begun for run in azure.runs().values())
    before = len(mailbox.mails)
    await azure.until(START + 12 * H)
    told = next(mail.message for mail in mailbox.mails[before:] if "held up" in mail.message.subject)
    assert f"Places: {waiting} scale sets do not fit before the deadline" in told.text
    assert told.payload["choices"][0]["sentence"].startswith("Raise `scale-sets` to 2 until the wave is over")
    assert (await azure.say_of_the_wave(ID, "raise", **{"scale-sets": 2}))[0] == 202
    await azure.until(START + 3 * DAY)
    assert ended(azure, RunState.COMPLETED) == 5


async def test_the_waves_page_offers_the_same_choices_until_all_have_a_place() -> None:
    mailbox = Mailbox()
    azure = await overloaded(mailbox=mailbox)
    page = await shown(azure)
    (digest,) = mailbox.mails
    for choice in digest.message.payload["choices"]:
        assert choice["command"] in page
        assert choice["sentence"] in page
    assert (await azure.say_of_the_wave(ID, "skip", runs="late"))[0] == 202
    assert "What you can choose for the wave" not in await shown(azure)


async def shown(azure: Queue) -> str:
    azure.clock.advance(timedelta(minutes=1))
    answer = await report.handle(Request("GET", {"wave": ID}), azure.wiring)
    return html.unescape(str(answer.body))


async def test_wider_windows_for_those_without_a_place_are_one_command() -> None:
    azure = await overloaded()
    late = set((await seen(azure)).late)
    status, said = await azure.say_of_the_wave(ID, "raise", runs="late", windows="daily 18:00-06:00 UTC")
    assert status == 202
    assert {name.rpartition("/")[2] for name in said["scale_sets"]} == late
    await azure.until(azure.clock() + H)
    assert len((await seen(azure)).late) < len(late)
    for name, run in azure.runs().items():
        assert bool(run.terms.raised) == (name in late)


async def test_leaving_to_azure_what_has_no_place_is_one_command_and_the_rest_goes_on() -> None:
    azure = await overloaded()
    late = set((await seen(azure)).late)
    assert 2 < len(late) < 20
    status, said = await azure.say_of_the_wave(ID, "skip", runs="late")
    assert (status, said["reason"]) == (202, f"{len(late)} scale sets took it.")
    status, said = await azure.say_of_the_wave(ID, "skip", runs="late")
    assert status == 409
    assert said["reason"] == "Every scale set of the wave that has not begun has a place before its deadline."
    assert (await seen(azure)).late == ()
    await azure.until(START + 9 * DAY, when=azure.over)
    done = {name for name, run in azure.runs().items() if run.state is RunState.COMPLETED}
    assert not any(azure.run_of(name).begun for name in late)
    assert done >= azure.runs().keys() - late


async def test_holding_the_wave_holds_every_run_and_says_who_was_held_already() -> None:
    azure = await overloaded()
    assert await azure.say("set03", "hold") == 202
    status, said = await azure.say_of_the_wave(ID, "hold", runs="all")
    assert (status, len(said["scale_sets"]), len(said["refused"])) == (202, 23, 1)
    assert "1 scale set did not, such as rg-breakwater/set03: " in said["reason"]
    assert {run.state for run in azure.runs().values()} == {RunState.PAUSED}
    await azure.until(START + 3 * DAY)
    assert not any(run.begun for run in azure.runs().values())


async def test_an_unknown_wave_or_limit_is_refused_with_the_reason() -> None:
    azure = await overloaded()
    status, said = await azure.say_of_the_wave("NO-SUCH", "hold", runs="all")
    assert (status, said["reason"]) == (404, "No announcement of a wave NO-SUCH is on record.")
    status, said = await azure.say_of_the_wave(ID, "raise", **{"per-region": 9})
    assert (status, said["reason"]) == (
        409,
        "The policy file has no `limits.per-region` that could be raised.",
    )


async def test_a_raise_on_record_that_nobody_can_read_leaves_the_files_limits_in_force() -> None:
    azure = await overloaded()
    raised = RaisedLimits(ID, SUBSCRIPTION, {"scale-sets": 9}, "ana", "", START)
    await azure.records.create(f"limits/{SUBSCRIPTION}/{ID}.json", encode(raised))
    assert (await limits.of(SUBSCRIPTION, azure.wiring)).scale_sets == 9
    body = json.dumps({"numbers": "many"}).encode()
    stored = await azure.records.read(f"limits/{SUBSCRIPTION}/{ID}.json")
    await azure.records.write(stored.path, body, etag=stored.etag)
    azure.clock.advance(H)
    assert (await limits.of(SUBSCRIPTION, azure.wiring)).scale_sets == 2


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("kill", "storage", "lies"),
    [(0.02, 0, ""), (0, 0.05, ""), (0, 0, "word-conflict=0.3"), (0, 0, "lost-record=0.1")],
)
async def test_said_again_after_a_death_or_a_503_each_run_takes_it_once(
    seed: int, kill: float, storage: float, lies: str
) -> None:
    azure = await overloaded(chaos=Chaos(seed), lies=Lies.parse(lies, seed))
    azure.chaos.kill, azure.chaos.storage = kill, storage
    status, _ = await azure.say_of_the_wave(ID, "skip", runs="waiting")
    assert status in {202, 409}
    azure.chaos.kill = azure.chaos.storage = 0
    await azure.until(azure.clock() + 12 * H)
    for run in azure.runs().values():
        assert run.state in ENDED
        assert sum(entry.event == "skip" for entry in run.story.history) == 1
