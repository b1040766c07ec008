"""What is wrong with the triggers' settings is found before anything listens."""

import logging
import re
from collections.abc import Mapping

from simulator.host.app_settings import connection, resolve
from simulator.host.metadata import Function, UnsupportedFunctionError
from simulator.host.ncrontab import Schedule, ScheduleError

log = logging.getLogger(__name__)

_QUEUE_NAME = re.compile(r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*")
_BUILT_IN = ("admin", "runtime")


def enabled(functions: Mapping[str, Function]) -> dict[str, Function]:
    """The functions that can run; one that the real host would disable is logged and left out, alone.

    Raises:
        MissingSettingError, UnsupportedFunctionError: the app cannot run under this host.
    """
    kept: dict[str, Function] = {}
    for name, one in functions.items():
        try:
            _check(one)
        except ScheduleError as wrong:
            log.error("The '%s' function is in error: %s", name, wrong)  # noqa: TRY400 - the text says it all
        else:
            kept[name] = one
    return kept


def _check(one: Function) -> None:
    kind = one.trigger.type
    if kind == "queueTrigger":
        connection(one.trigger.setting("connection", "AzureWebJobsStorage"))
        queue = resolve(one.trigger.setting("queueName"))
        if not _QUEUE_NAME.fullmatch(queue):
            raise UnsupportedFunctionError(
                f"Function '{one.name}' names the queue '{queue}'; storage wants 3 to 63 lower-case "
                "letters, digits and single hyphens."
            )
    elif kind == "timerTrigger":
        connection("AzureWebJobsStorage")
        Schedule.parse(resolve(one.trigger.setting("schedule")))
    elif str(one.trigger.setting("route", one.name)).strip("/").lower().startswith(_BUILT_IN):
        raise UnsupportedFunctionError(
            f"Function '{one.name}' has a route that begins with {' or '.join(_BUILT_IN)}: these are the host's own."
        )
