"""respond: a person's word, who said it, and what is refused."""

import json
import shlex
from pathlib import Path
from urllib.parse import urlencode

import pytest

from handlers import respond
from handlers.cloud.names import RUNS, run_path
from handlers.wire.documents import encode_run, run_metadata
from handlers.wire.http import Request
from planner.run import Batch, Passage, RunState
from tests.handlers.parts import NOW, SUBSCRIPTION, Clock, TestWiring, run


@pytest.fixture
async def wiring(storage):
    found = TestWiring(storage, Clock())
    await put(found, run())
    yield found
    await found.close()


async def put(wiring, one):
    path = run_path(one.target.subscription, one.target.resource_group, one.target.name)
    stored = await wiring.records.read(path)
    await wiring.records.write(path, encode_run(one), etag=stored and stored.etag, metadata=run_metadata(one))


WHERE = {"wave": "VM12-3AB", "subscription": SUBSCRIPTION, "group": "prod-rg", "name": "WEB"}


async def say(wiring, action="approve", content=None, where=None, headers=None):
    raw = content if isinstance(content, bytes) else json.dumps(content or {"actor": "ada"}).encode()
    request = Request("POST", WHERE | {"action": action} | (where or {}), {}, headers or {}, raw)
    answer = await respond.handle(request, wiring)
    return answer.status, json.loads(answer.body)


@pytest.mark.parametrize("action", ["approve", "hold", "resume", "skip"])
async def test_a_word_goes_to_the_runs_queue_with_who_and_why(wiring, action):
    status, said = await say(
        wiring, action, {"actor": " Ada  L. ", "comment": " As agreed. ", "checksum": "c0ffee"}
    )
    assert status == 202
    (sent,) = wiring.spy.of(RUNS)
    assert (sent.resource_group, sent.name, sent.generation) == ("Prod-RG", "web", 3)
    event = sent.event
    assert (event.kind, event.actor, event.comment, event.checksum) == (
        action,
        "Ada L.",
        "As agreed.",
        "c0ffee",
    )
    assert event.at == NOW
    assert said["id"] == event.id
    assert said["scale_set"].endswith("/web")


async def test_who_signed_in_counts_more_than_what_the_body_claims(wiring):
    await say(wiring, content={"actor": "mallory"}, headers={"x-ms-client-principal-name": "ada@contoso.com"})
    assert wiring.spy.of(RUNS)[0].event.actor == "ada@contoso.com"


async def test_a_form_is_as_good_as_json(wiring):
    form = urlencode({"actor": "Jürgen", "comment": "a & b", "instances": "0, 1,"}).encode()
    headers = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
    assert (await say(wiring, "skip", form, headers=headers))[0] == 202
    event = wiring.spy.of(RUNS)[0].event
    assert (event.actor, event.comment, event.instances) == ("Jürgen", "a & b", ("0", "1"))


async def test_every_word_has_its_own_id(wiring):
    ids = {(await say(wiring))[1]["id"] for _ in range(3)}
    assert len(ids) == 3


