"""A plan that does not fit: what is offered, typed as it is offered, leads to a plan that does."""

import json
import shlex
from collections.abc import AsyncIterator
from urllib.parse import unquote, urlsplit

import pytest

from handlers.render.addresses import Addresses
from handlers.render.facts import choices
from handlers.stages import plan, respond
from handlers.wire.http import Request
from planner.record.notice import Choice, Kind
from planner.record.run import Run
from planner.record.states import InstanceState, RunState
from simulator.fleet import uniform
from tests.handlers.scene import QUICK, TRACKING_ID, Scene

POLICY = """
defaults:
  self-service: always
  lead: 2h
  soak: 3h
  windows: daily 08:00-14:00 UTC
  complete-by: 2026-11-23T14:00Z
  max-unavailable: 1
"""
"""Four instances, one at a time, three hours apart: from 10:00 to 14:00 only two of them have room."""


@pytest.fixture
async def scene(storage: str) -> AsyncIterator[Scene]:
    found = Scene(storage, uniform("web", 4, update_domains=2, behaviour=QUICK), policy=POLICY)
    await found.planned()
    yield found
    await found.close()


async def type_(scene: Scene, command: str) -> None:
    """What the shell makes of a command, sent to the app."""
    words = shlex.split(command.replace("YOUR NAME", "Ana").replace("WHY", "It has to be done today."))
    *_, wave, subscription, group, name, action = map(unquote, urlsplit(words[3]).path.split("/"))
    given = {"wave": wave, "subscription": subscription, "group": group, "name": name, "action": action}
    headers = {"content-type": "application/json"}
    request = Request("POST", given, {}, headers, words[-1].encode())
    answer = await respond.handle(request, scene.wiring)
    assert answer.status == 202, answer.body


async def heard(scene: Scene) -> Run:
    """The run after the poll that hears the person, and the plan it may ask for."""
    plans = len(scene.wiring.spy.of("scale-sets"))
    found = await scene.poll()
    for message in scene.wiring.spy.of("scale-sets")[plans:]:
        await plan.handle(message, scene.wiring)
        found = await scene.run()
    return found


async def offered(scene: Scene) -> dict[str, Choice]:
    return {one.name: one for one in choices(await scene.run())}


async def test_a_plan_that_does_not_fit_offers_each_way_out_and_starts_nothing(scene: Scene) -> None:
    found = await scene.run()

    assert found.state is RunState.PAUSED
    assert "The plan does not fit" in found.reason
    assert {"soak", "max-unavailable", "complete-by", "leave", "resume"} <= (await offered(scene)).keys()
    scene.clock.forward(hours=3)
    assert (await scene.poll()).state is RunState.PAUSED
    assert scene.started() == []


@pytest.mark.parametrize("name", ["soak", "max-unavailable", "complete-by"])
async def test_what_is_raised_leads_to_a_new_plan_that_fits(scene: Scene, name: str) -> None:
    choice = (await offered(scene))[name]
    await type_(scene, Addresses().choose(TRACKING_ID, await scene.run(), choice))
    found = await heard(scene)

    assert (found.state, found.people.misfit) == (RunState.SCHEDULED, "")
    assert found.terms.raised == dict(choice.to)
    assert found.times.slack is not None
    assert found.times.slack.total_seconds() >= 0
    line = next(entry for entry in found.story.history if entry.event == "raise")
    assert (line.actor, line.reason) == ("Ana", f"{name} {choice.to[name]}. It has to be done today.")
    scene.clock.forward(hours=2)
    assert (await scene.poll()).state is RunState.RUNNING


async def test_leaving_domains_to_azure_lets_the_rest_start(scene: Scene) -> None:
    choice = (await offered(scene))["leave"]
    await type_(scene, Addresses().choose(TRACKING_ID, await scene.run(), choice))
    found = await heard(scene)

    skipped = [instance for instance in found.instances if instance.state is InstanceState.SKIPPED]
    assert skipped
    assert all(one.reason == "Skipped by Ana. It has to be done today." for one in skipped)
    assert (found.state, found.people.misfit) == (RunState.SCHEDULED, "")
    scene.clock.forward(hours=2)
    assert (await scene.poll()).state is RunState.RUNNING


async def test_going_ahead_all_the_same_starts_as_planned(scene: Scene) -> None:
    choice = (await offered(scene))["resume"]
    await type_(scene, Addresses().choose(TRACKING_ID, await scene.run(), choice))
    found = await heard(scene)

    assert found.state is RunState.SCHEDULED
    assert choices(found) == ()
    assert [notice.kind for notice in found.story.notices][-1] is Kind.RESUMED
    scene.clock.forward(hours=2)
    assert (await scene.poll()).state is RunState.RUNNING


async def test_no_more_lead_time_can_be_raised_too(scene: Scene) -> None:
    for raised in ({"soak": "30m"}, {"lead": "0m"}):
        word = Choice("own", "", "raise", raised)
        await type_(scene, Addresses().choose(TRACKING_ID, await scene.run(), word))
        found = await heard(scene)

    assert found.terms.raised == {"soak": "30m", "lead": "0m"}
    assert found.times.lead_over == scene.clock()
    assert (await scene.poll()).state is RunState.RUNNING


async def test_what_is_raised_holds_for_this_run_and_changes_no_policy(scene: Scene) -> None:
    before = json.dumps(dict(scene.wiring.policy().defaults))
    await type_(scene, Addresses().choose(TRACKING_ID, await scene.run(), (await offered(scene))["soak"]))
    await heard(scene)

    assert json.dumps(dict(scene.wiring.policy().defaults)) == before
