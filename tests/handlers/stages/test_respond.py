"""respond: a person's command, who said it, and what is refused."""

import json
import shlex
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from handlers.cloud.names import run_path, wave_path
from handlers.cloud.records import Conflict, StorageDown
from handlers.stages import respond
from handlers.wire.documents import decode, encode, instant
from handlers.wire.http import Request
from handlers.wire.ids import NOTICES, RUNS
from planner.azure.wave import Announcement, Member, Stage, Wave
from planner.people.commands import SAYABLE
from planner.policy.model import Mode
from planner.record.batch import Batch
from planner.record.command import CommandKind
from planner.record.instance import InstanceProgress
from planner.record.run import Entry, Run
from planner.record.states import BatchState, InstanceState, RunState
from planner.record.waits import Alarm
from tests.handlers.parts import NOW, SUBSCRIPTION, Clock, TestWiring, put, run, scale_set
from tests.places import DOCS

PATH = run_path(SUBSCRIPTION, "Prod-RG", "web")
AGO = NOW - timedelta(hours=1)
HELD = {"state": RunState.PAUSED, "holding": "Held by bo: no.", "reason": "Held by bo: no."}
ASKING = {"state": RunState.AWAITING_APPROVAL, "mode": Mode.APPROVE}


@pytest.fixture
async def wiring(wiring):
    await put(wiring, run())
    return wiring


async def recorded(wiring):
    return decode(Run, (await wiring.records.read(PATH)).body)


async def line(wiring, said) -> Entry:
    """The one line of history that records the accepted word."""
    (found,) = [entry for entry in (await recorded(wiring)).story.history if entry.id == said["id"]]
    return found


WHERE = {"wave": "VM12-3AB", "subscription": SUBSCRIPTION, "group": "prod-rg", "name": "WEB"}


async def say(wiring, action="hold", content=None, where=None, headers=None):
    raw = content if isinstance(content, bytes) else json.dumps(content or {"actor": "ada"}).encode()
    request = Request("POST", WHERE | {"action": action} | (where or {}), {}, headers or {}, raw)
    answer = await respond.handle(request, wiring)
    return answer.status, json.loads(answer.body)


@pytest.mark.parametrize(
    ("action", "before"), [("approve", ASKING), ("hold", {}), ("resume", HELD), ("skip", {})]
)
async def test_a_command_is_on_the_runs_record_with_who_and_why_before_it_is_answered(wiring, action, before):
    await put(wiring, run(**before))
    said = {"actor": " Ada  L. ", "comment": " As agreed. ", "checksum": "c0ffee"}
    status, answer = await say(wiring, action, said)
    assert status == 202
    found = await line(wiring, answer)
    assert (found.event, found.actor, found.at) == (action, "Ada L.", NOW)
    assert found.reason.startswith("As agreed.")
    assert answer["id"] in (await recorded(wiring)).people.events
    assert answer["scale_set"].endswith("/web")


async def test_the_message_that_follows_only_wakes(wiring):
    await say(wiring, "hold")
    (sent,) = wiring.spy.of(RUNS)
    assert (sent.resource_group, sent.name, sent.generation, sent.event) == ("Prod-RG", "web", 4, None)
    assert wiring.spy.delays(RUNS) == [timedelta(0)]
    assert (await recorded(wiring)).generation == 4
    assert [notice.tracking_id for notice in wiring.spy.of(NOTICES)] == ["VM12-3AB"]


async def test_a_hold_has_stopped_the_run_when_it_is_answered(wiring):
    status, said = await say(wiring, "hold", {"actor": "ada", "comment": "Wait."})
    assert (status, said["state"]) == (202, "paused")
    assert said["reason"] == "Held: nothing new starts from now on."
    assert (await recorded(wiring)).reason == "Held by ada: Wait."


