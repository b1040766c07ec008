"""How one instance takes maintenance: quick or slow, honest or misleading.

Every field is one thing Azure or a guest has been seen (or is documented) to do. Behaviours are put together
with `|`: what the right one sets away from its default wins.
"""

from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import Any, Literal

Health = Literal["healthy", "unhealthy", "initializing", "unknown", "missing"]
AfterSuccess = Literal["cleared", "lingers_allowed", "lingers_done"]
EndsUp = Literal["running", "stopped", "deallocated", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """What happens after a start. Durations are `timedelta`s of the fleet's clock.

    reboot                how long the instance is down when the customer starts maintenance
    guest_delay           the guest handles scheduled events: it keeps running and healthy, up to 15 minutes
    health_down           health reported while the instance is down
    health_meanwhile      health reported from boot until `health_delay` has passed
    health_delay          from boot to the final health
    health_finally        the final health; anything but healthy means it never comes back
    retry_later, aborted  so many operations end with that result code and leave the instance untouched
    set_aside_after       how long such an operation takes
    set_aside_fails       such an operation ends Failed instead of Succeeded
    refused               409 OperationNotAllowed although the flag says allowed
    lost_answers          so many starts begin their work and then drop the connection
    answer                202 with an operation's address, or 200 at once while the work goes on
    after_success         the status vanishes, stays with the flag still true, or stays with the flag false
    lingers_for           how long it stays before vanishing; None is until the wave is over
    fails_after_reboot    it reboots and comes back, and then the operation fails; still not maintained
    hangs                 the operation never ends: the instance stays down, or is maintained all the same
    ends_up               maintained, and then off, or its provisioning failed: nobody brings it back
    relapses_after        from its final health after maintenance to the moment it does not serve any more
    """

    reboot: timedelta = timedelta(minutes=4)
    guest_delay: timedelta = timedelta(0)
    health_down: Health = "unknown"
    health_meanwhile: Health = "initializing"
    health_delay: timedelta = timedelta(minutes=1)
    health_finally: Health = "healthy"
    retry_later: int = 0
    aborted: int = 0
    set_aside_after: timedelta = timedelta(seconds=20)
    set_aside_fails: bool = False
    refused: bool = False
    lost_answers: int = 0
    answer: Literal[200, 202] = 202
    after_success: AfterSuccess = "cleared"
    lingers_for: timedelta | None = None
    fails_after_reboot: bool = False
    hangs: Literal["", "down", "up"] = ""
    ends_up: EndsUp = "running"
    relapses_after: timedelta | None = None

    def __or__(self, other: "Behaviour") -> "Behaviour":
        set_there: dict[str, Any] = {
            f.name: getattr(other, f.name) for f in fields(other) if getattr(other, f.name) != f.default
        }
        return replace(self, **set_there)

    def scaled(self, scale: float) -> "Behaviour":
        """The same behaviour with every duration multiplied by `scale`."""
        spans: dict[str, Any] = {
            f.name: value * scale
            for f in fields(self)
            if isinstance(value := getattr(self, f.name), timedelta)
        }
        return replace(self, **spans)
