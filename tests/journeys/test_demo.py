"""The demo's parts. The demo itself is played by `make demo`, once, and judges itself."""

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from handlers.render.addresses import Addresses
from handlers.render.compose import compose
from handlers.render.forms import render
from handlers.render.letter import Story as Told
from handlers.wire import policy_file
from planner.azure.fleet import ScaleSet as Target
from planner.notices.digest import Overview
from planner.policy.model import Policy
from planner.policy.resolve import rules_for
from planner.record.notice import Kind, Notice, Urgency
from planner.record.states import RunState
from simulator import demo
from simulator.demo.fleet import ENDS, TRACKING_ID, demo_fleet
from simulator.demo.people import Engineer, untold
from simulator.demo.play import broken, kinds, settled, unlike
from simulator.demo.story import Event, Story
from simulator.demo.view import View, summary
from simulator.fleet import Behaviour, Fleet, VirtualClock, Wave, Window, uniform
from simulator.inboxes.teams import Post
from tests.handlers.parts import NOW
from tests.handlers.parts import run as planned

MINUTE = timedelta(minutes=1)


def policy() -> Policy:
    text = (Path(demo.__file__).parent / "policy.yaml").read_text(encoding="utf-8")
    return policy_file.load(text.replace("{teams}", "http://127.0.0.1:1/teams"), environment={})


def runs(**different: str) -> list[dict[str, Any]]:
    """The report's runs as the story wants them in the end, but for what a test says."""
    return [
        {
            "name": name,
            "state": different.get(name, state),
            "reason": f"because of {name}",
            "verdict": "leave_to_azure" if state == "left_to_azure" else "self_service",
            "batches": [{"state": "done", "instances": [{"id": "0", "state": "maintained"}]}],
        }
        for name, state in ENDS.items()
    ]


def mail(to: str, subject: str, text: str = "") -> EmailMessage:
    made = EmailMessage()
    made["To"], made["Subject"] = to, subject
    made.set_content(text)
    return made