async def test_a_wake_that_is_lost_is_found_by_the_sweep_and_the_command_is_taken_all_the_same(wiring):
    await put(wiring, run(due=NOW + timedelta(days=1)))

    async def down(*_, **__):
        raise StorageDown("The queue is away.")

    wiring.queues.send = down
    assert (await say(wiring, "hold"))[0] == 202
    stored = await wiring.records.read(PATH)
    assert stored.metadata["due"] == instant(NOW)
    assert (await recorded(wiring)).due == NOW


def writes(wiring, *happenings):
    """Each happening is instead of one write; None lets it pass."""
    real, waiting = wiring.records.write, list(happenings)

    async def write(*args, **options):
        happening = waiting.pop(0) if waiting else None
        return await (happening or real)(*args, **options)

    wiring.records.write = write
    return real


async def test_a_command_that_meets_another_writer_is_written_on_what_that_one_wrote(wiring):
    async def other(*_, **__):
        wiring.records.write = real
        await put(wiring, run(generation=8, reason="Somebody was quicker."))
        raise Conflict("Somebody wrote in between.")

    real = writes(wiring, other)
    status, said = await say(wiring, "hold")
    assert status == 202
    assert (await line(wiring, said)).event == "hold"
    assert (await recorded(wiring)).generation == 9
    assert wiring.spy.of(RUNS)[-1].generation == 9


async def test_a_command_that_has_become_pointless_meanwhile_is_refused(wiring):
    async def other(*_, **__):
        wiring.records.write = real
        await put(wiring, run(**HELD))
        raise Conflict("Somebody wrote in between.")

    real = writes(wiring, other)
    status, said = await say(wiring, "hold")
    assert (status, said["reason"]) == (409, "It is held already. Held by bo: no.")


async def test_a_command_that_finds_no_way_on_record_is_not_answered_as_taken(wiring):
    async def busy(*_, **__):
        raise Conflict("Somebody wrote in between.")

    writes(wiring, *(5 * [busy]))
    status, said = await say(wiring, "hold")
    assert status == 503
    assert "try again in a minute" in said["reason"]
    assert not (await recorded(wiring)).story.history
    assert not wiring.spy.of(RUNS)


async def test_a_write_whose_answer_is_lost_is_taken_once(wiring):
    for lost in (StorageDown("No answer."), Conflict("Our own retry met our own write.")):
        await put(wiring, run())

        async def write(*args, lost=lost, real=wiring.records.write, **options):
            await real(*args, **options)
            raise lost

        real = writes(wiring, write)
        status, said = await say(wiring, "hold")
        wiring.records.write = real
        assert status == 202
        assert (await line(wiring, said)).event == "hold"
        assert wiring.spy.of(NOTICES)


async def test_a_write_that_storage_did_not_take_is_503_and_not_on_record(wiring):
    async def down(*_, **__):
        raise StorageDown("Storage is away.")

    writes(wiring, down)
    assert (await say(wiring, "hold"))[0] == 503
    assert not (await recorded(wiring)).story.history


async def test_a_resume_reads_from_storage_whom_the_run_waits_for(wiring):
    """It goes after a set that was missed: whoever resumes it lets that one pass, and nobody else."""
    names = ("web", "db", "cache")
    roster = tuple(Member(scale_set(one), after=("db", "cache") if one == "web" else ()) for one in names)
    heard = Announcement("VM12-3AB", SUBSCRIPTION, "c", Stage.PLANNED, "a" * 64, AGO, AGO, AGO)
    wave = Wave("VM12-3AB", SUBSCRIPTION, (heard,), roster)
    await wiring.records.create(wave_path("VM12-3AB", SUBSCRIPTION), encode(wave))
    await put(wiring, run("db", state=RunState.MISSED, ended_at=AGO))
    await put(wiring, run("cache", state=RunState.RUNNING))
    await put(wiring, run(state=RunState.PAUSED, reason="It goes after db.", after=("db", "cache")))

    assert (await say(wiring, "resume"))[0] == 202
    assert (await recorded(wiring)).people.waived == ("db",)


