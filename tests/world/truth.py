"""Whether what a run says of its instances in the end is what happened to them, by the fleet's ledger."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

from planner.record.instance import InstanceProgress
from planner.record.run import Run
from planner.record.states import InstanceState
from simulator.fleet.ledger import Down, Maintained, Meanwhile, Replaced, StartAsked, WaveBecame
from simulator.fleet.maintenance import RELAPSE
from tests.world.world import World

HEARD_FIRST = timedelta(minutes=10)
"""People may be told of it before Azure shows it."""

NO_MATTER = ("health", "protection", "tags", "rolling upgrade")


def untrue(world: World) -> Iterator[str]:
    """Sentences about instances whose end the ledger does not bear out."""
    facts = _Facts(world)
    for run in world.runs().values():
        given_up: set[str] = set()
        for one in (*world.archived(run), run):
            for progress in one.instances:
                why = facts.against(one, progress)
                if why and not (progress.id in given_up and progress.state is InstanceState.SKIPPED):
                    yield f"{one.target.name}: {progress.id} is {progress.state} ({progress.reason}), and {why}"
            # Told as maintained and not serving: that it is still switched off is nothing new.
            given_up |= {
                each.id
                for each in one.instances
                if each.state is InstanceState.MISSED and each.proof_at is not None
            }


class _Facts:
    """When things happened, by instance; those of the whole set under no instance."""

    def __init__(self, world: World) -> None:
        self._maintained: defaultdict[str, list[datetime]] = defaultdict(list)
        self._befell: defaultdict[str, list[datetime]] = defaultdict(list)
        self._refused: set[str] = set()
        self._waves: list[datetime] = []
        for fact in world.fleet.ledger:
            if isinstance(fact, WaveBecame):
                self._waves.append(fact.at)
            elif isinstance(fact, Maintained):
                self._maintained[_key(fact.scale_set, fact.instance)].append(fact.at)
                if fact.who == "person":
                    # Whoever maintains it outside may leave it off, and whoever looks sees no more than that.
                    self._befell[_key(fact.scale_set, fact.instance)].append(fact.at)
            elif isinstance(fact, Replaced) or (
                isinstance(fact, Meanwhile) and not fact.what.startswith(NO_MATTER)
            ):
                self._befell[_key(fact.scale_set, fact.instance)].append(fact.at)
            elif isinstance(fact, Down) and fact.cause == RELAPSE:
                # Served and went down by itself: whoever looks sees it stopped, and not by whom.
                self._befell[_key(fact.scale_set, fact.instance)].append(fact.at)
            elif isinstance(fact, StartAsked) and fact.code == "OperationNotAllowed" and not fact.passing:
                self._refused.add(_key(fact.scale_set, fact.instance))
        for wave in world.fleet.world.waves.values():
            self._refused |= {
                _key(one.owner.id, one.id) for one, ticket in wave.tickets if not ticket.eligible
            }

    def against(self, run: Run, progress: InstanceProgress) -> str:
        """Why the instance's end cannot be; empty when it can."""
        end, key = progress.finished_at, _key(run.target.id, progress.id)
        if end is None:
            return ""
        maintained = _by(self._maintained[key], end)
        befallen = _by(self._befell[key], end) or _by(self._befell[_key(run.target.id, "")], end)
        # The first one is its announcement.
        moved = _by(self._waves[1:], end)
        if progress.state is InstanceState.MAINTAINED and not (maintained or befallen):
            return "nobody has maintained it"
        if progress.state is InstanceState.BY_AZURE and not (maintained or befallen or moved):
            return "nobody has maintained it"
        # Whoever maintains it between two polls leaves no more than that: its status is gone.
        called_off = moved or _by(self._waves[1:], end + HEARD_FIRST)
        if progress.state is InstanceState.CANCELLED and not (maintained or befallen or called_off):
            return "no wave was called off"
        skipped = any(one.event.startswith("skip") for one in run.story.history)
        protected = "protected" in progress.reason
        if progress.state is InstanceState.SKIPPED and not (
            befallen or skipped or protected or key in self._refused
        ):
            return "nothing has befallen it"
        window = progress.window or run.times.self_service
        if progress.state is InstanceState.MISSED and not moved and window is not None and end < window.end:
            return f"its window is open until {window.end}"
        return ""


def _by(moments: list[datetime], end: datetime) -> bool:
    return any(one <= end for one in moments)


def _key(scale_set: str, instance: str) -> str:
    return f"{scale_set}/{instance.rsplit('/', 1)[-1]}".lower()
