"""The state machine under anything that can happen, in any order, with a crash between any two actions.

Hypothesis draws a fleet and a policy and then what happens: time, Azure, people, plans, waves, crashes. After
every step the promises hold (`tests.planner.promises`), and in the end every run comes to its own.
"""

from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from planner.fleet import Health, Interval
from planner.look import Answer, Answered, Predecessor
from planner.run import ACTIVE, ANSWERS, ENDED, RunState
from planner.wave import Stage
from tests.planner.protocol import DIES, NOW, Protocol, policy
from tests.planner.small_azure import ENDINGS, Machine, SmallAzure

H, DAY = timedelta(hours=1), timedelta(days=1)
SECOND = "ZX9K-7QD"

ANSWERS_OF_AZURE = (
    None,
    None,
    None,
    (Answered.LOST, "", "The connection broke."),
    (Answered.LOST, "never arrived", "The connection broke."),
    (Answered.REFUSED, "OperationNotAllowed", "It is not eligible."),
    (Answered.REFUSED, "Conflict", "Another operation is in progress."),
    (Answered.REFUSED, "InternalError", "Try again."),
    (Answered.WITHDRAWN, "", "the look that saw it is no longer fresh"),
)

POLICIES = st.fixed_dictionaries(
    {"lead": st.sampled_from(("0m", "0m", "0m", "10m", "24h"))},
    optional={
        "mode": st.sampled_from(("auto", "auto", "auto", "approve", "observe")),
        "soak": st.sampled_from(("0m", "5m", "45m")),
        "windows": st.sampled_from(
            ("any time", "any time", "daily 22:00-04:00 UTC", "Sat,Sun 02:00-06:00 Europe/Berlin")
        ),
        "max-unavailable": st.sampled_from(("1", "2", "100%")),
        "health": st.sampled_from(("required", "if-reported", "ignore")),
        "recover-within": st.sampled_from(("30m", "60m")),
        "complete-by": st.sampled_from(("2026-11-24", "2026-12-24", "2026-12-24")),
        "self-service": st.sampled_from(("always", "always", "always", "when-needed", "never")),
    },
)

RARELY = st.sampled_from((False, False, False, True))

RAISES = st.sampled_from(
    (
        {"soak": "1m"}, {"max-unavailable": "2"}, {"windows": "any time"}, {"complete-by": "2026-12-01"},
        {"lead": "0m"},
    )
)  # fmt: skip


