"""How Azure reaches each function: methods and routes, queues, the timer; and that all of them are async."""

import ast
import sys
from typing import Any

import pytest

from simulator.host.process import ROOT
from simulator.host.routes import Route
from simulator.host.worker import load_app

RUN = "waves/VM8T-1Q8/11111111-2222-3333-4444-555555555555/rg-shop/web"
HTTP = {
    "receive": ("POST", "alerts"),
    "report_waves": ("GET", "waves"),
    "report_waves_json": ("GET", "waves.json"),
    "report_wave": ("GET", "waves/VM8T-1Q8.json"),
    "report_run": ("GET", RUN),
    "respond": ("POST", f"{RUN}/approve"),
    "respond_wave": ("POST", "waves/VM8T-1Q8/raise"),
    "begin_drill": ("POST", "drills"),
    "end_drill": ("POST", "drills/DRILL-3f0c9a1b2d4e"),
    "health": ("GET", "health"),
}
QUEUES = {
    "discover": "alerts",
    "plan": "scale-sets",
    "advance": "runs",
    "notify": "notices",
}


async def triggers(kind: str) -> dict[str, dict[str, Any]]:
    """What the worker's index says of every trigger of a kind, by function."""
    functions = await load_app(ROOT)
    return {name: dict(one.trigger.settings) for name, one in functions.items() if one.trigger.type == kind}


async def test_nothing_else_is_registered() -> None:
    assert set(await load_app(ROOT)) == {*HTTP, *QUEUES, "link", "sweep"}


@pytest.mark.parametrize(("function", "asked"), HTTP.items())
async def test_each_address_reaches_its_function_by_its_method_alone(function, asked) -> None:
    method, path = asked
    routes = {
        name: Route.of(said["route"], said["methods"])
        for name, said in (await triggers("httpTrigger")).items()
    }
    reached = {
        (verb, name)
        for name, route in routes.items()
        for verb in ("GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE")
        if route.match(verb, path) is not None
    }
    assert reached == {(verb, function) for verb in ((method, "HEAD") if method == "GET" else (method,))}


async def test_a_link_is_opened_and_its_form_sent_and_nothing_else() -> None:
    said = (await triggers("httpTrigger"))["link"]
    route = Route.of(said["route"], said["methods"])

    assert said["authLevel"].lower() == "anonymous"
    assert set(said["methods"]) == {"GET", "HEAD", "POST"}
    assert route.match("GET", "links/abc") == {"token": "abc", "rest": ""}
    assert route.match("POST", "links/abc/s/rg/web.json") == {"token": "abc", "rest": "s/rg/web.json"}


async def test_each_queue_is_taken_by_one_function_over_the_apps_own_storage() -> None:
    found = await triggers("queueTrigger")
    assert {name: said["queueName"] for name, said in found.items()} == QUEUES
    assert {said["connection"] for said in found.values()} == {"AzureWebJobsStorage"}


async def test_the_sweep_keeps_its_schedule_over_restarts_and_does_not_run_at_each_of_them() -> None:
    (said,) = (await triggers("timerTrigger")).values()
    module = sys.modules["function_app"]
    assert said["schedule"] == module.SWEEP
    assert said["useMonitor"] is True
    assert said["runOnStartup"] is False


def test_every_function_is_async_so_that_none_waits_for_a_thread_or_blocks_the_others() -> None:
    tree = ast.parse((ROOT / "function_app.py").read_text())
    found = {
        one.name: type(one)
        for one in ast.walk(tree)
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
        if any(ast.unparse(mark).startswith("app.function_name") for mark in one.decorator_list)
    }
    assert found == dict.fromkeys([*HTTP, *QUEUES, "link", "sweep"], ast.AsyncFunctionDef)
