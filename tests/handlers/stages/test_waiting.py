"""Standing still, through the stages: whom a pause holds up, letting them pass, and what the report says of it."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from handlers.cloud.names import claim_prefix, run_path
from handlers.runs import claims, queue
from handlers.stages import advance, report, respond
from handlers.wire.documents import decode, encode, run_metadata
from handlers.wire.http import Request
from handlers.wire.messages import PersonEvent, RunMessage
from planner.places.turn import Laid
from planner.record.notice import Kind
from planner.record.run import Run
from planner.record.states import InstanceState, RunState
from simulator.fleet import SUBSCRIPTION, uniform
from tests.handlers.scene import QUICK, TRACKING_ID, Scene

POLICY = """
defaults: {self-service: always, lead: 1h, soak: 10m, max-unavailable: 50%}
limits: {scale-sets: 1}
"""
WEB, API = (run_path(SUBSCRIPTION, "rg-breakwater", name) for name in ("web", "api"))
PATHS = {"web": WEB, "api": API}


@pytest.fixture
async def scene(storage):
    sets = (uniform(name, 4, update_domains=2, behaviour=QUICK) for name in ("web", "api"))
    made = Scene(storage, *sets, policy=POLICY)
    yield made
    await made.close()


async def run_of(scene: Scene, name: str) -> Run:
    stored = await scene.wiring.records.read(PATHS[name])
    assert stored is not None
    return decode(Run, stored.body)


async def put(scene: Scene, run: Run) -> None:
    path = PATHS[run.target.name]
    stored = await scene.wiring.records.read(path)
    etag = stored.etag if stored is not None else None
    await scene.wiring.records.write(path, encode(run), etag=etag, metadata=run_metadata(run))


async def poll(scene: Scene, name: str, word: str = "") -> Run:
    """A poll that is due, or one that brings a person's word."""
    run = await run_of(scene, name)
    if not word:
        scene.clock.at = max(scene.clock.at, run.due)
    said = (
        PersonEvent(id=f"{word} {scene.clock()}", kind=word, actor="ana", comment="Agreed.", at=scene.clock())
        if word
        else None
    )
    message = RunMessage(
        subscription=SUBSCRIPTION,
        resource_group="rg-breakwater",
        name=name,
        generation=run.generation,
        event=said,
    )
    await advance.handle(message, scene.wiring)
    return await run_of(scene, name)


async def claimed(scene: Scene) -> list[str]:
    lines = await scene.wiring.records.list(claim_prefix(SUBSCRIPTION))
    return [line.path.rpartition("/")[2].removesuffix(".json") for line in lines]


async def held_up(scene: Scene) -> Run:
    """`web` has begun and holds the one place, `api` waits for it."""
    await scene.ready()
    web = await run_of(scene, "web")
    target = replace(web.target, id=web.target.id.replace("/web", "/api"), name="api", location="northeurope")
    assert web.times.deadline is not None
    later = replace(web.times, deadline=web.times.deadline + timedelta(days=1))
    await put(scene, replace(web, target=target, times=later))
    await poll(scene, "web")
    assert await claimed(scene) == ["web"]
    api = await poll(scene, "api")
    assert api.waits is not None
    return api


async def failed(scene: Scene) -> Run:
    """`web` is paused, since what was started does not come back."""
    web = await run_of(scene, "web")
    batches = tuple(
        replace(
            batch,
            instances=tuple(
                replace(instance, state=InstanceState.FAILED, reason="It does not answer.", operation="")
                if instance.state is InstanceState.REBOOTING
                else instance
                for instance in batch.instances
            ),
        )
        for batch in web.batches
    )
    await put(scene, replace(web, batches=batches, due=scene.clock()))
    scene.clock.forward(seconds=30)
    return await poll(scene, "web")