# Who says it ---------------------------------------------------------------------------------------------


SIGNED_IN = {"x-ms-client-principal-name": "ada@contoso.com"}


async def test_who_signed_in_counts_where_the_platform_guards_the_app(storage, wiring):
    guarded = TestWiring(storage, Clock(), platform_auth=True)
    status, said = await say(guarded, "hold", {"actor": "mallory"}, headers=SIGNED_IN)
    assert (status, (await line(wiring, said)).actor) == (202, "ada@contoso.com")
    await guarded.close()


async def test_the_platforms_header_counts_for_nothing_where_any_client_can_send_it(wiring):
    assert (await say(wiring, "hold", b"{}", headers=SIGNED_IN))[0] == 400
    status, said = await say(wiring, "hold", {"actor": "bo"}, headers=SIGNED_IN)
    assert (status, (await line(wiring, said)).actor) == (202, "bo")


@pytest.mark.parametrize(
    "left",
    ["YOUR NAME", "your name", "WHY", "Why?", "<your name>", "<who are you>", "$USER", "${NAME}"],
)
@pytest.mark.parametrize("which", ["actor", "comment"])
async def test_a_template_that_nobody_filled_in_is_refused(wiring, which, left):
    status, said = await say(wiring, "hold", {"actor": "ada", "comment": "Not now."} | {which: left})
    assert status == 409
    assert f"`{which}` is " in said["reason"]
    assert not (await recorded(wiring)).story.history


@pytest.mark.parametrize("comment", ["Why not.", "[JIRA-12] Ana's name day", "< 3 left", "Wyatt", "👍"])
async def test_what_only_looks_like_a_template_is_taken(wiring, comment):
    assert (await say(wiring, "hold", {"actor": "Wyatt", "comment": comment}))[0] == 202


async def test_why_may_be_left_out(wiring):
    assert (await say(wiring, "hold", {"actor": "ada"}))[0] == 202


async def test_a_form_is_as_good_as_json(wiring):
    form = urlencode({"actor": "Jürgen", "comment": "a & b", "instances": "0, 1,"}).encode()
    headers = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
    status, said = await say(wiring, "skip", form, headers=headers)
    assert status == 202
    found = await line(wiring, said)
    assert (found.actor, found.reason) == ("Jürgen", "a & b (Skipped: 0, 1.)")


async def test_every_command_has_its_own_id(wiring):
    ids = {(await say(wiring, "raise", {"actor": "ada", "soak": f"{one}m"}))[1]["id"] for one in range(3)}
    assert len(ids) == 3


