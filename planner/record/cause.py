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
    Cause.NEIGHBOUR: "an instance that does not serve",
    Cause.SCALE_SET: "an operation on the scale set",
    Cause.ROOM: "room among the instances down",
    Cause.LIMIT: "a limit in flight",
    Cause.PREDECESSOR: "a scale set that goes first",
    Cause.UNREADABLE: "what Azure does not show",
    Cause.HEALTH: "application health",
    Cause.REPAIRS: "automatic repairs",
    Cause.NOT_STARTABLE: "an instance Azure lets us start",
    Cause.PLAN: "a new plan",
}
"""What scale sets wait for, in a digest's words: `2 wait for a limit in flight`."""

WAY_ON = {
    Cause.NEIGHBOUR: "Bring that instance back to running and healthy, delete it, or skip what is left: "
    "nothing starts beside an instance that does not serve.",
    Cause.SCALE_SET: "Let the operation end; failed provisioning is cleared by an update of the scale set "
    "that succeeds. Where the machines do well all the same, accept `provisioning-failed` for this run "
    "(`raise` with `accept`) or for the scale set (policy file, or tag breakwater-accept).",
    Cause.ROOM: "Bring the other instances back, or raise `max-unavailable` for this run.",
    Cause.LIMIT: "It goes on when one of those in flight is over. To go faster, raise the limit in the "
    "policy file or for the wave, or let the others pass (`let-pass`) where one in flight is paused.",
    Cause.PREDECESSOR: "See to the scale set that goes first, or take it out of `after`.",
    Cause.UNREADABLE: "Look at the scale set in the portal: if Azure shows there what is missing here, check "
    "the role of the app's identity; otherwise ask Azure's support.",
    Cause.HEALTH: "Give its instances the application health extension or a load balancer's probe, or say "
    "`health: if-reported` for this scale set in the policy file. Waiting does not change it.",
    Cause.REPAIRS: "Look at the scale set's automatic repairs in the portal, or accept `automatic-repairs` "
    "for it: then they are left running.",
    Cause.NOT_STARTABLE: "Start the instance if it is off, let an operation on it end, or skip it.",
    Cause.PLAN: "A new plan has been asked for again and again and changed nothing: look at the app's "
    "log and its quarantine for what keeps it from being made.",
}
"""What somebody can do about it, for the notice."""
