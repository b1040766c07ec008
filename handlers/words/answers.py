"""What a request is answered: an alert, a command to a run or a wave, a page that is not there."""

from collections.abc import Mapping

from planner.text.phrases import many

STORAGE_DOWN = "Storage does not answer; the alert was not taken. Send it again."
UNEXPECTED = "Something unexpected happened; the alert may not have been taken. Send it again."
WORKED_THROUGH = "This alert has been worked through already."
QUEUED_AGAIN = "This alert is known; it is queued again to be sure."
QUEUED = "The alert is stored and queued."


def too_large(size: int, most: int) -> str:
    return f"The body has {size} bytes; at most {most} are taken."


NO_LENGTH = (
    "The body did not arrive: the Functions host drops one that is sent without Content-Length, as with "
    "Transfer-Encoding: chunked. Let the sender give the length: in a Logic App turn off 'Allow chunking' "
    "of the HTTP action, in nginx leave proxy_request_buffering on, with curl send the file by --data-binary."
)


def compressed(encoding: str) -> str:
    return (
        f"The body is compressed (Content-Encoding: {encoding}); only plain bodies are taken. "
        "Turn compression off at the sender."
    )


DRILL_ON_RECORD = "It is on record. It begins when `alert` is posted to /api/alerts."
DRILL_ENDED = "It has ended; the last messages go out within minutes."


def no_drill(tracking_id: str) -> str:
    return f"There is no drill {tracking_id}."


def wired_up(reason: str) -> str:
    """A test alert; `reason` is why it is ignored otherwise."""
    return f"{reason} It went all the way to the notices: you are wired up."


def storage_silent(seconds: int) -> str:
    return f"Storage has not answered within {seconds} s."


NO_RUN = "No run of this scale set is on record."


def no_run_in_wave(tracking_id: str) -> str:
    return f"No run of this scale set in the wave {tracking_id} is on record."


def no_such_run(tracking_id: str, name: str, group: str) -> str:
    return f"Wave {tracking_id} has no run of {name} in {group} on record."


def no_wave(tracking_id: str, subscription: str = "") -> str:
    where = f" in {subscription}" if subscription else ""
    return f"No announcement of a wave {tracking_id}{where} is on record."


def no_such_page(tracking_id: str) -> str:
    return f"Wave {tracking_id} has no such page: its scale sets stand on others."


def run_unreadable(why: object) -> str:
    return f"The run's record cannot be read: {why}"


def records_unreadable(why: object) -> str:
    return f"The records cannot be read right now, try again in a minute: {why}"


TOOK_TOO_LONG = (
    "Storage or Azure did not answer in time, so nobody knows whether this was taken. Try again in a minute: "
    "what was taken is not taken twice."
)


NO_TIME_LEFT = "Its turn did not come before the request had to be answered; say it again."


def not_right_now(why: object) -> str:
    return f"This cannot be taken right now, try again in a minute: {why}"


def plan_changed(checksum: str) -> str:
    return (
        f"The plan has changed since you saw it. Look at the run again and decide about the plan {checksum}."
    )


NOBODY_LATE = "Every scale set of the wave that has not begun has a place before its deadline."
NOBODY_WAITS = "No scale set of the wave waits to begin."
NOBODY_ACTIVE = "No run of the wave is active any more."


def no_such_limit(key: str) -> str:
    return f"The policy file has no `limits.{key}` that could be raised."


def limit_allows_already(key: str, number: int) -> str:
    return f"`limits.{key}` allows {number} already."


def wave_over(tracking_id: str) -> str:
    return f"The wave {tracking_id} is over: nothing of it waits for a limit."


def limits_raised(numbers: Mapping[str, int]) -> str:
    what = ", ".join(f"`{key}` is {number}" for key, number in numbers.items())
    return f"{what} until the wave is over."


def taken_by(scale_sets: int) -> str:
    return f"{many(scale_sets, 'scale set')} took it."


def refused_by(scale_sets: int, example: str, why: str) -> str:
    return f"{many(scale_sets, 'scale set')} did not, such as {example}: {why}"


def unreached(scale_sets: int, example: str, why: str) -> str:
    return (
        f"{many(scale_sets, 'scale set')} could not be reached, such as {example}: "
        f"{why} Say it again in a minute: what is done stays as it is."
    )
