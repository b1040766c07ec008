"""The app with which the real host was recorded: an echo, whatever goes wrong, a queue that fails on "bad", a timer.

Whatever reaches a function is one line of JSON in the file RECORD names.
"""

import asyncio
import json
import logging
import os
import time
from pathlib import Path

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
RECORD = Path(os.environ["RECORD"])


def record(what: str, **facts: object) -> None:
    with RECORD.open("a") as file:
        file.write(json.dumps({"what": what, "pid": os.getpid(), "at": time.time(), **facts}) + "\n")


def said(req: func.HttpRequest) -> str:
    body = req.get_body()
    facts = {
        "method": req.method,
        "url": req.url,
        "route": dict(req.route_params),
        "params": dict(req.params),
        "headers": dict(req.headers),
        "len": len(body),
        "body": body[:99].decode("latin-1"),
    }
    record("asked", url=req.url)
    return json.dumps(facts)


@app.route(route="e/{a}/{b}", methods=["GET", "POST"], auth_level=func.AuthLevel.FUNCTION)
async def echo_get(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(said(req), mimetype="application/json")


@app.route(route="e.json", methods=["GET"])
async def echo_json(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(said(req), mimetype="application/json")


@app.route(route="e/{a}", methods=["GET"])
async def one(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(said(req), mimetype="application/json")


@app.route(route="adm", methods=["GET"], auth_level=func.AuthLevel.ADMIN)
async def adm(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("admin")


@app.route(route="status/{code}")
async def status(req: func.HttpRequest) -> func.HttpResponse:
    headers = {"Location": "/x", "Retry-After": "7", "Set-Cookie": "a=b; Path=/"}
    return func.HttpResponse("", status_code=int(req.route_params["code"]), headers=headers)


@app.route(route="boom")
async def boom(req: func.HttpRequest) -> func.HttpResponse:
    raise ValueError("secret-in-error")


@app.route(route="slow/{s}")
async def slow(req: func.HttpRequest) -> func.HttpResponse:
    record("slow", s=req.route_params["s"])
    await asyncio.sleep(float(req.route_params["s"]))
    return func.HttpResponse("slept")


@app.route(route="block/{s}")
async def block(req: func.HttpRequest) -> func.HttpResponse:
    record("block", s=req.route_params["s"])
    time.sleep(float(req.route_params["s"]))  # noqa: ASYNC251 - this is what it is for
    return func.HttpResponse("blocked")


@app.route(route="big/{n}")
async def big(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("x" * int(req.route_params["n"]))


@app.route(route="say")
async def say(req: func.HttpRequest) -> func.HttpResponse:
    logging.getLogger("app.of.mine").warning("one line of %s", "text", extra={"reason": "lost on the way"})
    logging.getLogger("azure.core.pipeline.policies").info("Request URL: 'https://example.com'")
    return func.HttpResponse("said")


@app.queue_trigger(arg_name="msg", queue_name="fails", connection="AzureWebJobsStorage")
async def fails(msg: func.QueueMessage) -> None:
    text = msg.get_body().decode()
    record("fails", body=text, count=msg.dequeue_count)
    if text.startswith("sleep"):
        await asyncio.sleep(float(text.removeprefix("sleep")))
    elif text.startswith("block"):
        time.sleep(float(text.removeprefix("block")))  # noqa: ASYNC251 - this is what it is for
    elif text == "die":
        os._exit(7)
    else:
        raise ValueError(text)


@app.queue_trigger(arg_name="msg", queue_name="fails-poison", connection="AzureWebJobsStorage")
async def fails_poison(msg: func.QueueMessage) -> None:
    record("poison", body=msg.get_body().decode(), count=msg.dequeue_count)


@app.timer_trigger(arg_name="timer", schedule=os.environ["TICK"], run_on_startup=False, use_monitor=True)
async def tick(timer: func.TimerRequest) -> None:
    record("tick", past_due=timer.past_due, status=timer.schedule_status)