async def test_the_poll_that_pauses_a_run_says_in_its_notice_whom_it_holds_up(scene) -> None:
    api = await held_up(scene)
    web = await failed(scene)
    assert web.state is RunState.PAUSED
    (notice,) = [notice for notice in web.story.notices if notice.kind is Kind.PAUSED]
    assert "Holds up 1 other scale set in northeurope" in notice.otherwise
    assert "let-pass" in notice.answers
    assert web.standing.holds_up is not None
    assert api.times.start_by is not None
    assert web.standing.holds_up.until == api.times.start_by.replace(microsecond=0)


async def test_a_run_that_another_host_has_woken_does_not_go_by_a_listing_of_before(scene) -> None:
    api = await held_up(scene)
    web = await run_of(scene, "web")
    # The other host ended it, within the seconds for which this one keeps its listing.
    await put(scene, replace(web, state=RunState.COMPLETED, ended_at=scene.clock()))
    await claims.release(web, scene.wiring)
    assert api.due > scene.clock()
    place = {"subscription": SUBSCRIPTION, "resource_group": "rg-breakwater", "name": "api"}
    await advance.handle(RunMessage(**place, generation=api.generation, wake=True), scene.wiring)
    assert (await run_of(scene, "api")).state is RunState.RUNNING


async def test_polls_of_several_runs_share_the_places_while_nothing_changes(scene) -> None:
    api = await held_up(scene)
    # One that sleeps until a time of its own, not until its turn.
    api = replace(api, standing=replace(api.standing, stalled=None))
    await put(scene, api)
    await scene.wiring.runs.of_subscription(SUBSCRIPTION, fresh=True)
    await queue.turn_of(api, scene.wiring)
    laid = scene.wiring.laid[SUBSCRIPTION]
    await queue.in_place({API: api}, scene.wiring)
    await queue.turn_of(api, scene.wiring)
    assert scene.wiring.laid[SUBSCRIPTION] is laid


async def test_an_end_that_moves_by_minutes_lays_nobody_anew_and_one_that_moves_by_more_does(scene) -> None:
    api = await held_up(scene)

    async def laid_when_web_ends(minutes: int) -> Laid:
        web = await run_of(scene, "web")
        end = scene.clock() + timedelta(minutes=minutes)
        await put(scene, replace(web, times=replace(web.times, forecast_end=end)))
        await scene.wiring.runs.of_subscription(SUBSCRIPTION, fresh=True)
        await queue.in_place({API: api}, scene.wiring)
        return scene.wiring.laid[SUBSCRIPTION]

    laid = await laid_when_web_ends(60)
    assert await laid_when_web_ends(63) is laid
    lines = [line for line in await scene.wiring.runs.of_subscription(SUBSCRIPTION) if line.path == API]
    before = await queue.outlooks(lines, scene.wiring)
    assert before[0] is (await queue.outlooks(lines, scene.wiring))[0]
    assert await laid_when_web_ends(70) is not laid
    assert before[0] is not (await queue.outlooks(lines, scene.wiring))[0]


async def test_whoever_waits_for_a_limit_says_which_paused_run_takes_it_up_and_why(scene) -> None:
    await held_up(scene)
    await failed(scene)
    api = await poll(scene, "api")
    assert "web (westeurope) is paused: Instance 0: It does not answer." in api.reason
    assert "`let-pass`" in api.reason


async def test_letting_the_others_pass_gives_the_claim_away_and_going_on_needs_one_again(scene) -> None:
    await held_up(scene)
    await failed(scene)
    web = await poll(scene, "web", "let-pass")
    assert web.people.lets_pass
    assert await claimed(scene) == []
    api = await poll(scene, "api")
    assert api.state is RunState.RUNNING
    assert await claimed(scene) == ["api"]
    started = len(scene.started())
    web = await run_of(scene, "web")
    # What failed is settled by a person; the second batch is all that is left.
    rest = replace(web.batches[0].instances[0], state=InstanceState.SKIPPED, finished_at=scene.clock())
    first = replace(
        web.batches[0],
        instances=tuple(replace(rest, id=one.id, reason="Skipped.") for one in web.batches[0].instances),
    )
    await put(scene, replace(web, batches=(first, *web.batches[1:])))
    await poll(scene, "web", "resume")
    scene.clock.forward(minutes=10)  # what was begun soaks
    web = await poll(scene, "web")
    assert "1 scale set of this subscription is under way" in web.reason
    assert web.people.lets_pass
    assert len(scene.started()) == started


