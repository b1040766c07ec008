"""What a page is made from: a wave as it stands, which part of it is shown, and how much of each run."""

from dataclasses import dataclass

from handlers.render.addresses import Place
from planner.azure.wave import Wave
from planner.notices.delivery import Delivery
from planner.notices.digest import Overview
from planner.places.outlook import Outlook
from planner.record.run import Run
from planner.record.states import RunState


@dataclass(frozen=True, slots=True)
class Room:
    """How much of a run is shown: more on its own page than among a hundred others.

    `batches`, `lines` (of history), `shown` (kinds of status) and `down` (instances, before anything unfolds)
    at the most; `own`: its own page.
    """

    batches: int
    lines: int
    shown: int
    down: int
    own: bool


OWN, AMONG_OTHERS = Room(60, 120, 12, 10, own=True), Room(16, 12, 3, 3, own=False)


@dataclass(frozen=True, slots=True)
class Part:
    """Which of a wave's scale sets a page shows: page `number` of `pages`, whose first row is number `first`.

    `total` are the scale sets of all these pages: those in `state` (None: in any).
    """

    number: int = 1
    pages: int = 1
    first: int = 1
    total: int = 0
    state: RunState | None = None

    @property
    def whole(self) -> bool:
        """Whether it is the page that tells everything about the wave."""
        return self.number == 1 and self.state is None


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a wave's page shows. `runs` are those of its part, all of them where none is given.

    `asking` is where the scale sets of the whole wave are that need a person, in order.
    """

    tracking_id: str
    waves: tuple[Wave, ...]
    runs: tuple[Run, ...]
    overview: Overview
    deliveries: tuple[Delivery, ...]
    outlooks: tuple[Outlook, ...] = ()
    asking: tuple[Place, ...] = ()
    part: Part | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """What a link's form is filled with: who signed in or typed a name, why, and what was wrong with it.

    `sign_in` is why nobody can act here before signing in.
    """

    signed_in: str = ""
    actor: str = ""
    comment: str = ""
    problem: str = ""
    sign_in: str = ""