@pytest.mark.parametrize(
    ("action", "content", "says"),
    [
        ("explode", {"actor": "ada"}, "not an action"),
        ("", {"actor": "ada"}, "not an action"),
        ("hold", {"actor": "  "}, "who you are"),
        ("hold", {"actor": "ada", "comment": " \t "}, "`comment` is empty"),
        ("hold", {"actor": 5}, "who you are"),
        ("hold", b"{}", "who you are"),
        ("hold", b"", "who you are"),
        ("hold", b"[1]", "not an object"),
        ("hold", b"{", "neither"),
        ("hold", b"\xff", "neither"),
        ("hold", b"[" * 50_000, "neither"),
        ("hold", b'{"actor": "\\ud800"}', "neither"),
        ("hold", b"x" * 70_000, "bytes"),
        ("hold", {"actor": "ada", "comment": "x" * 2001}, "comment"),
        ("hold", {"actor": "ada", "comment": ["x"]}, "comment"),
        ("hold", {"actor": "ada", "instances": ["0"]}, "belongs to skip"),
        ("hold", {"actor": "ada", "soak": "1h"}, "not a field of hold"),
        ("skip", {"actor": "ada", "domain": "domain 0"}, "`domain` is not a field of skip"),
        ("skip", {"actor": "ada", "domains": ""}, "`domains` names nothing"),
        ("skip", {"actor": "ada", "instances": []}, "`instances` names nothing"),
        ("skip", {"actor": "ada", "domains": ["x" * 201]}, "At most"),
        ("resume", {"actor": "ada", "domains": ["domain 0"]}, "`domains` belongs to skip"),
        ("raise", {"actor": "ada", "domains": ["domain 0"], "soak": "1h"}, "`domains` belongs to skip"),
        (
            "raise",
            {"actor": "ada", "comment": "faster"},
            "Say what to raise: soak, max-unavailable",
        ),
        ("raise", {"actor": "ada", "health": "ignore"}, "`health` cannot be raised for one run: write soak"),
        ("raise", {"actor": "ada", "Soak": "10m"}, "`Soak` cannot be raised"),
        ("raise", {"actor": "ada", "soak": "a while"}, "`a while` is not a duration: write whole numbers"),
        ("raise", {"actor": "ada", "soak": "400d"}, "longer than a year"),
        ("raise", {"actor": "ada", "max-unavailable": 0}, "would let nothing start"),
        ("raise", {"actor": "ada", "max-unavailable": "120%"}, "more than there is"),
        ("raise", {"actor": "ada", "windows": "Sat 02:00-06:00"}, "This cannot be raised: "),
        ("raise", {"actor": "ada", "windows": "Sat 02:00-06:00 Nowhere/City"}, "This cannot be raised: "),
        ("raise", {"actor": "ada", "windows": "x" * 401}, "`windows` must be text of at most 400"),
        ("raise", {"actor": "ada", "complete-by": "2026-12-01T06:00"}, "has no time zone"),
        ("raise", {"actor": "ada", "lead": ["0m"]}, "`lead` must be text"),
        ("raise", {"actor": "ada", "lead": True}, "`lead` must be text"),
        ("raise", {"actor": "ada", "lead": None}, "`lead` must be text"),
        ("raise", {"soak": "10m"}, "who you are"),
        ("skip", {"actor": "ada", "instances": {"0": 1}}, "list"),
        ("skip", {"actor": "ada", "instances": [None]}, "list"),
        ("skip", {"actor": "ada", "instances": [str(one) for one in range(1500)]}, "At most"),
    ],
)
async def test_what_cannot_be_understood_is_400_with_a_sentence(wiring, action, content, says):
    status, said = await say(wiring, action, content)
    assert status == 400
    assert says in said["reason"]
    assert not wiring.spy.of(RUNS)


@pytest.mark.parametrize(
    "raised",
    [
        {"soak": "10m"},
        {"max-unavailable": "50%"},
        {"max-unavailable": "default"},
        {"windows": "Sat,Sun 02:00-07:00 Europe/Berlin; Mon 01:00-02:00 UTC"},
        {"windows": "any time"},
        {"complete-by": "2026-12-05T02:00:00Z"},
        {"complete-by": "none"},
        {"lead": "0m"},
        {"soak": "0m", "lead": "1h", "max-unavailable": "4"},
    ],
)
async def test_what_is_raised_is_on_record_as_it_was_written_as_json_and_as_a_form(wiring, raised):
    said = {"actor": "ada", "comment": "It must be done by Saturday."} | raised
    form = {"content-type": "application/x-www-form-urlencoded"}
    for body, headers in ((said, {}), (urlencode(said).encode(), form)):
        await put(wiring, run(soak=timedelta(hours=2), lead=timedelta(days=1), windows=((),)))
        status, answer = await say(wiring, "raise", body, headers=headers)
        assert status == 202
        assert (await recorded(wiring)).terms.raised == raised
        assert (await line(wiring, answer)).reason.endswith(". It must be done by Saturday.")


async def test_a_number_may_be_raised_without_quotes(wiring):
    assert (await say(wiring, "raise", {"actor": "ada", "max-unavailable": 4}))[0] == 202
    assert (await recorded(wiring)).terms.raised == {"max-unavailable": "4"}


