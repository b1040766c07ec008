"""An app whose functions write down what happens to them, one JSON line each, in the file RECORD names."""

import asyncio
import json
import os
import time
from pathlib import Path

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
RECORD, GATE = Path(os.environ["RECORD"]), Path(os.environ["GATE"])


def record(what: str, **facts: object) -> None:
    line = json.dumps({"what": what, "pid": os.getpid(), "at": time.time(), **facts})
    with RECORD.open("a") as file:
        file.write(line + "\n")


def about(msg: func.QueueMessage) -> dict[str, object]:
    return {
        "body": msg.get_body().decode(),
        "id": msg.id,
        "count": msg.dequeue_count,
        "locked_until": msg.time_next_visible.timestamp(),  # by storage's clock
    }


@app.queue_trigger(arg_name="msg", queue_name="fine", connection="AzureWebJobsStorage")
async def fine(msg: func.QueueMessage) -> None:
    record("fine", inserted=msg.insertion_time.isoformat(), **about(msg))


@app.queue_trigger(arg_name="msg", queue_name="flaky", connection="AzureWebJobsStorage")
async def flaky(msg: func.QueueMessage) -> None:
    record("flaky", **about(msg))
    if msg.dequeue_count == 1:
        raise ValueError("not at the first try")


@app.queue_trigger(arg_name="msg", queue_name="doomed", connection="AzureWebJobsStorage")
async def doomed(msg: func.QueueMessage) -> None:
    record("doomed", **about(msg))
    raise ValueError("never")


@app.queue_trigger(arg_name="msg", queue_name="doomed-poison", connection="AzureWebJobsStorage")
async def undertaker(msg: func.QueueMessage) -> None:
    record("buried", **about(msg))
    if msg.get_body() == b"cursed":
        raise ValueError("not even in the grave")


@app.queue_trigger(arg_name="msg", queue_name="held", connection="AzureWebJobsStorage")
async def held(msg: func.QueueMessage) -> None:
    record("held", **about(msg))
    gates = [GATE / "all", GATE / msg.get_body().decode()]
    while not any(map(os.path.exists, gates)):  # noqa: ASYNC110 - another process opens the gate
        await asyncio.sleep(0.05)
    record("let go", **about(msg))


@app.queue_output(arg_name="$return", queue_name="fine", connection="AzureWebJobsStorage")
@app.queue_trigger(arg_name="msg", queue_name="relayed", connection="AzureWebJobsStorage")
async def relay(msg: func.QueueMessage) -> str:
    return f"relayed {msg.get_body().decode()}"


@app.timer_trigger(arg_name="tick", schedule="%TICK%", run_on_startup=False)
async def ticking(tick: func.TimerRequest) -> None:
    record("tick", past_due=tick.past_due)


@app.timer_trigger(arg_name="tick", schedule="0 0 0 1 1 *", run_on_startup=True)
async def at_start(tick: func.TimerRequest) -> None:
    record("at start")


@app.route(route="pages/{name}", methods=["GET"])
async def a_page(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(f"page {req.route_params['name']}", mimetype="text/plain")


@app.route(route="pages/{*rest}")
async def b_everything(req: func.HttpRequest) -> func.HttpResponse:
    said = {
        "method": req.method,
        "rest": req.route_params["rest"],
        "query": dict(req.params),
        "token": req.headers.get("X-Token"),
        "body": req.get_body().decode(),
    }
    return func.HttpResponse(json.dumps(said), status_code=201, headers={"X-Kind": "everything"})


@app.route(route="pages/special")
async def c_never_reached(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("special")


@app.route(route="failing")
async def failing(req: func.HttpRequest) -> func.HttpResponse:
    raise ValueError("secret detail")


@app.route(route="guarded", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
async def guarded(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(json.dumps(dict(req.params)))