@pytest.mark.parametrize(
    ("action", "content", "says"),
    [
        ("explode", {"actor": "ada"}, "not an action"),
        ("", {"actor": "ada"}, "not an action"),
        ("hold", {"actor": "  "}, "who you are"),
        ("hold", {"actor": 5}, "who you are"),
        ("hold", b"{}", "who you are"),
        ("hold", b"", "who you are"),
        ("hold", b"[1]", "no object"),
        ("hold", b"{", "neither"),
        ("hold", b"\xff", "neither"),
        ("hold", b"[" * 50_000, "neither"),
        ("hold", b'{"actor": "\\ud800"}', "neither"),
        ("hold", b"x" * 70_000, "bytes"),
        ("hold", {"actor": "ada", "comment": "x" * 2001}, "comment"),
        ("hold", {"actor": "ada", "comment": ["x"]}, "comment"),
        ("hold", {"actor": "ada", "instances": ["0"]}, "belongs to skip"),
        ("hold", {"actor": "ada", "soak": "1h"}, "nothing that hold knows"),
        ("skip", {"actor": "ada", "domain": "domain 0"}, "`domain` is nothing that skip knows"),
        ("skip", {"actor": "ada", "domains": ""}, "`domains` names nothing"),
        ("skip", {"actor": "ada", "instances": []}, "`instances` names nothing"),
        ("skip", {"actor": "ada", "domains": ["domain 7"]}, "no domain domain 7. It has domain 0"),
        ("skip", {"actor": "ada", "domains": "domain 0; domain 9"}, "no domain domain 9"),
        ("skip", {"actor": "ada", "domains": ["x" * 201]}, "At most"),
        ("resume", {"actor": "ada", "domains": ["domain 0"]}, "`domains` belongs to skip"),
        ("raise", {"actor": "ada", "domains": ["domain 0"], "soak": "1h"}, "`domains` belongs to skip"),
        (
            "raise",
            {"actor": "ada", "comment": "faster"},
            "Say what to raise for this run: soak, max-unavailable",
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
        ("skip", {"actor": "ada", "instances": ["0", "7"]}, "no instance 7"),
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
async def test_what_is_raised_goes_to_the_queue_as_it_was_written_as_json_and_as_a_form(wiring, raised):
    said = {"actor": "ada", "comment": "It must be done by Saturday."}
    assert (await say(wiring, "raise", said | raised))[0] == 202
    form = urlencode(said | raised).encode()
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert (await say(wiring, "raise", form, headers=headers))[0] == 202

    for sent in wiring.spy.of(RUNS):
        assert sent.event.kind == "raise"
        assert sent.event.raised == raised
        assert sent.event.comment == "It must be done by Saturday."


async def test_a_number_may_be_raised_without_quotes(wiring):
    assert (await say(wiring, "raise", {"actor": "ada", "max-unavailable": 4}))[0] == 202
    assert wiring.spy.of(RUNS)[0].event.raised == {"max-unavailable": "4"}


async def test_a_domain_is_skipped_by_its_name_which_may_hold_commas(wiring):
    batches = tuple(Batch(number, f"zone 1, domain {number}", (Passage(str(number)),)) for number in range(3))
    await put(wiring, run(batches=batches))
    named = ("zone 1, domain 0", "zone 1, domain 2")

    assert (await say(wiring, "skip", {"actor": "ada", "domains": list(named)}))[0] == 202
    assert (await say(wiring, "skip", {"actor": "ada", "domains": "; ".join(named)}))[0] == 202
    form = urlencode({"actor": "ada", "domains": ";".join(named)}).encode()
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert (await say(wiring, "skip", form, headers=headers))[0] == 202

    assert [sent.event.domains for sent in wiring.spy.of(RUNS)] == [named] * 3


async def test_as_many_as_a_large_scale_set_has_can_be_skipped_at_once(wiring):
    many = tuple(Passage(f"web_{number:08x}") for number in range(1000))
    await put(wiring, run(batches=(Batch(1, "zone 1", many),)))

    assert (await say(wiring, "skip", {"actor": "ada", "instances": [one.id for one in many]}))[0] == 202
    (sent,) = wiring.spy.of(RUNS)
    assert len(sent.event.instances) == 1000


async def test_what_does_not_fit_into_a_message_is_refused_in_words(wiring):
    many = tuple(Passage(f"{'x' * 55}{number:04}") for number in range(1000))
    await put(wiring, run(batches=(Batch(1, "zone 1", many),)))
    status, said = await say(wiring, "skip", {"actor": "ada", "instances": [one.id for one in many]})

    assert status == 400
    assert "several requests" in said["reason"]


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


async def test_a_word_about_another_plan_is_409(wiring):
    status, said = await say(wiring, content={"actor": "ada", "checksum": "older"})
    assert status == 409
    assert "c0ffee" in said["reason"]
    assert not wiring.spy.of(RUNS)


@pytest.mark.parametrize("state", [RunState.COMPLETED, RunState.LEFT_TO_AZURE, RunState.CANCELLED])
async def test_a_word_about_a_run_that_is_over_is_409(wiring, state):
    await put(wiring, run(state=state, reason="Everything was maintained."))
    status, said = await say(wiring)
    assert status == 409
    assert "Everything was maintained." in said["reason"]


def typed() -> list[str]:
    """The commands of docs/people.md, as a shell would read them."""
    text = (Path(__file__).parents[2] / "docs" / "people.md").read_text().replace("\\\n", " ")
    return [line for line in text.splitlines() if line.startswith("curl ")]


@pytest.mark.parametrize("command", typed())
async def test_what_the_documents_say_to_type_is_taken(wiring, command):
    words = shlex.split(command)
    action, body = words[3].removeprefix("$RUN/"), words[-1].encode()
    batches = (Batch(1, "domain 3", (Passage("7"),)), Batch(2, "domain 4", (Passage("4"),)))
    if action == "let-pass":  # only a paused run that has begun holds anybody up
        begun = Batch(3, "domain 5", (), started_at=NOW)
        await put(wiring, run(batches=(begun, *batches), state=RunState.PAUSED))
    else:
        await put(wiring, run(batches=batches, checksum="2d5ea80a45771f4a"))

    assert (await say(wiring, action, body))[0] == 202
    assert wiring.spy.of(RUNS)[0].event.actor == "Ana"


def test_the_documents_show_every_word():
    assert {shlex.split(one)[3].removeprefix("$RUN/") for one in typed()} == set(respond.ACTIONS)


async def test_while_storage_is_down_the_word_is_not_taken():
    dead = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YQ==;BlobEndpoint=http://127.0.0.1:1/a;"
    wiring = TestWiring(dead + "QueueEndpoint=http://127.0.0.1:1/a;", Clock())
    assert (await say(wiring))[0] == 503
    await wiring.close()


async def test_json_that_curl_calls_a_form_is_read_as_json(wiring):
    status, _ = await say(
        wiring, "hold", {"actor": "ada"}, headers={"content-type": "application/x-www-form-urlencoded"}
    )
    assert status == 202
    assert wiring.spy.of(RUNS)[0].event.actor == "ada"
