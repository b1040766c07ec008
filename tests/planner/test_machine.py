"""The state machine under anything that can happen, in any order, with a crash between any two actions.

Hypothesis draws a fleet and a policy and then what happens: time, Azure, people, plans, waves, crashes. After
every step the promises hold (`tests.planner.promises`), and in the end every run comes to its own.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from planner.advance import advance
from planner.fleet import Health, Interval, MaintenanceStatus
from planner.look import Answer, Answered, Look, Predecessor, Start
from planner.policy import rules_for
from planner.run import ACTIVE, ANSWERS, ENDED, RunState
from planner.wave import Stage
from tests.planner import promises
from tests.planner.protocol import DIES, NOW, Protocol, policy
from tests.planner.small_azure import ENDINGS, SmallAzure

H, DAY = timedelta(hours=1), timedelta(days=1)
FIRST, SECOND = "VM8T-1Q8", "ZX9K-7QD"

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
        "complete-by": st.sampled_from(("2026-12-24", "2026-12-24", "2026-11-24")),
        "self-service": st.sampled_from(("always", "always", "always", "when-needed", "never")),
    },
)

WORDS = ("approve", "approve", "hold", "resume", "resume", "resume", "skip", "raise", "quarantined")

HEALTHS = st.sampled_from((*Health, Health.HEALTHY))


def thing(kind: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, int, Any]]:
    return st.tuples(st.just(kind), st.integers(0, 6), values)


THINGS = st.one_of(
    thing("ends", st.sampled_from(ENDINGS)),
    thing("goes down", st.none()),
    thing("comes up", HEALTHS),
    thing("health", HEALTHS),
    thing("power", st.sampled_from(("running", "stopped", "deallocated", "starting"))),
    thing("protected", st.booleans()),
    thing("vanishes", st.none()),
    thing("appears", st.booleans()),
    thing("maintained by others", st.booleans()),
    thing("not allowed any more", st.booleans()),
    thing("its own window", st.sampled_from((600, 30, 1, 0))),
)
"""What can happen to an instance, by its place in the listing."""

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
        things=st.lists(THINGS, max_size=2),
        minutes=st.sampled_from((0, 0, 0, 1, 7, 45, 600)),
        looks=st.integers(1, 6),
        at_work=st.booleans(),
        dies=st.sampled_from(DIES),
        says=st.lists(st.sampled_from(ANSWERS_OF_AZURE), max_size=4),
        twice=st.booleans(),
    )
    def goes_on(
        self,
        things: list[tuple[str, int, Any]],
        minutes: int,
        looks: int,
        at_work: bool,
        dies: str,
        says: list[Any],
        twice: bool,
    ) -> None:
        """Something happens to instances, and the run is looked at when it is due; who dies starts something."""
        for kind, place, value in things:
            self._happens(kind, place, value)
        self.world.now += timedelta(minutes=minutes)
        left = list(says)
        for number in range(looks):
            if self._look_when_due(dies, left) or number > 2:
                dies = ""
            if at_work:
                self._at_work()
        if twice:
            self._looks("", left)

    def _a_while(self) -> None:
        for _ in range(4):
            self._look_when_due("", [])
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

    def _look_when_due(self, dies: str, left: list[Any]) -> bool:
        """Whether the look asked for a start."""
        run = self.world.run
        if run is not None and run.state not in ENDED and run.ended_at is None:
            self.world.now = max(self.world.now, run.due)
            return self._looks(dies, left)
        return False

    def _looks(self, dies: str, left: list[Any]) -> bool:
        """One look; Azure takes the starts as `left` says, first come, first served."""

        def answer(name: str) -> Answer | None:
            said = left.pop(0) if left else None
            if said is None:
                return None
            how, code, message = said
            return Answer(name, how, code=code, message=message)

        run = self.world.run
        if run is not None and run.state not in ENDED and run.ended_at is None:
            actions = self.world.look(dies=dies, answer=answer)
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
        elif kind == "not allowed any more" and machine.seen.maintenance is not None:
            machine.become(maintenance=replace(machine.seen.maintenance, allowed=value))
        elif kind == "its own window" and not machine.operation:
            window = Interval(self.world.now - H, self.world.now + value * H)
            machine.become(maintenance=replace(azure.status(), self_service=window))

    @rule(on=st.sampled_from(("", "", "", "", "", "", "stopped", "limit", "trouble", "order")))
    def something_is_in_the_way(self, on: str) -> None:
        """Until the next time."""
        self.world.stopped = "Everything is stopped." if on == "stopped" else ""
        self.world.limit = "5 scale sets of this subscription in flight." if on == "limit" else ""
        self.world.trouble = "Azure answered 503." if on == "trouble" else ""
        self.world.order_problem = "The order is a circle." if on == "order" else ""
        self._a_while()

    @rule(state=st.sampled_from((*[RunState.COMPLETED] * 20, None, *RunState)))
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
        raised=RAISES,
        place=st.integers(-6, 6),
        domain=st.booleans(),
    )
    def somebody_says(
        self, word: str, dies: str, twice: bool, raised: dict[str, str], place: int, domain: bool
    ) -> None:
        """At any time, so that a look comes before the run is due; a word whose look died comes again."""
        run = self.world.run
        if run is None:
            return
        fields: dict[str, Any] = {}
        if word == "skip" and run.passages and place > 0:
            passage = run.passages[place % len(run.passages)]
            batch = run.batches[place % len(run.batches)]
            fields = {"domains": (batch.domain,)} if domain else {"instances": (passage.id,)}
        elif word == "raise":
            fields["raised"] = raised
        elif word == "approve" and domain:
            fields["checksum"] = run.checksum
        event = self.world.event(word, **fields)
        self.world.look([event], dies=dies)
        if dies or twice:
            self.world.look([event])
        self._a_while()

    # What is announced, and planned for it.

    @rule(values=POLICIES)
    def policy_changes(self, values: dict[str, str]) -> None:
        self.world.policy = policy(values)
        self.world.plan()
        self._a_while()

    @rule(opens=st.sampled_from((-2, 0, 1, 20, -30)), lasts=st.sampled_from((600, 60, 8, 1)))
    def windows_move(self, opens: int, lasts: int) -> None:
        start = self.world.now + opens * H
        self.azure.moved(Interval(start, start + lasts * H))
        self.world.say(Stage.RESCHEDULED)
        self._a_while()

    @rule(
        stage=st.sampled_from((Stage.CANCELED, Stage.COMPLETE, Stage.IN_PROGRESS, Stage.PLANNED)),
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
        for machine in self.azure.machines.values():
            if machine.operation:
                self.azure.end(machine, "cleared")
            self.azure.up(machine)
        spans = [one.window.end for one in self.azure.machines.values() if one.window is not None]
        if world.run is not None and world.run.self_service is not None:
            spans.append(world.run.self_service.end)
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
TestAnyPassage = Passage.TestCase


@given(
    data=st.data(),
    flexible=st.booleans(),
    values=POLICIES,
    hours=st.sampled_from((0, 0, 1, 14, 20, 479.9, 480)),
    in_the_way=st.sampled_from(("", "", "", "", "stopped", "limit", "cancelled", "order")),
    under_way=st.booleans(),
    odd=st.booleans(),
)
@settings(max_examples=800, deadline=None)
def test_a_start_is_asked_for_only_where_this_very_look_allows_it(
    data: st.DataObject,
    flexible: bool,
    values: dict[str, str],
    hours: float,
    in_the_way: str,
    under_way: bool,
    odd: bool,
) -> None:
    """A planned run, perhaps with its first batch under way, and one look at anything."""
    window = Interval(NOW - H, NOW + 480 * H)
    azure = SmallAzure(flexible=flexible, zones=2, domains=2, count=6, window=window)
    world = Protocol(azure, policy({"lead": "0m", **values, "self-service": "always"}))
    world.plan()
    if under_way:
        world.look([world.event("approve")])
    assert world.run is not None
    now = NOW + hours * H
    names = list(azure.machines)
    for name in data.draw(st.lists(st.sampled_from(names[:3] + names), max_size=2, unique=True)):
        machine = azure.machines[name]
        machine.become(
            power=data.draw(st.sampled_from(("running", "running", "stopped", "starting", "deallocated"))),
            provisioning=data.draw(st.sampled_from(("succeeded", "succeeded", "updating", "failed"))),
            health=data.draw(HEALTHS),
            protected=data.draw(st.booleans()),
            maintenance=data.draw(st.sampled_from((None, *_statuses(azure)))),
        )
    look = Look(
        now,
        # As it should be, or contradicting itself: allowed in no window.
        instances=tuple(one.seen for one in azure.machines.values()) if odd else azure.shown(now),
        scale_set=azure.scale_set,
        rules=rules_for(world.policy, azure.scale_set),
        stopped="Everything is stopped." if in_the_way == "stopped" else "",
        limit="5 scale sets are in flight." if in_the_way == "limit" else "",
        cancelled=in_the_way == "cancelled",
        order_problem="The order is a circle." if in_the_way == "order" else "",
        operations={one.id: azure.operations[one.operation] for one in world.run.passages if one.operation},
    )
    events = [world.event("approve")] if data.draw(st.booleans()) else []
    new, actions = advance(world.run, look, events, now)
    starts = [one for one in actions if isinstance(one, Start)]
    assert [*promises.of_starts(world.run, new, look, starts, now), *promises.of_record(new)] == []
    assert not (starts and in_the_way)


def _statuses(azure: SmallAzure) -> tuple[MaintenanceStatus, ...]:
    status = azure.status()
    later, over = Interval(NOW + 30 * H, NOW + 600 * H), Interval(NOW - 9 * H, NOW - H)
    return (
        replace(status, allowed=False),
        replace(status, self_service=later),
        replace(status, self_service=over),
        replace(status, self_service=None),
        replace(status, unreadable="a window that ends before it starts"),
        replace(status, result="MaintenanceCompleted", allowed=False),
    )
