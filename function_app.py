"""Registers the triggers, nothing else: each function hands over to its stage in handlers.

Annotations are real types, because the worker's indexer reads them. Stages are imported on first use, so that
a cold start loads only what it runs.
"""

import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import azure.functions as func

from handlers import deadline
from handlers.log import hush
from handlers.wire.http import Request, Response
from handlers.wire.ids import ALERTS, NOTICES, RUNS, SCALE_SETS, Queue
from handlers.wire.settings import Settings
from handlers.wiring import Wiring

STORAGE = "AzureWebJobsStorage"
SWEEP = os.environ.get("BREAKWATER_SWEEP_SCHEDULE", "0 */5 * * * *")
RUN = "waves/{wave}/{subscription}/{group}/{name}"
READ = ("GET", "HEAD")
"""The host answers HEAD only where a route names it."""

hush()
app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)


@cache
def wiring() -> Wiring:
    """The clients of this worker, built when the first invocation asks."""
    return Wiring(Settings.as_far_as_readable())


@cache
def allowed() -> timedelta:
    """How long the host lets a function of this app run."""
    return deadline.function_timeout(Path(__file__).with_name("host.json"), os.environ)


def _request(request: func.HttpRequest) -> Request:
    return Request(
        method="GET" if request.method == "HEAD" else request.method,
        path_parameters=dict(request.route_params),
        query=dict(request.params),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=request.get_body(),
    )


async def _answered(
    req: func.HttpRequest, stage: Callable[[Request, Wiring], Awaitable[Response]], **place: str
) -> func.HttpResponse:
    """Each function that is called by HTTP goes through here, and ends in time."""
    from handlers.answering import answer  # noqa: PLC0415

    asked = _request(req)
    asked = replace(asked, path_parameters={**asked.path_parameters, **place})
    response = await answer(stage, asked, wiring(), allowed())
    return func.HttpResponse(
        b"" if req.method == "HEAD" else response.body,
        status_code=response.status,
        mimetype=response.content_type,
        charset="utf-8",
        headers=dict(response.headers),
    )


async def _hand_over(queue: Queue, msg: func.QueueMessage, stage: str) -> None:
    """Each function that takes messages goes through here, and ends in time."""
    from handlers.intake import hand_over  # noqa: PLC0415

    async def handle(message: Any, wiring: Wiring) -> None:
        # Imported where a failure counts as one of the message, and not as if it had never reached the app.
        await import_module(f"handlers.stages.{stage}").handle(message, wiring)

    tries = msg.dequeue_count or 1
    await hand_over(queue, msg.get_body(), handle, wiring(), tries=tries, allowed=allowed())


@app.function_name("receive")
@app.route(route="alerts", methods=["POST"])
async def receive(req: func.HttpRequest) -> func.HttpResponse:
    """Take a Service Health alert."""
    from handlers.stages import receive as stage  # noqa: PLC0415

    return await _answered(req, stage.handle)


@app.function_name("discover")
@app.queue_trigger(arg_name="msg", queue_name=ALERTS, connection=STORAGE)
async def discover(msg: func.QueueMessage) -> None:
    """Find the scale sets of an announcement."""
    await _hand_over(ALERTS, msg, "discover")


@app.function_name("plan")
@app.queue_trigger(arg_name="msg", queue_name=SCALE_SETS, connection=STORAGE)
async def plan(msg: func.QueueMessage) -> None:
    """Decide for one scale set."""
    await _hand_over(SCALE_SETS, msg, "plan")


@app.function_name("advance")
@app.queue_trigger(arg_name="msg", queue_name=RUNS, connection=STORAGE)
async def advance(msg: func.QueueMessage) -> None:
    """Poll one run and take its next step."""
    await _hand_over(RUNS, msg, "advance")


@app.function_name("notify")
@app.queue_trigger(arg_name="msg", queue_name=NOTICES, connection=STORAGE)
async def notify(msg: func.QueueMessage) -> None:
    """Send people the notices they have not been sent."""
    await _hand_over(NOTICES, msg, "notify")


