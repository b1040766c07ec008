"""The state machine under anything that can happen, in any order, with a crash between any two actions.

Hypothesis draws a fleet and a policy and then what happens: time, Azure, people, plans, waves, crashes. After
every step the promises hold (`tests.planner.promises`), and in the end every run comes to its own.
"""

from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from planner.azure.fleet import Health, Interval
from planner.azure.wave import Stage
from planner.record.action import Start, StartResult
from planner.record.observation import Predecessor
from planner.record.states import ACTIVE, ENDED, HANDS_OFF, RunState
from tests.planner.drawing import (
    ANSWERS_OF_AZURE,
    HAPPENINGS,
    IN_THE_WAY,
    LASTS,
    LIES_TOLD,
    MINUTES,
    ODDS,
    OPENS,
    POLICIES,
    PREDECESSORS,
    RAISES,
    STAGES,
    WORDS,
    some_lies,
    some_policy,
    some_things,
)  # fmt: skip
from tests.planner.lies import LIES, Liar
from tests.planner.protocol import DIES, NOW, Protocol, policy
from tests.planner.small_azure import SmallAzure

H, DAY = timedelta(hours=1), timedelta(days=1)
FIRST, SECOND = "VM8T-1Q8", "ZX9K-7QD"


class Course(RuleBasedStateMachine):
    """One scale set's way through whatever comes."""

    @initialize(
        flexible=st.booleans(),
        zones=st.sampled_from((0, 0, 2)),
        domains=st.integers(1, 3),
        count=st.sampled_from((4, 5, 3, 2, 1)),
        opens=st.sampled_from((-1, -1, 0, 3)),
        lasts=st.sampled_from((480, 480, 480, 480, 30, 6)),
        values=POLICIES,
        repairs=st.booleans(),
    )
    def begins(
        self,
        flexible: bool,
        zones: int,
        domains: int,
        count: int,
        opens: int,
        lasts: int,
        values: dict[str, str],
        repairs: bool,
    ) -> None:
        window = Interval(NOW + opens * H, NOW + (opens + lasts) * H)
        self.azure = SmallAzure(flexible=flexible, zones=zones, domains=domains, count=count, window=window)
        if repairs and not flexible:
            object.__setattr__(self.azure.scale_set, "automatic_repairs", True)
        self.world = Protocol(self.azure, policy(values))
        self.world.plan()

    # What the host does, while Azure is at work.

    @rule(
        things=HAPPENINGS,
        minutes=st.sampled_from(MINUTES),
        polls=st.integers(1, 6),
        at_work=st.booleans(),
        dies=st.sampled_from(DIES),
        says=st.lists(st.sampled_from(ANSWERS_OF_AZURE), max_size=4),
        twice=st.booleans(),
    )
    def goes_on(
        self,
        things: list[tuple[str, int, Any]],
        minutes: int,
        polls: int,
        at_work: bool,
        dies: str,
        says: list[Any],
        twice: bool,
    ) -> None:
        """Something happens to instances, and the run is polled when it is due; who dies starts something."""
        for kind, place, value in things:
            self._happens(kind, place, value)
        self.world.now += timedelta(minutes=minutes)
        left = list(says)
        for number in range(polls):
            if self._poll_when_due(dies, left) or number > 2:
                dies = ""
            if at_work:
                self._at_work()
        if twice:
            self._polls("", left)

    def _a_while(self) -> None:
        for _ in range(4):
            self._poll_when_due("", [])
            self._at_work()

    def _at_work(self) -> None:
        """What was started goes down, comes up and gets well, a step at a time."""
        for machine in self.azure.machines.values():
            if machine.operation and machine.seen.running:
                self.azure.down(machine)
            elif machine.operation:
                self.azure.end(machine, "cleared")
            elif machine.seen.running and machine.seen.health is Health.INITIALIZING:
                machine.become(health=Health.HEALTHY)

    def _poll_when_due(self, dies: str, left: list[Any]) -> bool:
        """Whether the poll asked for a start."""
        run = self.world.run
        if run is not None and (run.ended_at is None or run.recheck is not None):
            self.world.now = max(self.world.now, run.due)
            return self._polls(dies, left)
        return False

    def _polls(self, dies: str, left: list[Any]) -> bool:
        """One poll; Azure takes the starts as `left` says, first come, first served."""

        def answer(name: str) -> StartResult | None:
            said = left.pop(0) if left else None
            if said is None:
                return None
            how, code, message = said
            return StartResult(name, how, code=code, message=message)

        run = self.world.run
        if run is not None and (run.ended_at is None or run.recheck is not None):
            actions = self.world.poll(dies=dies, answer=answer)
            return any(isinstance(one, Start) for one in actions)
        return False

    def _happens(self, kind: str, place: int, value: Any) -> None:
        azure = self.azure
        names = list(azure.machines)
        if kind == "appears":
            if len(names) < 7 and not azure.deleted:
                azure.grow(in_wave=value)
            return
        if not names:
            return
        machine = azure.machines[names[place % len(names)]]
        if kind == "ends" and machine.operation:
            azure.end(machine, value)
        elif kind == "goes down":
            azure.down(machine)
        elif kind == "comes up":
            azure.up(machine, value)
        elif kind == "health":
            machine.become(health=value)
        elif kind == "power":
            if machine.operation:
                azure.end(machine, "fails")
            gone = {"maintenance": None} if value == "deallocated" else {}
            machine.become(power=value, provisioning="succeeded", **gone)
        elif kind == "protected":
            machine.become(protected=value)
        elif kind == "vanishes":
            del azure.machines[machine.seen.id]
        elif kind == "maintained by others" and not machine.operation:
            if value:
                azure.down(machine)
                machine.operation = "not ours"
            else:
                azure.maintained(machine)
        elif kind == "not allowed any more" and machine.seen.status is not None:
            machine.become(maintenance=replace(machine.seen.status, allowed=value))
        elif kind == "its own window" and not machine.operation:
            window = Interval(self.world.now - H, self.world.now + value * H)
            machine.become(maintenance=replace(azure.status(), self_service=window))

    @rule(on=st.sampled_from(IN_THE_WAY))
    def something_is_in_the_way(self, on: str) -> None:
        """Until the next time."""
        self.world.stopped = "Everything is stopped." if on == "stopped" else ""
        self.world.limit = "5 scale sets of this subscription in flight." if on == "limit" else ""
        self.world.trouble = "Azure answered 503." if on == "trouble" else ""
        self.world.order_problem = "The order is a circle." if on == "order" else ""
        self._a_while()

    @rule(telling=LIES_TOLD, seed=st.integers(0, 1 << 30), odds=st.sampled_from(ODDS))
    def azure_lies(self, telling: tuple[str, ...], seed: int, odds: float) -> None:
        """Until the next time."""
        liar = Liar(seed, telling, odds)
        liar.remembers(self.world.liar)
        self.world.liar = liar
        self._a_while()

    @rule(state=st.sampled_from(PREDECESSORS))
    def another_goes_first(self, state: RunState | None) -> None:
        self.world.predecessors = (Predecessor("db", state),)
        self._a_while()

    @rule(obey=st.booleans(), suspended=st.booleans())
    def repairs_are_somebody_elses(self, obey: bool, suspended: bool) -> None:
        """Not within the minute in which we have asked for them to run: nobody could tell whose that was."""
        self.world.repairs_obey = obey
        ours = self.world.run.repairs if self.world.run is not None else None
        if suspended and (ours is None or ours.resuming_since is None):
            self.world.repairs_run = False

    # What people say.

    @rule(
        word=st.sampled_from(WORDS),
        dies=st.sampled_from(DIES),
        twice=st.booleans(),
        raised=st.sampled_from(RAISES),
        place=st.integers(-6, 6),
        domain=st.booleans(),
    )
    def somebody_says(
        self, word: str, dies: str, twice: bool, raised: dict[str, str], place: int, domain: bool
    ) -> None:
        """At any time, so that a poll comes before the run is due; a word whose poll died comes again."""
        run = self.world.run
        if run is None:
            return
        fields: dict[str, Any] = {}
        if word == "skip" and run.instances and place > 0:
            progress = run.instances[place % len(run.instances)]
            batch = run.batches[place % len(run.batches)]
            fields = {"domains": (batch.domain,)} if domain else {"instances": (progress.id,)}
        elif word == "raise":
            fields["raised"] = raised
        elif word == "approve" and not domain:
            fields["checksum"] = ""
        event = self.world.event(word, **fields)
        self.world.poll([event], dies=dies)
        if dies or twice:
            self.world.poll([event])
        self._a_while()

    # What is announced, and planned for it.

    @rule(values=POLICIES)
    def policy_changes(self, values: dict[str, str]) -> None:
        self.world.policy = policy(values)
        self.world.plan()
        self._a_while()

    @rule(opens=st.sampled_from(OPENS), lasts=st.sampled_from(LASTS))
    def windows_move(self, opens: int, lasts: int) -> None:
        start = self.world.now + opens * H
        self.azure.moved(Interval(start, start + lasts * H))
        self.world.say(Stage.RESCHEDULED)
        self._a_while()

    @rule(
        stage=st.sampled_from(STAGES),
        another=st.booleans(),
    )
    def announced(self, stage: Stage, another: bool) -> None:
        if stage is Stage.CANCELED and not another:
            self.azure.called_off()
        if stage is Stage.PLANNED and not self.azure.deleted:
            for machine in self.azure.machines.values():
                if machine.seen.maintenance is None and not machine.maintained:
                    machine.become(maintenance=self.azure.status())
        self.world.say(stage, SECOND if another else FIRST)
        self._a_while()

    @precondition(lambda self: len(self.azure.machines) < 3)
    @rule()
    def the_scale_set_is_deleted(self) -> None:
        self.azure.machines.clear()
        self.azure.deleted = True

    # What must hold.

    @invariant()
    def every_promise_holds(self) -> None:
        findings = self.world.findings if getattr(self, "world", None) else []
        assert not findings, findings

    def teardown(self) -> None:
        """With Azure at rest and every window over, a run comes to its end, whatever has been."""
        if not getattr(self, "world", None) or self.world.findings:
            return
        world = self.world
        world.trouble = world.limit = ""
        world.liar = Liar()
        for machine in self.azure.machines.values():
            if machine.operation:
                self.azure.end(machine, "cleared")
            self.azure.up(machine)
        spans = [one.window.end for one in self.azure.machines.values() if one.window is not None]
        if world.run is not None and world.run.times.self_service is not None:
            spans.append(world.run.times.self_service.end)
        ends = max([self.azure.window.end, world.now, *spans])
        for number in range(400):
            run = world.run
            if run is None or run.state in ENDED or run.ended_at is not None:
                break
            if run.state in HANDS_OFF and world.now > self.azure.scheduled.end + 2 * DAY:
                break
            world.now = max(world.now, run.due)
            if number > 40:
                world.now = max(world.now, ends + timedelta(minutes=number))
            world.poll()
        assert not world.findings, world.findings
        run = world.run
        assert run is None or run.state not in ACTIVE, f"{run.state}: {run.reason} {run.story.history[-5:]}"


