"""No run ends on one answer: what a run says when it ends is held against the fleet at that moment."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from handlers.wire.documents import decode
from planner.record.instance import InstanceProgress
from planner.record.run import Run
from planner.record.states import ENDED, InstanceState, RunState
from simulator.fleet import Fleet, Instance
from simulator.fleet.ledger import Maintained, Meanwhile, Replaced
from simulator.fleet.maintenance import RELAPSE

SETTLES = timedelta(minutes=10)
"""What changed more lately than this the last polls may have missed."""

SAID_DONE = frozenset({InstanceState.MAINTAINED, InstanceState.BY_AZURE, InstanceState.CANCELLED})
SAID_WELL = frozenset({RunState.COMPLETED, RunState.CANCELLED})


def _called_off(progress: InstanceProgress) -> bool:
    """Whether Azure has announced that the wave is cancelled: its word comes before its statuses follow."""
    return progress.state is InstanceState.CANCELLED and progress.reason.startswith("The wave was cancelled")


class Endings:
    """Follows the records; `findings` are sentences."""

    def __init__(self, fleet: Fleet) -> None:
        self.findings: list[str] = []
        self._fleet = fleet
        self._over: dict[str, bool] = {}

    def written(self, path: str, body: bytes) -> None:
        if not path.startswith("runs/"):
            return
        run = decode(Run, body)
        over, was = run.state in ENDED, self._over.get(path, False)
        self._over[path] = over
        if over and not was:
            now = self._fleet.now
            self.findings += [
                f"{now:%Y-%m-%d %H:%M:%S}Z {run.target.name} ended {run.state}, and {why}"
                for why in self._untrue(run, now)
            ]

    def _untrue(self, run: Run, now: datetime) -> Iterator[str]:
        owner = self._fleet.world.scale_sets.get(run.target.id.lower())
        if owner is None:
            return
        if "was deleted" in run.reason and not self._deleted(run, ""):
            yield "the scale set was never deleted"
        over = any(map(_called_off, run.instances))
        for progress in run.instances:
            one = owner.instances.get(progress.id)
            if one is None:
                continue
            # What a wave shows that was announced since is that wave's to plan.
            anew = (
                over and progress.finished_at is not None and progress.finished_at < (one.shown_since or now)
            )
            if progress.state in SAID_DONE and self._open(one, now) and not (_called_off(progress) or anew):
                yield f"instance {progress.id}, said to be {progress.state}, is still to be maintained"
            gone = progress.state is InstanceState.SKIPPED and "deleted" in progress.reason
            if gone and not self._deleted(run, one.id):
                yield f"instance {progress.id}, said to be deleted, is there"
        if run.state in SAID_WELL:
            yield from self._down(run, list(owner.instances.values()), now)

    @staticmethod
    def _open(one: Instance, now: datetime) -> bool:
        ticket = one.ticket
        shown = one.shown_since is not None and now - one.shown_since > SETTLES
        return ticket is not None and ticket.outstanding and shown

    def _down(self, run: Run, instances: list[Instance], now: datetime) -> Iterator[str]:
        """What our maintenance has taken down and a person has not let go."""
        skipped = any(one.event.startswith("skip") for one in run.story.history)
        for one in instances:
            trouble, since = one.trouble(), one.unwell_since or now
            # What an earlier run left down is named where this one ends.
            counted = one.instance_id in run.fleet.left_down and "since an earlier reboot" in run.reason
            if trouble and self._ours(one) and now - since > SETTLES and not skipped and not counted:
                yield f"instance {one.instance_id} has been down since {since:%H:%M:%S}Z by our doing ({trouble})"

    def _ours(self, one: Instance) -> bool:
        """Whether our maintenance has taken it down, or it came back from that and went down later."""
        if one.cause != RELAPSE:
            return one.cause == "customer maintenance"
        who = [
            fact.who
            for fact in self._fleet.ledger
            if isinstance(fact, Maintained) and fact.instance == one.id
        ]
        return who[-1:] == ["customer"]

    def _deleted(self, run: Run, instance: str) -> bool:
        """By the ledger: the instance, or without one the scale set, since the run was planned."""
        mine = [one for one in self._fleet.ledger if one.at >= run.planned_at - SETTLES]
        deleted = (one for one in mine if isinstance(one, Meanwhile) and one.what == "delete")
        replaced = (one for one in mine if isinstance(one, Replaced))
        here = run.target.id.lower()
        return any(
            one.scale_set.lower() == here and one.instance in {instance, ""} for one in deleted
        ) or any(one.instance == instance for one in replaced)