@app.function_name("sweep")
@app.timer_trigger(arg_name="timer", schedule=SWEEP, run_on_startup=False, use_monitor=True)
async def sweep(timer: func.TimerRequest) -> None:
    """Bury what failed five times; find what the queues lost and maintenance that no alert announced."""
    from handlers.stages import bury  # noqa: PLC0415
    from handlers.stages import sweep as stage  # noqa: PLC0415

    del timer
    async with deadline.within(allowed()):
        await bury.drain(wiring())
        await stage.handle(wiring())


async def _report(req: func.HttpRequest, **place: str) -> func.HttpResponse:
    from handlers.stages import report as stage  # noqa: PLC0415

    return await _answered(req, stage.handle, **place)


@app.function_name("report_waves")
@app.route(route="waves", methods=READ)
async def report_waves(req: func.HttpRequest) -> func.HttpResponse:
    """Show every wave as a page."""
    return await _report(req)


@app.function_name("report_waves_json")
@app.route(route="waves.json", methods=READ)
async def report_waves_json(req: func.HttpRequest) -> func.HttpResponse:
    """List every wave as JSON."""
    return await _report(req, suffix="json")


@app.function_name("report_wave")
@app.route(route="waves/{wave}", methods=READ)
async def report_wave(req: func.HttpRequest) -> func.HttpResponse:
    """Show one wave; the suffix of the last segment says in which format."""
    return await _report(req)


@app.function_name("report_run")
@app.route(route=RUN, methods=READ)
async def report_run(req: func.HttpRequest) -> func.HttpResponse:
    """Show one run; the suffix of the last segment says in which format."""
    return await _report(req)


@app.function_name("respond_wave")
@app.route(route="waves/{wave}/{action}", methods=["POST"])
async def respond_wave(req: func.HttpRequest) -> func.HttpResponse:
    """Take a person's command for a whole wave: for the runs it names, or for the limits."""
    from handlers.stages import respond_wave as stage  # noqa: PLC0415

    return await _answered(req, stage.handle)


@app.function_name("respond")
@app.route(route=RUN + "/{action}", methods=["POST"])
async def respond(req: func.HttpRequest) -> func.HttpResponse:
    """Take a person's command about a run: approve, hold, resume, skip, raise, let-pass."""
    from handlers.stages import respond as stage  # noqa: PLC0415

    return await _answered(req, stage.handle)


async def _drill(req: func.HttpRequest) -> func.HttpResponse:
    from handlers.stages import drill as stage  # noqa: PLC0415

    return await _answered(req, stage.handle)


@app.function_name("begin_drill")
@app.route(route="drills", methods=["POST"])
async def begin_drill(req: func.HttpRequest) -> func.HttpResponse:
    """Put a drill on record, and answer the alert that begins it."""
    return await _drill(req)


@app.function_name("end_drill")
@app.route(route="drills/{wave}", methods=["POST"])
async def end_drill(req: func.HttpRequest) -> func.HttpResponse:
    """End a drill."""
    return await _drill(req)


@app.function_name("link")
@app.route(route="links/{token}/{*rest}", methods=[*READ, "POST"], auth_level=func.AuthLevel.ANONYMOUS)
async def link(req: func.HttpRequest) -> func.HttpResponse:
    """Show what a signed link is for, or do it when its form is sent; the stage checks the signature."""
    from handlers.stages import link as stage  # noqa: PLC0415

    return await _answered(req, stage.handle)


@app.function_name("health")
@app.route(route="health", methods=READ, auth_level=func.AuthLevel.ANONYMOUS)
async def health(req: func.HttpRequest) -> func.HttpResponse:
    """Say whether storage answers, and how long the queues are."""
    from handlers.stages import health as stage  # noqa: PLC0415

    return await _answered(req, lambda _, wiring: stage.handle(wiring))
