"""What a start waits for, as one word that records, notices and the digest share."""

from enum import StrEnum


class Cause(StrEnum):
    """Why nothing starts at this moment.

    `started`: nothing is left to start, what was started is watched. `times`: lead time, windows, freezes
    and back-off, which pass by themselves. `poll`: this poll has not read Azure. `approval` and `stop` are
    people's.

    The rest keep back a run that may start by its times. `neighbour`: another instance does not serve.
    `scale_set`: an operation on the set, or its failed provisioning. `room`: too many are down at once.
    `limit`: the policy's limits in flight. `predecessor`: a scale set goes first. `unreadable`: Azure does
    not show something. `health`: nothing reports the health that is required. `repairs`: the automatic
    repairs. `not_startable`: Azure lets nobody start an instance of the batch. `plan`: the plan does not
    cover what is there.
    """

    STARTED = "started"
    TIMES = "times"
    POLL = "poll"
    APPROVAL = "approval"
    STOP = "stop"
    NEIGHBOUR = "neighbour"
    SCALE_SET = "scale_set"
    ROOM = "room"
    LIMIT = "limit"
    PREDECESSOR = "predecessor"
    UNREADABLE = "unreadable"
    HEALTH = "health"
    REPAIRS = "repairs"
    NOT_STARTABLE = "not_startable"
    PLAN = "plan"


QUIET = frozenset({Cause.STARTED, Cause.TIMES, Cause.POLL, Cause.APPROVAL, Cause.STOP})
"""Causes that do not count against `stalled-after`: they pass by themselves, or a person has been asked."""

AT_ONCE = frozenset({Cause.HEALTH})
"""Causes that waiting does not change: told by the first poll that meets them."""
