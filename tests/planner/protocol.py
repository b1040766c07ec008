"""The protocol around the pure planner, as `handlers.stages.plan` and `handlers.stages.advance` follow it, without storage.

A poll observes what it needs, advances, writes, starts what was written, adds the answers; and may die between
any two of these. What is written survives, everything else is gone.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from planner.azure.wave import Announcement, Stage, Wave
from planner.decision.decide import decide
from planner.machine import ending
from planner.machine.advance import advance, may_start, needs_azure, repairs_wanted
from planner.observe import absence
from planner.observe.outstanding import outstanding
from planner.policy.model import Policy
from planner.policy.overrides import NOTHING
from planner.policy.resolve import rules_for
from planner.record.action import Action, Replan, SetRepairs, Start, StartOutcome, StartResult
from planner.record.command import Command, CommandKind
from planner.record.observation import Observation, Predecessor, with_direct_reads
from planner.record.run import Run, Verdict
from planner.record.states import ACTIVE, ENDED, IN_FLIGHT
from planner.replan import new_plan, reopening
from planner.start import repairs
from planner.start.results import answered
from tests.planner import promises
from tests.planner.lies import Liar
from tests.planner.small_azure import NOW, SUBSCRIPTION, SmallAzure

POLL_INTERVAL, IN_DOUBT = timedelta(seconds=60), timedelta(minutes=30)
DIES = ("", "before the write", "before the starts", "between the starts", "before the answers")


class Protocol:
    """One run over one small Azure. `findings` are broken promises, each a sentence."""

    def __init__(self, azure: SmallAzure, policy: Policy) -> None:
        self.azure, self.policy = azure, policy
        self.now = NOW
        self.waves = [announced("VM8T-1Q8", Stage.PLANNED, self.now)]
        self.run: Run | None = None
        self.archive: list[Run] = []
        self.stopped = ""
        self.limit = ""
        self.trouble = ""
        self.predecessors: tuple[Predecessor, ...] = ()
        self.order_problem = ""
        self.liar = Liar()
        self._absent_since: datetime | None = None
        self.repairs_run = True
        self.repairs_obey = True
        self.suspended_by_us = False
        self.findings: list[str] = []
        self.starts: list[tuple[datetime, str]] = []
        self.words = 0
        self._replans = 0
        self._replans_later = False

    def say(self, stage: Stage, tracking_id: str = "VM8T-1Q8") -> None:
        """Announce; the plan that follows is made right away."""
        for place, wave in enumerate(self.waves):
            if wave.tracking_id == tracking_id:
                told = announced(tracking_id, stage, self.now).announcements
                self.waves[place] = replace(wave, announcements=(*wave.announcements, *told))
                break
        else:
            self.waves.append(announced(tracking_id, stage, self.now))
        self.waves.sort(key=lambda one: one.tracking_id != tracking_id)
        self.plan()

    def plan(self, tracking_id: str = "", *, announced: bool = True) -> None:
        """As `handlers.stages.plan` has it, in the wave that was announced last unless another one is asked for.

        Not `announced`: an ended run, or an answer of the day, has asked for it.
        """
        run, now = self.run, self.now
        asked = tracking_id or self.waves[0].tracking_id
        mine = {asked, *(run.waves if run is not None else ())}
        waves = sorted(
            (one for one in self.waves if one.tracking_id in mine), key=lambda one: one.tracking_id != asked
        )
        over = not any(one.open for one in waves)
        alive = run is not None and run.state not in ENDED and run.ended_at is None
        if over and any(one.stage is Stage.CANCELED for one in waves):
            if run is not None and alive:
                self._write(ending.closed(run, now, cancelled=True))
            return
        observation = self._read_for_plan(run)
        if observation is None:
            # Azure is asked once more, a poll later; until then nothing is planned.
            self._replans_later = True
            return
        instances = observation.instances or ()
        decision = decide(
            self.azure.scale_set,
            outstanding(instances, run, now),
            [one.current for one in waves],
            self.policy,
            now,
            raised=run.terms.raised if run is not None and alive else NOTHING,
            order_problem=self.order_problem,
        )
        spared = decision.verdict is Verdict.NOT_IMPACTED
        another = run is not None and waves[0].tracking_id not in run.waves
        due_again = not spared and (announced or (run is not None and bool(reopening.why(run, decision))))
        if run is None or (not alive and (another or due_again)):
            if over and spared and run is not None:
                return
            if run is not None:
                self.archive.append(run)
            self.run = None
            self._write(new_plan.new_run(self.azure.scale_set, instances, decision, waves, now, former=run))
        elif alive:
            new = new_plan.replanned(run, self.azure.scale_set, instances, decision, waves, now, observation)
            self._write(ending.closed(new, now) if over and spared else new)

    def _read_for_plan(self, run: Run | None) -> Observation | None:
        """What the plan stage reads; None while it may be a lie: a 404 of the set, views left out."""
        observation, before = Observation(self.now, poll_interval=POLL_INTERVAL), replace(self.liar)
        if self.azure.deleted or self.liar.set_not_found("plan"):
            since, self._absent_since = self._absent_since, self._absent_since or self.now
            sure = since is not None and self.now - since >= POLL_INTERVAL
            return replace(observation, deleted=True, instances=()) if sure or not self.liar.telling else None
        self._absent_since = None
        observation = replace(observation, instances=self.liar.listing(self.azure.shown(self.now)))
        unreadable = tuple(one.id for one in observation.instances or () if one.unreadable)
        observation = self._read_directly(
            absence.to_read(run, observation) if run is not None else unreadable, observation
        )
        if any(one.unreadable for one in observation.instances or ()):
            self.liar.remembers(before)
            return None
        return observation

    def poll(
        self,
        events: Iterable[Command] = (),
        *,
        dies: str = "",
        answer: Callable[[str], StartResult | None] = lambda _: None,
    ) -> tuple[Action, ...]:
        """One poll. `answer` says how a start is taken; None is taken, and its answer comes back."""
        run = self.run
        assert run is not None
        before = replace(self.liar)
        observation = self._observed(run)
        if dies == "before the write":
            self.liar.remembers(before)
        events = tuple(events)
        new, actions = advance(run, observation, events, self.now)
        if advance(run, observation, events, self.now) != (new, actions):
            self.findings.append("the same input gave another answer")
        if observation.instances is not None:
            upside_down = replace(observation, instances=tuple(reversed(observation.instances)))
            if _ids(advance(run, upside_down, events, self.now)[1]) != _ids(actions):
                self.findings.append("the order in which Azure lists instances decides what is started")
        starts = [one for one in actions if isinstance(one, Start)]
        self.findings += promises.of_actions(new, actions, self.now)
        self.findings += promises.of_starts(run, new, observation, starts, self.now)
        truth = {name: one.seen for name, one in self.azure.machines.items()}
        self.findings += promises.of_truth(
            run, new, truth, starts, observation, self.now, deleted=self.azure.deleted, stale=self.liar.stale
        )
        for one in starts:
            machine = self.azure.machines[one.instance]
            if machine.maintained and machine.maintained[-1] == machine.window:
                self.findings.append(f"{one.instance} was maintained in this window and is started again")
        if any(isinstance(one, Replan) for one in actions):
            # The message that asks for a plan is sent before anything is written.
            self._replans += 1
        if dies != "before the write":
            self._written(new, actions, starts, dies, answer)
        for _ in range(self._replans + self._replans_later):
            self._replans = max(0, self._replans - 1)
            self._replans_later = False
            self.plan(run.waves[-1], announced=run.state in ACTIVE)
        return actions

    def _written(
        self,
        new: Run,
        actions: Iterable[Action],
        starts: Sequence[Start],
        dies: str,
        answer: Callable[[str], StartResult | None],
    ) -> None:
        self._write(new)
        self._set_repairs(actions)
        if dies == "before the starts":
            return
        answers: list[StartResult] = []
        for number, start in enumerate(starts):
            if dies == "between the starts" and number:
                return
            answers.append(self._started(start, answer(start.instance)))
        if answers and dies != "before the answers" and self.run is not None:
            self._write(answered(self.run, answers, self.now))

    def _started(self, start: Start, said: StartResult | None) -> StartResult:
        name = start.instance
        self.starts.append((self.now, name))
        machine = self.azure.machines.get(name)
        if machine is None:
            return StartResult(name, StartOutcome.WITHDRAWN, message="It is gone.")
        if machine.operation:
            return StartResult(
                name, StartOutcome.REFUSED, code="Conflict", message="Another operation is in progress."
            )
        if said is not None and (said.answered is not StartOutcome.LOST or said.code == "never arrived"):
            return said
        address = self.azure.start(name)
        return said or StartResult(name, StartOutcome.ACCEPTED, operation=address)

    def _observed(self, run: Run) -> Observation:
        now = self.now
        observation = Observation(now, stopped=self.stopped, poll_interval=POLL_INTERVAL, in_doubt=IN_DOUBT)
        open_ones = any(one.open for one in self.waves if one.tracking_id in run.waves)
        observation = replace(observation, open=open_ones)
        if run.state not in ACTIVE:
            return self._from_azure(run, observation) if needs_azure(run, observation, now) else observation
        waves = [one for one in self.waves if one.tracking_id in run.waves]
        over = not any(one.open for one in waves)
        observation = replace(
            observation, cancelled=over and any(one.stage is Stage.CANCELED for one in waves)
        )
        observation = replace(observation, predecessors=self.predecessors, order_problem=self.order_problem)
        if may_start(run, observation, now) and not any(one.started_at for one in run.batches):
            observation = replace(observation, limit=self.limit)
        return self._from_azure(run, observation) if needs_azure(run, observation, now) else observation

    def _from_azure(self, run: Run, observation: Observation) -> Observation:
        if self.trouble:
            return Observation(
                self.now,
                stopped=self.stopped,
                trouble=self.trouble,
                poll_interval=POLL_INTERVAL,
                in_doubt=IN_DOUBT,
            )
        if self.azure.deleted or self.liar.set_not_found("look"):
            return replace(observation, deleted=True, instances=())
        if may_start(run, observation, self.now):
            rules = rules_for(self.policy, self.azure.scale_set)
            observation = replace(observation, scale_set=self.azure.scale_set, rules=rules)
        if repairs_wanted(run, observation) and self.azure.scale_set.automatic_repairs:
            observation = replace(observation, repairs="running" if self.repairs_run else "suspended")
        flying = [
            one for one in run.instances if one.state in IN_FLIGHT and one.operation and not one.proof_at
        ]
        operations = {one.id: self.azure.operations[one.operation] for one in flying}
        observation = replace(observation, instances=self.liar.listing(self.azure.shown(self.now)))
        observation = self._read_directly(absence.to_read(run, observation), observation)
        return replace(observation, operations=operations)

    def _read_directly(self, ids: Sequence[str], observation: Observation) -> Observation:
        """As `handlers.runs.observe_azure` has it: what a direct read shows takes the place of what was listed."""
        found, absent = self.liar.directly(ids, self.azure.shown(self.now))
        return with_direct_reads(observation, found, absent)

    def _set_repairs(self, actions: Iterable[Action]) -> None:
        for one in actions:
            if not isinstance(one, SetRepairs) or self.run is None:
                continue
            if not self.repairs_obey:
                self._write(repairs.answered(self.run, "Azure refused it.", denied=True))
                continue
            if one.suspend and self.repairs_run:
                self.suspended_by_us = True
            if not one.suspend:
                if not self.repairs_run and not self.suspended_by_us:
                    self.findings.append("repairs were resumed that somebody else had suspended")
                self.suspended_by_us = False
            self.repairs_run = not one.suspend

    def _write(self, new: Run) -> None:
        if self.run is not None:
            self.findings += promises.of_change(self.run, new)
        self.findings += promises.of_record(new)
        self.run = replace(new, generation=new.generation + 1)

    def event(self, word: str, **fields: object) -> Command:
        """A word about the plan as it is now, unless fields say otherwise."""
        self.words += 1
        if word == CommandKind.APPROVE and self.run is not None:
            fields = {"checksum": self.run.people.checksum, **fields}
        return Command(f"word{self.words}", CommandKind(word), "ana", "as agreed", self.now, **fields)  # type: ignore[arg-type]


def announced(tracking_id: str, stage: Stage, at: datetime) -> Wave:
    name = f"{tracking_id}/{stage}/{at.isoformat()}"
    one = Announcement(tracking_id, SUBSCRIPTION, name, stage, name, at, at, at)
    return Wave(tracking_id, SUBSCRIPTION, (one,))


def policy(values: Mapping[str, str]) -> Policy:
    return Policy(defaults={"self-service": "always", **values})


def _ids(actions: Iterable[Action]) -> list[str]:
    return sorted(one.instance for one in actions if isinstance(one, Start))