Course.TestCase.settings = settings(
    max_examples=150,
    stateful_step_count=30,
    deadline=None,
    phases=(
        Phase.explicit,
        Phase.reuse,
        Phase.generate,
    ),  # making an example smaller takes longer than a test may
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
TestAnyCourse = Course.TestCase


def drawn(seed: int, lying: str = "") -> Course:
    """A course with everything decided by the seed: evenly spread, where hypothesis looks for the simple."""
    dice = Random(seed)
    course = Course()
    course.begins(
        flexible=dice.random() < 0.3, zones=dice.choice((0, 0, 2)), domains=dice.randint(1, 3),
        count=dice.randint(1, 5), opens=dice.choice((-1, 0, 3)), lasts=dice.choice((480, 480, 30, 6)),
        values=some_policy(dice), repairs=dice.random() < 0.4,
    )  # fmt: skip
    if lying:
        course.world.liar = Liar(seed, some_lies(dice) if lying == "some" else (lying,), dice.choice(ODDS))
    for _ in range(30):
        kind = dice.random()
        dies = dice.choice(DIES) if dice.random() < 0.3 else ""
        if kind < 0.75:
            says = [dice.choice(ANSWERS_OF_AZURE) for _ in range(3)]
            course.goes_on(
                things=some_things(dice), minutes=dice.choice(MINUTES), polls=dice.randint(1, 6),
                at_work=dice.random() < 0.8, dies=dies, says=says, twice=dice.random() < 0.1,
            )  # fmt: skip
        elif kind < 0.86:
            course.somebody_says(
                word=dice.choice(WORDS), dies=dies, twice=dice.random() < 0.3, raised=dice.choice(RAISES),
                place=dice.randint(-6, 6), domain=dice.random() < 0.5,
            )  # fmt: skip
        elif kind < 0.89:
            course.policy_changes(values=some_policy(dice))
        elif kind < 0.92:
            course.windows_move(opens=dice.choice(OPENS), lasts=dice.choice(LASTS))
        elif kind < 0.95:
            course.announced(stage=dice.choice(STAGES), another=dice.random() < 0.5)
        elif kind < 0.96:
            course.azure_lies(some_lies(dice), dice.randrange(1 << 30), dice.choice(ODDS))
        elif kind < 0.975:
            course.something_is_in_the_way(on=dice.choice(IN_THE_WAY))
        elif kind < 0.985:
            course.another_goes_first(state=dice.choice(PREDECESSORS))
        else:
            course.repairs_are_somebody_elses(obey=dice.random() < 0.7, suspended=dice.random() < 0.3)
        course.every_promise_holds()
    return course


@pytest.mark.parametrize("seed", range(60))
def test_a_passage_drawn_by_a_seed_keeps_every_promise_and_comes_to_its_end(seed: int) -> None:
    drawn(seed).teardown()


@pytest.mark.parametrize("lying", [*LIES, "some"])
@pytest.mark.parametrize("seed", range(3))
def test_whatever_azure_shows_falsely_no_promise_breaks_and_the_run_comes_to_its_end(
    lying: str, seed: int
) -> None:
    drawn(1000 + seed, lying).teardown()
