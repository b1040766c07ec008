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

FOR = {
    Cause.NEIGHBOUR: "an unhealthy instance",
    Cause.SCALE_SET: "an operation on the scale set",
    Cause.ROOM: "instances that are down already",
    Cause.LIMIT: "the limits",
    Cause.PREDECESSOR: "a scale set that goes first",
    Cause.UNREADABLE: "something Azure does not show",
    Cause.HEALTH: "missing application health",
    Cause.REPAIRS: "automatic repairs",
    Cause.NOT_STARTABLE: "an instance that Azure does not let us start",
    Cause.PLAN: "a new plan that does not come",
}
"""What holds scale sets up, in a digest's words: `2 are held up by the limits`."""

WAY_ON = {
    Cause.NEIGHBOUR: "Get that instance healthy, delete it, or leave the rest to Azure: nothing starts while "
    "another instance is unhealthy.",
    Cause.SCALE_SET: "Wait for the operation to end; failed provisioning clears with the next update of the "
    "scale set that succeeds. If the instances are fine anyway, accept `provisioning-failed` for this run "
    "(`raise` with `accept`) or for the scale set (policy file, or tag breakwater-accept).",
    Cause.ROOM: "Get the other instances healthy, or raise `max-unavailable` for this run.",
    Cause.LIMIT: "It goes on when one of those under way is done. To go faster, raise the limit in the "
    "policy file or for the wave, or, if one of them is paused, let the others pass (`let-pass`).",
    Cause.PREDECESSOR: "Look at the scale set that goes first, or take it out of `after`.",
    Cause.UNREADABLE: "Look at the scale set in the portal: if it shows there what is missing here, check "
    "the role of the app's identity; if not, ask Azure support.",
    Cause.HEALTH: "Install the application health extension or a load balancer probe, or set `health: "
    "if-reported` for this scale set in the policy file. Waiting does not help.",
    Cause.REPAIRS: "Look at the scale set's automatic repairs in the portal, or accept `automatic-repairs` "
    "for it: then they stay on.",
    Cause.NOT_STARTABLE: "Start the instance if it is off, wait for an operation on it to end, or skip it.",
    Cause.PLAN: "A new plan was asked for again and again and changed nothing: check the app's log and its "
    "quarantine for what keeps it from being made.",
}
"""What somebody can do about it, for the notice."""