class Stage:
    """One scale set on a clock moved by hand, its wave open."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.clock = VirtualClock(datetime(2026, 11, 1, tzinfo=UTC))
        self.fleet = Fleet(self.clock)
        self.fleet.add(uniform("web", 1, behaviour=behaviour))
        self.fleet.plan(
            Wave(
                tracking_id=TRACKING_ID,
                subscriptions=(self.fleet.scale_set("web").subscription,),
                regions=("westeurope",),
                self_service=Window(self.clock.now, self.clock.now + timedelta(days=1)),
                scheduled=Window(self.clock.now + timedelta(days=2), self.clock.now + timedelta(days=3)),
            )
        )
        self.story = Story(self.fleet)

    def start(self) -> None:
        self.fleet.start_maintenance(self.fleet.instance("web", 0))

    def told(self) -> list[str]:
        return [event.text for event in self.story.next([], [], [])]

    def after(self, minutes: int) -> list[str]:
        self.clock.advance(minutes * MINUTE)
        return self.told()


def test_the_story_knows_the_end_of_every_scale_set_of_the_fleet() -> None:
    assert {one.name for one in demo_fleet().scale_sets()} == set(ENDS)
    assert {one.location for one in demo_fleet().scale_sets()} == {"westeurope", "northeurope"}


def test_the_policy_and_the_tags_say_what_the_story_needs() -> None:
    rules = {
        one.name: rules_for(
            policy(),
            Target(one.id, one.subscription, one.resource_group, one.name, one.location, tags=one.tags),
        )
        for one in demo_fleet().scale_sets()
    }

    assert not [problem for one in rules.values() for problem in one.problems]
    assert rules["payments-prod"].mode == "approve"
    assert rules["search-prod"].recover_within < rules["web-prod"].recover_within
    assert rules["web-prod"].owner == "shop"
    assert rules["legacy-prod"].owner == "north"
    assert all(one.lead <= timedelta(seconds=10) for one in rules.values())


def test_a_start_and_its_reboot_are_told_once() -> None:
    stage = Stage(Behaviour())
    stage.start()

    assert stage.told() == ["maintenance of instance 0 is started", "instance 0 reboots"]
    assert stage.after(20) == []


def test_an_instance_that_azure_puts_off_is_told_and_its_second_start_too() -> None:
    stage = Stage(Behaviour(retry_later=1))
    stage.start()
    assert stage.after(1) == [
        "maintenance of instance 0 is started",
        "Azure puts instance 0 off: to be tried again later",
    ]

    stage.start()

    assert stage.after(20) == ["maintenance of instance 0 is started", "instance 0 reboots"]


def test_an_instance_that_stays_unhealthy_is_told() -> None:
    stage = Stage(Behaviour(health_finally="unhealthy"))
    stage.start()

    assert stage.after(20)[-1] == "instance 0 reports that it is unhealthy"


def test_a_refused_start_is_told_with_azures_code() -> None:
    stage = Stage(Behaviour(refused=True))
    stage.start()

    assert stage.told() == ["Azure refuses to start instance 0: OperationNotAllowed"]


def test_a_failed_operation_is_told_with_azures_code() -> None:
    stage = Stage(Behaviour(fails_after_reboot=True))
    stage.start()

    assert stage.after(20)[-1] == "maintenance of instance 0 failed: OSProvisioningTimedOut"


def test_runs_are_told_when_their_state_changes_and_messages_when_they_arrive() -> None:
    story = Stage(Behaviour()).story
    web = {"name": "web", "state": "running", "reason": "domain 0: 1 starting."}
    card = Post({"attachments": [{"content": {"fallbackText": "[Started] web"}}]}, {}, 2)

    first = story.next([web], [mail("ops@example.org", "[Started] web")], [card])
    again = story.next(
        [{**web, "reason": "domain 0: 1 rebooting."}], [mail("ops@example.org", "[Started] web")], [card]
    )

    assert first == [
        Event("web", "~ running: domain 0: 1 starting."),
        Event("ops@example.org", "mail: [Started] web"),
        Event("Teams", "card: [Started] web"),
    ]
    assert again == []


def test_the_words_of_a_state_are_not_repeated() -> None:
    left = {"name": "web", "state": "left_to_azure", "reason": "Left to Azure: it runs Spot instances."}

    [event] = Stage(Behaviour()).story.next([left], [], [])

    assert event.text == "- Left to Azure: it runs Spot instances."


def test_the_engineer_follows_the_links_for_approval_of_a_mail_once() -> None:
    waits = replace(planned("payments-prod"), state=RunState.AWAITING_APPROVAL)
    asking = Notice(2, NOW, Kind.APPROVAL, Urgency.ACT, "It waits.", answers=("approve", "skip"))
    addresses = Addresses("http://127.0.0.1:7071", lambda place, action, *_: f"{action}.{place[-1]}")
    written = render(compose(Told(TRACKING_ID, (), ((waits, asking),), Overview()), addresses, NOW), "", "")
    mails = [mail("ops@example.org", written.subject, written.text.replace("\n", "\r\n"))]
    engineer = Engineer("ana@example.org")

    assert engineer.read(mails) == ["http://127.0.0.1:7071/api/links/approve.payments-prod"]
    assert engineer.read(mails) == []


def test_who_is_not_told_of_the_end_is_named() -> None:
    mails = [
        mail("ops@example.org", "x", "Rebooting web has started\n"),
        mail("ops@example.org", "y", "db: all 3 instances rebooted and healthy\n"),
    ]

    assert untold(dict.fromkeys(("web", "db"), "rebooted and healthy"), mails) == ["web"]


def test_a_wave_is_settled_when_every_scale_set_is() -> None:
    assert settled(runs())
    assert not settled(runs(**{"web-prod": "running"}))
    assert not settled(runs()[1:])


@pytest.mark.parametrize("state", ["paused", "missed", "left_to_azure"])
def test_an_end_unlike_the_story_is_a_problem(state: str) -> None:
    assert unlike(runs()) == []
    assert unlike(runs(**{"web-prod": state})) == [
        f"web-prod should be completed and is {state}: because of web-prod"
    ]


def test_a_scale_set_missing_from_the_report_is_a_problem() -> None:
    [problem] = unlike(runs()[1:])

    assert problem.startswith("web-prod is not in the report")


def test_a_start_where_none_may_be_is_a_broken_promise() -> None:
    fleet = demo_fleet()
    report = {"tracking_id": TRACKING_ID, "runs": []}
    before = broken(fleet, report)
    fleet.start_maintenance(fleet.instance("reports-dev", 0))

    found = [sentence for sentence in broken(fleet, report) if sentence not in before]

    assert [sentence for sentence in found if "reports-dev was started although it is blocked" in sentence]


def test_without_a_terminal_every_event_is_one_plain_line() -> None:
    written = io.StringIO()
    view = View(kinds(demo_fleet()), Console(file=written, width=80, force_terminal=False))
    long = "mail: [Paused] " + "a sentence that goes on " * 10

    with view:
        view.show(1.25, runs(), [Event("web-prod", "instance 0 reboots"), Event("ops", long.strip())])
        view.show(1.75, runs(), [])

    assert written.getvalue().splitlines() == [
        f"   1.2 s  {'web-prod':24} instance 0 reboots",
        f"   1.2 s  {'ops':24} {long.strip()}",
    ]


@pytest.mark.parametrize("width", [80, 130])
def test_on_a_terminal_every_scale_set_has_its_line(width: int) -> None:
    written = io.StringIO()
    console = Console(file=written, width=width, height=40, force_terminal=True, color_system=None)
    view = View(kinds(demo_fleet()), console)

    with view:
        view.show(3.0, runs()[:-1], [Event("web-prod", "instance 0 reboots")])

    for name, state in list(ENDS.items())[:-1]:
        [line] = {line.rstrip() for line in written.getvalue().splitlines() if line.startswith(f"{name} ")}
        assert "✓" in line or state != "completed"
    assert "instance 0 reboots" in written.getvalue()
    assert "↻ rebooting" in written.getvalue()


@pytest.mark.parametrize("width", [40, 60, 80, 140])
def test_the_summary_says_of_every_scale_set_how_it_went_and_why(width: int) -> None:
    written = io.StringIO()
    console = Console(file=written, width=width)

    console.print(summary(runs(), kinds(demo_fleet()), width))

    text = written.getvalue()
    for name in ENDS:
        assert name in text
    assert "! paused" in text
    assert text.count("because") == len(ENDS)
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) <= 5 * len(ENDS), "a reason is read along the line, not down a column"