async def test_a_domain_is_skipped_by_its_name_which_may_hold_commas(wiring):
    batches = tuple(
        Batch(number, f"zone 1, domain {number}", (InstanceProgress(str(number)),)) for number in range(3)
    )
    named = ("zone 1, domain 0", "zone 1, domain 2")
    as_json, form = {}, {"content-type": "application/x-www-form-urlencoded"}
    for body, headers in (
        ({"actor": "ada", "domains": list(named)}, as_json),
        ({"actor": "ada", "domains": "; ".join(named)}, as_json),
        (urlencode({"actor": "ada", "domains": ";".join(named)}).encode(), form),
    ):
        await put(wiring, run(batches=batches))
        assert (await say(wiring, "skip", body, headers=headers))[0] == 202
        left = [
            instance.id
            for instance in (await recorded(wiring)).instances
            if instance.state is InstanceState.PENDING
        ]
        assert left == ["1"]


async def test_as_many_as_a_large_scale_set_has_can_be_skipped_at_once(wiring):
    many = tuple(InstanceProgress(f"{'x' * 50}{number:04}") for number in range(1000))
    await put(wiring, run(batches=(Batch(1, "zone 1", many),)))

    status, said = await say(
        wiring, "skip", {"actor": "ada", "instances": [instance.id for instance in many]}
    )
    assert status == 202
    assert {instance.state for instance in (await recorded(wiring)).instances} == {InstanceState.SKIPPED}
    assert "and 980 more" in (await line(wiring, said)).reason


@pytest.mark.parametrize(
    "where",
    [
        {"name": "other"},
        {"group": "other"},
        {"wave": "VM99-9ZZ"},
        {"wave": "../x"},
        {"subscription": "mine"},
        {"name": ""},
    ],
)
async def test_a_run_that_is_not_on_record_is_404(wiring, where):
    status, said = await say(wiring, where=where)
    assert status == 404
    assert said["reason"]


async def test_a_command_about_another_plan_is_409(wiring):
    for action, before in (("approve", ASKING), ("hold", {})):
        await put(wiring, run(**before))
        status, said = await say(wiring, action, {"actor": "ada", "checksum": "older"})
        assert status == 409
        assert "c0ffee" in said["reason"]
    assert not wiring.spy.of(RUNS)


async def test_an_approval_that_names_no_plan_is_409_with_the_plan_there_is(wiring):
    await put(wiring, run(**ASKING))
    status, said = await say(wiring, "approve", {"actor": "ada"})
    assert status == 409
    assert "The plan is c0ffee now: look at it" in said["reason"]
    assert (await recorded(wiring)).state is RunState.AWAITING_APPROVAL


@pytest.mark.parametrize(
    ("action", "before", "content", "says"),
    [
        ("approve", {}, {"checksum": "c0ffee"}, "Nothing waits for approval"),
        ("hold", HELD, {}, "It is held already. Held by bo: no."),
        ("resume", {}, {}, "It is neither held nor paused"),
        ("resume", ASKING, {}, "approve the plan c0ffee"),
        ("skip", {"batches": ()}, {}, "Nothing is left to skip"),
        ("skip", {}, {"instances": ["0", "7"]}, "no instance 7. What can be skipped: 0, 1 (domain 0)"),
        ("skip", {}, {"domains": ["domain 7"]}, "no domain domain 7. It has domain 0"),
        ("skip", {}, {"domains": "domain 0; domain 9"}, "no domain domain 9"),
        (
            "raise",
            {"soak": timedelta(minutes=10)},
            {"soak": "10m"},
            "This run has that already: soak 10m.",
        ),
    ],
)
async def test_a_command_without_effect_is_409_with_the_sentence_why(wiring, action, before, content, says):
    await put(wiring, run(**before))
    was = await recorded(wiring)
    status, said = await say(wiring, action, {"actor": "ada"} | content)
    assert status == 409
    assert says in said["reason"]
    assert await recorded(wiring) == was
    assert not wiring.spy.of(RUNS)


