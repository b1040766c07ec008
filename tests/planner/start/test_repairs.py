"""Automatic repairs, played through looks at an invented Azure: who suspends, who resumes, and what is lost."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from planner.azure.fleet import Health, Instance
from planner.machine.advance import advance, needs_azure, repairs_wanted
from planner.record.action import Notify, SetRepairs, Start, StartOutcome, StartResult
from planner.record.command import Command, CommandKind
from planner.record.notice import Kind, Urgency
from planner.record.observation import OperationSeen
from planner.record.run import Run
from planner.record.states import ENDED, IN_FLIGHT, SETTLED, InstanceState, RunState
from planner.start import repairs
from planner.start.results import answered
from tests.planner.builders import (
    MINUTE,
    NOW,
    always,
    command,
    fleet,
    observe,
    planned,
    planned_again,
    scale_set,
    states,
)

REPAIRING = scale_set(automatic_repairs=True)
SUSPEND, RESUME = SetRepairs(suspend=True), SetRepairs(suspend=False)


class Play:
    """A run, an Azure that reboots what is started, and repairs that follow orders unless told otherwise."""

    def __init__(self, size: int = 2, policy: Any = None, repairing: str = "running") -> None:
        self.policy = policy or always(soak="0m")
        self.instances = {one.id: one for one in fleet(size, size)}
        self.run: Run = planned(REPAIRING, self.all, self.policy)
        self.now: datetime = NOW
        self.repairs = repairing
        self.deaf = False  # Azure takes the order and nothing happens
        self.refuses = ""  # Azure's error to every order
        self.crashes = False  # the writer dies between the record and the call
        self.reboots: dict[str, int] = {}
        self.lasting = 2
        self.orders: list[SetRepairs] = []
        self.started: list[str] = []
        self.tells: list[Notify] = []

    @property
    def all(self) -> tuple[Instance, ...]:
        return tuple(self.instances.values())

    def poll(self, *events: Command, **more: Any) -> list[object]:
        """One poll and what Azure does about it; the promises of the protocol are checked at each."""
        fields: dict[str, Any] = {"repairs": self.repairs, "operations": self._operations(), **more}
        observation = observe(REPAIRING, self.all, self.policy, self.now, **fields)
        if more.get("instances_unread"):
            observation = replace(observation, instances=None)
        before = self.run
        self.run, actions = advance(self.run, observation, events, self.now)
        orders = [one for one in actions if isinstance(one, SetRepairs)]
        starts = [one.instance for one in actions if isinstance(one, Start)]
        self._check(before, orders, starts, observation.repairs)
        self.orders += orders
        self.tells += [one for one in actions if isinstance(one, Notify)]
        if not self.crashes:
            for one in orders:
                self.run = repairs.answered(self.run, self.refuses, denied=bool(self.refuses))
                if not self.deaf and not self.refuses:
                    self.repairs = "suspended" if one.suspend else "running"
            self._begin(starts)
        self._time_passes()
        return list(actions)

    def _check(self, before: Run, orders: list[SetRepairs], starts: list[str], seen: str) -> None:
        if starts:
            assert seen != "running", "started although repairs run"
            assert not orders
        if SUSPEND in orders:
            assert self.run.repairs is not None, "an order without an intent on record"
            assert self.repairs == "running"
        if RESUME in orders:
            assert before.repairs is not None, "resumed what this run did not suspend"
            assert not any(one.state in IN_FLIGHT for one in self.run.instances), (
                "resumed while something reboots"
            )
        if self.run.state in ENDED:
            assert self.run.repairs is None, "ended while its repairs are suspended"

    def _begin(self, starts: list[str]) -> None:
        self.started += starts
        for one in starts:
            self.reboots[one] = self.lasting
            self.instances[one] = replace(self.instances[one], power="starting", provisioning="updating")
        if starts:
            said_ = [
                StartResult(one, StartOutcome.ACCEPTED, operation=f"/operations/{one}") for one in starts
            ]
            self.run = answered(self.run, said_, self.now)

    def _operations(self) -> dict[str, OperationSeen]:
        return {
            one: OperationSeen("InProgress" if self.reboots.get(one) else "Succeeded") for one in self.started
        }

    def _time_passes(self) -> None:
        self.now += MINUTE
        for one in list(self.reboots):
            self.reboots[one] -= 1
            if self.reboots[one] <= 0:
                del self.reboots[one]
                if one in self.instances:
                    self.instances[one] = replace(
                        self.instances[one], power="running", provisioning="succeeded", maintenance=None
                    )

    def until(self, done: Any, most: int = 200) -> "Play":
        for _ in range(most):
            if done(self):
                return self
            self.poll()
        raise AssertionError(f"after {most} looks it is {self.run.state}: {self.run.reason}")

    def events(self) -> list[str]:
        return [one.event for one in self.run.story.history]


def ended(play: Play) -> bool:
    return play.run.state in ENDED


def test_they_are_suspended_before_the_first_start_and_resumed_after_the_last_before_the_run_ends():
    play = Play()
    play.poll()
    assert (play.orders, play.started) == ([SUSPEND], [])
    assert play.run.reason == "Waiting: its automatic repairs to be suspended."
    play.poll()
    assert play.started == ["0"]
    play.until(ended)
    assert play.run.state is RunState.COMPLETED
    assert play.repairs == "running"
    assert "suspends automatic repairs" in play.events()
    assert "resumes automatic repairs" in play.events()
    assert play.events().count("automatic repairs run") == sum(one == RESUME for one in play.orders)


def test_where_repairs_are_off_or_accepted_nobody_touches_them():
    off = Play()
    off.repairs = "notrunning"
    off.until(ended)
    assert off.orders == []
    accepted = Play(policy=always(soak="0m", accept="automatic-repairs"))
    observation = observe(REPAIRING, accepted.all, accepted.policy, NOW, repairs="running")
    run, actions = advance(accepted.run, observation, (), NOW)
    assert [one.instance for one in actions if isinstance(one, Start)] == ["0"]
    assert run.repairs is None


def test_what_somebody_else_suspended_beforehand_stays_suspended_at_the_end():
    play = Play(repairing="suspended")
    play.until(ended)
    assert play.orders == []
    assert play.run.state is RunState.COMPLETED
    assert play.repairs == "suspended"


def test_nothing_starts_where_the_state_of_repairs_was_asked_for_and_they_run_although_suspended():
    play = Play()
    play.deaf = True
    for _ in range(repairs.WAITS):
        play.poll()
    assert play.started == []
    assert play.orders == [SUSPEND] * 4, "asked again only when Azure has had time to follow"


def test_a_suspend_that_azure_does_not_follow_asks_a_person_after_a_while_and_gives_up_suspending():
    play = Play()
    play.deaf = True
    play.until(lambda one: one.run.state is RunState.PAUSED, most=15)
    assert "cannot be suspended: Azure accepted the request, but nothing has changed" in play.run.reason
    assert "accept `automatic-repairs`" in play.run.reason
    assert play.started == []
    for _ in range(5):
        play.poll()
    assert play.run.repairs is None
    assert play.repairs == "running"
    assert sum(one.notice.kind is Kind.PAUSED for one in play.tells) == 1


def test_a_suspend_that_azure_refuses_asks_a_person_at_once_in_azures_words():
    play = Play()
    play.refuses = "AuthorizationFailed: the role lacks setOrchestrationServiceState."
    play.poll()
    play.poll()
    assert play.run.state is RunState.PAUSED
    assert "cannot be suspended: AuthorizationFailed" in play.run.reason
    assert play.started == []


def test_after_the_refusal_is_settled_a_resume_of_the_run_goes_on():
    play = Play()
    play.refuses = "AuthorizationFailed."
    play.until(lambda one: one.run.state is RunState.PAUSED and one.run.repairs is None, most=10)
    play.refuses = ""
    play.poll(command(CommandKind.RESUME, at=play.now))
    play.until(ended)
    assert play.run.state is RunState.COMPLETED
    assert play.repairs == "running"


def test_a_crash_between_the_intent_and_the_call_suspends_again_and_forgets_nothing():
    play = Play()
    play.crashes = True
    play.poll()
    assert play.run.repairs is not None
    assert play.repairs == "running"
    play.crashes = False
    play.until(lambda one: len(one.orders) == 2, most=repairs.PATIENT_POLLS + 1)
    assert play.orders == [SUSPEND, SUSPEND]
    assert play.started == []
    play.until(ended)
    assert play.repairs == "running"
    assert play.events().count("suspends automatic repairs") >= 1


def test_a_crash_after_the_call_knows_from_the_record_that_they_are_ours_to_resume():
    play = Play()
    play.crashes = True
    play.poll()
    play.repairs, play.crashes = "suspended", False  # the call went out, and the answer came to nobody
    play.until(ended)
    assert play.repairs == "running"


def test_a_crash_and_then_a_hold_resumes_what_was_suspended():
    play = Play()
    play.poll()
    play.poll(command(CommandKind.HOLD, at=play.now))
    assert play.run.state is RunState.PAUSED
    assert play.repairs == "running"
    play.poll()
    assert play.run.repairs is None
    assert play.started == []


def test_a_pause_resumes_them_as_soon_as_nothing_reboots_and_says_so():
    play = Play()
    play.until(lambda one: one.started)
    play.poll(command(CommandKind.HOLD, at=play.now, comment="Stop."))
    assert play.run.state is RunState.PAUSED
    assert play.repairs == "suspended"
    play.until(lambda one: one.run.repairs is None, most=10)
    assert play.repairs == "running"
    assert any(
        one.event == "resumes automatic repairs" and "The run is paused" in one.reason
        for one in play.run.story.history
    )
    assert play.started == ["0"]
    play.poll(command(CommandKind.RESUME, "go on", at=play.now))
    play.until(ended)
    assert play.run.state is RunState.COMPLETED


def test_a_failure_says_with_its_pause_that_repairs_are_resumed():
    play = Play()
    play.until(lambda one: one.started)
    play.instances["0"] = replace(play.instances["0"], health=Health.UNHEALTHY)
    play.until(lambda one: one.run.state is RunState.PAUSED, most=100)
    assert "Automatic repairs go back on as soon as no reboot is in progress." in play.run.reason
    play.until(lambda one: one.run.repairs is None, most=5)
    assert play.repairs == "running"


def test_somebody_who_resumes_them_while_instances_reboot_makes_them_theirs():
    play = Play()
    play.until(lambda one: one.started)
    play.lasting = 2
    play.repairs = "running"
    play.poll()
    assert play.run.repairs is None
    assert any(
        "Somebody else resumed them while instances were rebooting." in one.reason
        for one in play.run.story.history
    )
    assert RESUME not in play.orders
    play.until(ended)
    assert play.run.state is RunState.COMPLETED


def test_after_somebody_resumed_them_the_next_batch_suspends_them_anew():
    play = Play(size=3)
    play.until(lambda one: one.started)
    play.repairs = "running"
    play.poll()
    play.until(lambda one: len(one.started) == 2)
    assert play.orders.count(SUSPEND) == 2
    play.until(ended)
    assert play.repairs == "running"


def test_the_run_does_not_end_before_they_run_again():
    play = Play(size=1)
    play.until(lambda one: one.started)
    play.deaf = True
    play.until(lambda one: all(each.state in SETTLED for each in one.run.instances))
    for _ in range(10):
        play.poll()
        assert play.run.state is RunState.RUNNING
        assert "Automatic repairs have to be back on" in play.run.reason
    play.deaf = False
    play.until(ended, most=5)
    assert play.run.state is RunState.COMPLETED


def test_after_half_an_hour_of_trying_people_are_told_once_how_to_resume_by_hand_and_the_run_ends():
    play = Play(size=1)
    play.until(lambda one: one.started)
    play.deaf = True
    play.until(lambda one: RESUME in one.orders)
    begun = play.now - MINUTE
    play.until(ended, most=60)
    assert play.now - MINUTE - begun == 31 * MINUTE
    (told,) = [one.notice for one in play.tells if one.notice.kind is Kind.TROUBLE]
    assert told.urgency is Urgency.ACT
    assert (
        "could not resume them for 30 minutes. By hand: az vmss set-orchestration-service-state"
        in told.sentence
    )
    assert "--name web --resource-group Prod --subscription" in told.sentence
    assert play.run.state is RunState.COMPLETED


def test_the_notice_of_giving_up_has_azures_error_and_reads_as_sentences():
    play = Play(size=1)
    play.until(lambda one: one.started)
    play.refuses = "AuthorizationFailed: no."
    play.until(ended, most=60)
    (told,) = [one.notice for one in play.tells if one.notice.kind is Kind.TROUBLE]
    assert "for 30 minutes: AuthorizationFailed: no. By hand" in told.sentence


def test_what_was_given_up_while_paused_is_not_told_again_at_every_poll():
    play = Play()
    play.until(lambda one: one.started)
    play.deaf = True
    play.poll(command(CommandKind.HOLD, at=play.now))
    for _ in range(90):
        play.poll()
    assert play.run.state is RunState.PAUSED
    assert sum(one.notice.kind is Kind.TROUBLE for one in play.tells) == 1
    assert play.run.repairs is None


def test_a_deleted_scale_set_has_nothing_to_resume():
    play = Play(size=1)
    play.until(lambda one: one.started)
    play.instances.clear()
    play.poll(deleted=True)
    assert play.run.repairs is not None, "one 404 proves nothing"
    play.poll(deleted=True)
    assert play.run.repairs is None
    assert RESUME not in play.orders
    assert play.run.state in ENDED


def test_a_poll_that_could_not_read_their_state_orders_no_suspension_and_still_resumes():
    play = Play()
    play.poll()
    play.until(lambda one: all(each.state in SETTLED for each in one.run.instances if each.id == "0"))
    play.poll(repairs="")
    assert play.run.repairs is not None


def test_a_cancelled_wave_resumes_them_before_the_run_ends():
    play = Play()
    play.until(lambda one: one.started)
    for _ in range(40):
        if play.run.state in ENDED:
            break
        play.poll(cancelled=True)
    assert play.run.state is RunState.CANCELLED
    assert play.repairs == "running"
    assert play.started == ["0"]


def test_a_set_that_is_left_to_azure_by_a_new_plan_still_gets_its_repairs_back():
    play = Play()
    play.poll()
    assert play.repairs == "suspended"
    never = always(soak="0m", accept="managed")
    left = replace(REPAIRING, tags={"breakwater-self-service": "never"})
    play.run = planned_again(play.run, left, play.all, never, play.now)
    assert play.run.state is not RunState.LEFT_TO_AZURE
    assert play.run.repairs is not None
    assert needs_azure(play.run, observe(left, play.all, never, play.now), play.now)


def test_their_state_is_asked_for_where_they_exist_or_are_ours_to_resume():
    run = planned()
    assert not repairs_wanted(run, observe())
    assert repairs_wanted(run, observe(REPAIRING))
    mine = replace(run, repairs=repairs.Repairs(NOW))
    assert repairs_wanted(mine, observe())


def test_a_start_that_is_held_up_after_suspending_does_not_keep_them_suspended():
    """An instance falls ill right after the suspension: the batch waits, and the set must be able to repair."""
    play = Play()
    play.poll()
    assert play.repairs == "suspended"
    play.instances["1"] = replace(play.instances["1"], health=Health.UNHEALTHY)
    for _ in range(2 * repairs.WAITS + 3):
        play.poll()
    assert play.started == []
    assert play.repairs == "running"
    play.instances["1"] = replace(play.instances["1"], health=Health.HEALTHY)
    play.until(ended)
    assert play.run.state is RunState.COMPLETED
    assert play.repairs == "running"


moves = st.sampled_from(
    [
        "poll",
        "poll",
        "poll",
        "poll",
        "deaf",
        "hears",
        "refuse",
        "allow",
        "crash",
        "alive",
        "somebody suspends",
        "somebody resumes",
        "hold",
        "resume",
        "skip",
        "ill",
        "well",
        "blind",
    ]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(moves, max_size=60), st.integers(1, 3))
def test_whatever_happens_repairs_are_never_resumed_under_a_reboot_and_run_again_at_the_end(
    played: list[str], size: int
):
    """Somebody else who leaves them suspended, and Azure that never follows, are the only excuses."""
    play = Play(size=size)
    foreign = False
    for number, move in enumerate(played):
        if move in {"deaf", "hears"}:
            play.deaf = move == "deaf"
        elif move in {"refuse", "allow"}:
            play.refuses = "AuthorizationFailed." if move == "refuse" else ""
        elif move in {"crash", "alive"}:
            play.crashes = move == "crash"
        elif move == "somebody suspends":
            foreign, play.repairs = True, "suspended"
        elif move == "somebody resumes":
            foreign, play.repairs = False, "running"
        elif move in {"ill", "well"}:
            health = Health.UNHEALTHY if move == "ill" else Health.HEALTHY
            play.instances = {key: replace(one, health=health) for key, one in play.instances.items()}
        elif move == "blind":
            play.poll(repairs="") if play.run.state not in ENDED else None
        elif play.run.state in ENDED:
            break
        elif move == "poll":
            play.poll()
        else:
            play.poll(command(CommandKind(move), str(number), play.now))
    play.deaf, play.refuses, play.crashes = False, "", False
    play.instances = {key: replace(one, health=Health.HEALTHY) for key, one in play.instances.items()}
    for number in range(150):
        if play.run.state in ENDED:
            break
        paused = play.run.state is RunState.PAUSED
        play.poll(
            *([command(CommandKind.RESUME, f"end {number}", play.now)] if paused and number % 5 == 0 else [])
        )
    assert play.run.state in ENDED, play.run.reason
    gave_up = "automatic repairs left suspended" in play.events()
    if not foreign and not gave_up:
        assert play.repairs == "running"
    assert all(one.state in SETTLED for one in play.run.instances)
    assert set(states(play.run).values()) <= {InstanceState.MAINTAINED, InstanceState.SKIPPED}