class Passage(RuleBasedStateMachine):
    """One scale set's way through whatever comes."""

    @initialize(
        flexible=st.booleans(),
        zones=st.sampled_from((0, 0, 2)),
        domains=st.integers(1, 3),
        count=st.integers(1, 5),
        opens=st.sampled_from((-1, -1, 0, 3)),
        lasts=st.sampled_from((6, 24 * 20, 24 * 20)),
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

    def machine(self, data: st.DataObject) -> Machine | None:
        names = list(self.azure.machines)
        return self.azure.machines[data.draw(st.sampled_from(names))] if names else None

    # What the host does.

    @rule(dies=st.sampled_from(DIES), says=st.lists(st.sampled_from(ANSWERS_OF_AZURE), max_size=3))
    def looks_when_due(self, dies: str, says: list) -> None:
        run = self.world.run
        if run is None or run.state in ENDED or run.ended_at is not None:
            return
        self.world.now = max(self.world.now, run.due)
        self._looks(dies, says)

    @rule(
        count=st.integers(2, 12),
        dies=st.sampled_from(DIES),
        says=st.lists(st.sampled_from(ANSWERS_OF_AZURE), min_size=1, max_size=4),
    )
    def goes_on_for_a_while(self, count: int, dies: str, says: list) -> None:
        """Azure at its work and looks when they are due; the third of them may die."""
        left = list(says)
        for number in range(count):
            for machine in self.azure.machines.values():
                if machine.operation and machine.seen.running:
                    self.azure.down(machine)
                elif machine.operation:
                    self.azure.end(machine, "cleared")
                elif machine.seen.running and machine.seen.health is Health.INITIALIZING:
                    machine.become(health=Health.HEALTHY)
            self.looks_when_due(dies if number == 2 else "", left)

    @rule(dies=st.sampled_from(DIES))
    def a_message_comes_twice(self, dies: str) -> None:
        run = self.world.run
        if run is not None and run.state not in ENDED and run.ended_at is None and run.due <= self.world.now:
            self._looks("", [])
            self._looks(dies, [])

    def _looks(self, dies: str, left: list) -> None:
        """One look; Azure takes the starts as `left` says, first come, first served."""

        def answer(name: str) -> Answer | None:
            said = left.pop(0) if left else None
            if said is None:
                return None
            how, code, message = said
            return Answer(name, how, code=code, message=message)

        self.world.look(dies=dies, answer=answer)

    @rule(minutes=st.sampled_from((0.5, 1, 5, 30, 180, 1500)))
    def time_passes(self, minutes: float) -> None:
        self.world.now += timedelta(minutes=minutes)

    @rule(values=POLICIES)
    def policy_changes(self, values: dict[str, str]) -> None:
        self.world.policy = policy(values)

    @rule()
    def planned_again(self) -> None:
        self.world.plan()

    @rule(on=RARELY)
    def stopped(self, on: bool) -> None:
        self.world.stopped = "Everything is stopped." if on else ""

    @rule(on=RARELY)
    def limits(self, on: bool) -> None:
        self.world.limit = "5 scale sets of this subscription in flight." if on else ""

    @rule(on=RARELY)
    def azure_cannot_be_read(self, on: bool) -> None:
        self.world.trouble = "Azure answered 503." if on else ""

    @rule(
        state=st.sampled_from((None, *RunState, *[RunState.COMPLETED] * 9)),
        problem=st.sampled_from(("", "", "", "", "The order is a circle.")),
    )
    def another_goes_first(self, state: RunState | None, problem: str) -> None:
        self.world.predecessors = (Predecessor("db", state),)
        self.world.order_problem = problem

    # What people say.

    @rule(
        word=st.sampled_from(
            ("approve", "approve", "hold", "resume", "resume", "skip", "raise", "quarantined")
        ),
        dies=st.sampled_from(DIES),
        twice=st.booleans(),
        raised=RAISES,
        data=st.data(),
    )
    def somebody_says(
        self, word: str, dies: str, twice: bool, raised: dict[str, str], data: st.DataObject
    ) -> None:
        run = self.world.run
        if run is None:
            return
        fields: dict[str, object] = {}
        if word == "skip" and run.passages and data.draw(st.booleans()):
            fields["instances"] = (data.draw(st.sampled_from([one.id for one in run.passages])),)
        elif word == "skip" and run.batches and data.draw(st.booleans()):
            fields["domains"] = (data.draw(st.sampled_from([one.domain for one in run.batches])),)
        elif word == "raise":
            fields["raised"] = raised
        elif word == "approve" and data.draw(st.booleans()):
            fields["checksum"] = run.checksum
        event = self.world.event(word, **fields)
        self.world.look([event], dies=dies)
        if dies or twice:
            self.world.look([event])

    # What Azure does.

    @rule(data=st.data(), how=st.sampled_from(("down", "up", *ENDINGS)))
    def maintenance_goes_on(self, data: st.DataObject, how: str) -> None:
        flying = [name for name, one in self.azure.machines.items() if one.operation]
        if not flying:
            return
        machine = self.azure.machines[data.draw(st.sampled_from(flying))]
        if how == "down":
            self.azure.down(machine)
        elif how == "up":
            self.azure.up(machine, Health.INITIALIZING)
        else:
            self.azure.end(machine, how)  # type: ignore[arg-type]

    @rule(data=st.data(), health=st.sampled_from((*Health, Health.HEALTHY)))
    def health_changes(self, data: st.DataObject, health: Health) -> None:
        machine = self.machine(data)
        if machine is not None:
            machine.become(health=health)

    @rule(data=st.data(), power=st.sampled_from(("running", "stopped", "deallocated", "starting")))
    def power_changes(self, data: st.DataObject, power: str) -> None:
        machine = self.machine(data)
        if machine is not None:
            if power == "deallocated" and machine.operation:
                self.azure.end(machine, "fails")
            changes = {"maintenance": None} if power == "deallocated" else {}
            machine.become(power=power, provisioning="succeeded", **changes)

    @rule(data=st.data(), on=st.booleans())
    def protection_changes(self, data: st.DataObject, on: bool) -> None:
        machine = self.machine(data)
        if machine is not None:
            machine.become(protected=on)

    @rule(data=st.data())
    def an_instance_vanishes(self, data: st.DataObject) -> None:
        machine = self.machine(data)
        if machine is not None:
            del self.azure.machines[machine.seen.id]

    @rule(in_wave=st.booleans())
    def an_instance_appears(self, in_wave: bool) -> None:
        if len(self.azure.machines) < 7 and not self.azure.deleted:
            self.azure.grow(in_wave=in_wave)

    @rule(data=st.data(), comes=st.booleans())
    def azure_or_a_person_maintains(self, data: st.DataObject, comes: bool) -> None:
        """Not through us: it goes down, or it is over between two looks."""
        machine = self.machine(data)
        if machine is None or machine.operation:
            return
        if comes:
            self.azure.down(machine)
            machine.operation = "not ours"
        else:
            self.azure.maintained(machine)

    @rule(data=st.data(), hours=st.integers(1, 30))
    def scheduled_for_the_second_time(self, data: st.DataObject, hours: int) -> None:
        machine = self.machine(data)
        if machine is not None and machine.seen.maintenance is None:
            window = Interval(self.world.now, self.world.now + hours * H)
            status = self.azure.status()
            machine.become(maintenance=type(status)(True, window, self.azure.scheduled))

    @rule(opens=st.integers(-30, 30), lasts=st.integers(1, 60))
    def windows_move(self, opens: int, lasts: int) -> None:
        start = self.world.now + opens * H
        self.azure.moved(Interval(start, start + lasts * H))
        self.world.say(Stage.RESCHEDULED)

    @rule(stage=st.sampled_from((Stage.CANCELED, Stage.COMPLETE, Stage.IN_PROGRESS, Stage.PLANNED)))
    def announced(self, stage: Stage) -> None:
        if stage is Stage.CANCELED:
            self.azure.called_off()
        self.world.say(stage)

    @rule(stage=st.sampled_from((Stage.CANCELED, Stage.COMPLETE, Stage.PLANNED)))
    def another_wave(self, stage: Stage) -> None:
        self.world.say(stage, SECOND)

    @precondition(lambda self: len(self.azure.machines) < 3)
    @rule()
    def the_scale_set_is_deleted(self) -> None:
        self.azure.machines.clear()
        self.azure.deleted = True

    @rule()
    def somebody_has_suspended_repairs(self) -> None:
        if self.world.repairs_run:
            self.world.repairs_run = False

    @rule(obey=st.booleans())
    def repairs_can_be_set(self, obey: bool) -> None:
        self.world.repairs_obey = obey

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
        for machine in self.azure.machines.values():
            if machine.operation:
                self.azure.end(machine, "cleared")
            self.azure.up(machine)
        spans = [one.window.end for one in self.azure.machines.values() if one.window is not None]
        ends = max([self.azure.window.end, world.now, *spans])
        for number in range(400):
            run = world.run
            if run is None or run.state in ENDED or run.ended_at is not None:
                break
            if run.state in ANSWERS and world.now > self.azure.scheduled.end + 2 * DAY:
                break
            world.now = max(world.now, run.due)
            if number > 40:
                world.now = max(world.now, ends + timedelta(minutes=number))
            world.look()
        assert world.findings == []
        run = world.run
        assert run is None or run.state not in ACTIVE, f"{run.state}: {run.reason} {run.history[-5:]}"


Passage.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
TestAnyPassage = Passage.TestCase