async def test_a_run_that_goes_on_claims_its_place_again(scene) -> None:
    await held_up(scene)
    web = await failed(scene)
    first = replace(
        web.batches[0],
        instances=tuple(
            replace(one, state=InstanceState.SKIPPED, reason="Skipped.", finished_at=scene.clock())
            for one in web.batches[0].instances
        ),
    )
    await put(scene, replace(web, batches=(first, *web.batches[1:])))
    await poll(scene, "web", "let-pass")
    assert await claimed(scene) == []
    scene.clock.forward(minutes=5)  # until what was rebooting serves again
    await poll(scene, "web", "resume")
    web = await poll(scene, "web")
    assert not web.people.lets_pass, web.reason
    assert web.state is RunState.RUNNING
    assert await claimed(scene) == ["web"]


async def test_a_claim_that_is_made_anew_while_the_others_are_let_pass_stays(scene) -> None:
    await held_up(scene)
    await failed(scene)
    records = scene.wiring.records
    write = records.write

    async def writing(path, body, **options):
        etag = await write(path, body, **options)
        if path == WEB:
            (line,) = await records.list(claim_prefix(SUBSCRIPTION))
            await write(line.path, b"{}", etag=line.etag, metadata={"location": "westeurope"})
        return etag

    records.write = writing
    await poll(scene, "web", "let-pass")
    assert await claimed(scene) == ["web"]


async def test_let_pass_where_it_changes_nothing_is_refused_with_the_reason(scene) -> None:
    await held_up(scene)
    where = {
        "wave": TRACKING_ID,
        "subscription": SUBSCRIPTION,
        "group": "rg-breakwater",
        "name": "api",
        "action": "let-pass",
    }
    answer = await respond.handle(Request("POST", where, {}, {}, b'{"actor": "ana"}'), scene.wiring)
    assert answer.status == 409
    assert "only a paused run can let the others pass" in json.loads(answer.body)["reason"]


async def test_the_report_counts_who_waits_and_says_for_what(scene) -> None:
    await held_up(scene)
    await failed(scene)
    answer = await report.handle(Request("GET", {"suffix": "json"}), scene.wiring)
    (row,) = json.loads(answer.body)
    assert row["waits"] == {"limit": 1}
    answer = await report.handle(Request("GET", {"wave": f"{TRACKING_ID}.json"}), scene.wiring)
    runs = {one["name"]: one for one in json.loads(answer.body)["runs"]}
    assert runs["api"]["waits"]["cause"] == "limit"
    assert runs["api"]["waits"]["told"] is False
    assert runs["web"]["waits"] is None
    assert runs["web"]["holds_up"]["scale_sets"] == 1
    assert runs["web"]["holds_up"]["regions"] == ["northeurope"]
    page = (await report.handle(Request("GET", {"wave": TRACKING_ID}), scene.wiring)).body
    text = page if isinstance(page, str) else page.decode()
    assert "1 held up by the limits" in text
    assert "Let the others pass" in text
    assert "olds up 1 other scale set in northeurope" in text


async def test_a_run_held_up_by_a_limit_is_told_after_four_hours(scene) -> None:
    await held_up(scene)
    await failed(scene)
    began = scene.clock()
    while scene.clock() < began + timedelta(hours=4):
        api = await poll(scene, "api")
    (notice,) = [notice for notice in api.story.notices if notice.kind is Kind.STALLED]
    assert "web (westeurope) is paused" in notice.sentence
