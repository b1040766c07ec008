"""A wave of planned maintenance, and an instance's part in it.

The windows are those of `maintenanceRedeployStatus`: the self-service window, in which the customer may
start, and the scheduled window, in which Azure does. There may be a gap between them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from simulator.fleet.ledger import Who, Windows

if TYPE_CHECKING:
    from simulator.fleet.model import Instance

ResultCode = Literal["None", "RetryLater", "MaintenanceAborted", "MaintenanceCompleted"]
WaveState = Literal["planned", "in_progress", "cancelled", "complete"]


@dataclass(frozen=True, slots=True)
class Window:
    """From start (included) to end (excluded), aware UTC."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end <= self.start:
            raise ValueError(
                f"a window runs from an aware time to a later one, not {self.start} to {self.end}"
            )

    def __contains__(self, moment: datetime) -> bool:
        return self.start <= moment < self.end


def everyone(_: "Instance") -> bool:
    return True


@dataclass(slots=True, eq=False, kw_only=True)
class Wave:
    """One planned-maintenance event.

    impacted and eligible choose among the instances in the wave's subscriptions and regions; what is impacted
    but not eligible shows its status with the flag false throughout. `azure_reboot` and `azure_pause` are how
    Azure goes about it in the scheduled window (about 25 minutes a domain, 30 between domains).
    """

    tracking_id: str
    subscriptions: tuple[str, ...]
    regions: tuple[str, ...]
    self_service: Window
    scheduled: Window
    impacted: "Callable[[Instance], bool]" = everyone
    eligible: "Callable[[Instance], bool]" = everyone
    azure_reboot: timedelta = timedelta(minutes=25)
    azure_pause: timedelta = timedelta(minutes=30)
    title: str = "Virtual Machine Maintenance"
    state: WaveState = "planned"
    updated_at: datetime | None = None
    generation: int = 0
    tickets: "list[tuple[Instance, Ticket]]" = field(default_factory=list)

    @property
    def over(self) -> bool:
        return self.state in {"cancelled", "complete"}


@dataclass(slots=True, eq=False)
class Ticket:
    """An instance's part in a wave, with its own windows: a rescheduled wave leaves what is done alone."""

    wave: Wave
    eligible: bool
    self_service: Window
    scheduled: Window
    code: ResultCode = "None"
    message: str | None = None
    shown: bool = True
    flag_stays: bool = False
    done_at: datetime | None = None
    done_by: Who | None = None

    @property
    def outstanding(self) -> bool:
        """Azure will still do it, unless somebody does first."""
        return self.shown and self.done_at is None and not self.wave.over

    def allowed(self, now: datetime) -> bool:
        """isCustomerInitiatedMaintenanceAllowed."""
        open_now = self.eligible and now in self.self_service and not self.wave.over
        return open_now and (self.done_at is None or self.flag_stays)

    def windows(self) -> Windows:
        return (self.self_service.start, self.self_service.end, self.scheduled.start, self.scheduled.end)

    def renew(self, self_service: Window, scheduled: Window) -> None:
        """Scheduled a second time, with these windows."""
        self.self_service, self.scheduled = self_service, scheduled
        self.code, self.message, self.shown, self.flag_stays = "None", None, True, False
        self.done_at = self.done_by = None