async def test_a_failed_instance_is_skipped_by_its_domain_and_the_run_stays_paused(wiring):
    failed = (InstanceProgress("0", state=InstanceState.FAILED, reason="Down."), InstanceProgress("1"))
    batches = (
        Batch(1, "domain 0", failed, BatchState.FAILED, started_at=AGO),
        Batch(2, "domain 1", (InstanceProgress("2"),)),
    )
    await put(wiring, run(batches=batches, state=RunState.PAUSED, reason="Instance 0: Down."))
    status, said = await say(wiring, "skip", {"actor": "ada", "domains": ["domain 0"]})
    assert status == 202
    assert said["reason"] == "Skipped: 0, 1. It stays paused until somebody resumes it."
    assert [str(instance.state) for instance in (await recorded(wiring)).instances] == [
        "skipped",
        "skipped",
        "pending",
    ]


@pytest.mark.parametrize("action", SAYABLE)
@pytest.mark.parametrize("state", [RunState.COMPLETED, RunState.LEFT_TO_AZURE, RunState.CANCELLED])
async def test_a_command_about_a_run_that_is_over_is_409(wiring, state, action):
    await put(wiring, run(state=state, reason="Everything was maintained."))
    status, said = await say(wiring, action, {"actor": "ada"} | ({"soak": "1h"} if action == "raise" else {}))
    assert status == 409
    assert "Everything was maintained." in said["reason"]


def typed() -> list[str]:
    """The commands to one run of docs/people.md, as a shell would read them."""
    text = (DOCS / "people.md").read_text().replace("\\\n", " ")
    return [line for line in text.splitlines() if line.startswith("curl ") and '"$RUN/' in line]


@pytest.mark.parametrize("command", typed())
async def test_what_the_documents_say_to_type_is_taken(wiring, command):
    words = shlex.split(command)
    action, body = words[3].removeprefix("$RUN/"), words[-1].encode()
    batches = (Batch(1, "domain 3", (InstanceProgress("7"),)), Batch(2, "domain 4", (InstanceProgress("4"),)))
    before = {"approve": ASKING, "resume": HELD}.get(action, {})
    if action == "let-pass":  # only a paused run that has begun holds anybody up
        before = {"state": RunState.PAUSED}
        batches = (Batch(3, "domain 5", (), started_at=NOW), *batches)
    if action == "acknowledge":
        down = InstanceProgress("1", state=InstanceState.FAILED, begun=True)
        before = {"state": RunState.PAUSED, "alarm": Alarm(2, ("1",), NOW)}
        batches = (Batch(3, "domain 5", (down,), started_at=NOW), *batches)
    await put(wiring, run(batches=batches, checksum="2d5ea80a45771f4a", **before))

    status, said = await say(wiring, action, body)
    assert (status, said.get("actor")) == (202, "Ana")


def test_the_documents_show_every_word():
    assert {shlex.split(one)[3].removeprefix("$RUN/") for one in typed()} == set(SAYABLE)
    assert set(SAYABLE) == set(CommandKind) - {CommandKind.QUARANTINED}


async def test_while_storage_is_down_the_command_is_not_taken():
    dead = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YQ==;BlobEndpoint=http://127.0.0.1:1/a;"
    wiring = TestWiring(dead + "QueueEndpoint=http://127.0.0.1:1/a;", Clock())
    assert (await say(wiring))[0] == 503
    await wiring.close()


async def test_json_that_curl_calls_a_form_is_read_as_json(wiring):
    status, said = await say(
        wiring, "hold", {"actor": "ada"}, headers={"content-type": "application/x-www-form-urlencoded"}
    )
    assert status == 202
    assert (await line(wiring, said)).actor == "ada"
