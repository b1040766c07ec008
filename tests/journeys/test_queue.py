"""A wave of more scale sets than its limits take at once: who goes when, what waiting costs, who is woken."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from handlers.runs import queue
from handlers.wire.ids import RUNS
from planner.policy.model import Limits, Match, MatchLimit, Policy, Receiver, Rule
from planner.record.notice import Kind
from planner.record.states import RunState
from simulator.fleet import SUBSCRIPTION, uniform
from simulator.fleet.waves import Wave, Window
from simulator.lies import Lies
from tests.world import World
from tests.world.chaos import Chaos
from tests.world.mailbox import Mailbox
from tests.world.promises import broken
from tests.world.world import START

ID = "VM8T-1Q8"
M, H, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
CALM = {"self-service": "always", "lead": "1h", "soak": "20m"}


class Queue(World):
    """A world that counts the messages of each run."""

    def __init__(
        self,
        limits: Limits,
        rules: tuple[Rule, ...] = (),
        mailbox: Mailbox | None = None,
        chaos: Chaos | None = None,
        lies: Lies | None = None,
        **more: Any,
    ) -> None:
        receivers = (Receiver("ops", email=("ops@example.org",)),)
        policy = Policy(defaults={**CALM, **more}, rules=rules, limits=limits, receivers=receivers)
        super().__init__(policy=policy, mailbox=mailbox, chaos=chaos, lies=lies)
        self.polls: Counter[str] = Counter()
        self.queues.watching.append(self._sent)

    async def announced(self, sets: Mapping[str, str], days: int = 20) -> None:
        """A wave that has begun: scale sets by name and region, of two domains with two instances each."""
        self.fleet.add(
            *(uniform(name, 4, update_domains=2, location=region) for name, region in sets.items())
        )
        opens = self.clock() - H
        self.fleet.plan(
            Wave(
                tracking_id=ID,
                subscriptions=(SUBSCRIPTION,),
                regions=tuple(sorted(set(sets.values()))),
                self_service=Window(opens, opens + days * DAY),
                scheduled=Window(opens + (days + 1) * DAY, opens + (days + 7) * DAY),
                impacted=lambda _: True,
            )
        )
        await self.alert(ID)

    def _sent(self, queue: str, text: str, _: str) -> None:
        if queue == RUNS:
            self.polls[json.loads(text)["name"]] += 1

    def began(self, name: str) -> datetime:
        return min(batch.started_at for batch in self.run_of(name).batches if batch.started_at is not None)

    def over(self) -> bool:
        return all(run.ended_at is not None for run in self.runs().values()) and bool(self.runs())


def names(prefix: str, number: int) -> list[str]:
    return [f"{prefix}{each:02}" for each in range(number)]


def urgent(prefix: str, by: timedelta) -> Rule:
    done = (START + by).isoformat()
    return Rule("urgent", Match(name=(f"{prefix}*",)), {**CALM, "complete-by": done})


async def test_sets_with_a_near_date_go_before_those_without_haste_and_all_are_in_time() -> None:
    calm, hasty = names("calm", 30), names("hasty", 6)
    azure = Queue(Limits(scale_sets=2), (urgent("hasty", 8 * H),))
    await azure.announced(dict.fromkeys([*calm, *hasty], "westeurope"))
    await azure.until(START + 5 * DAY, when=azure.over)
    runs = azure.runs()
    assert {run.state for run in runs.values()} == {RunState.COMPLETED}
    assert max(map(azure.began, hasty)) < sorted(map(azure.began, calm))[2]
    assert all(run.ended_at <= START + 8 * H for name, run in runs.items() if name in hasty)
    assert azure.violations() == []


async def test_a_freed_place_is_taken_within_a_minute_and_waiting_costs_two_messages_a_day() -> None:
    sets = names("set", 24)
    azure = Queue(Limits(scale_sets=1))
    await azure.announced(dict.fromkeys(sets, "westeurope"))
    await azure.until(START + 4 * H)
    before = dict(azure.polls)
    waiting = [name for name, run in azure.runs().items() if not run.begun]
    await azure.until(START + 6 * DAY, when=azure.over)
    ends = sorted(max(b.finished_at for b in run.batches) for run in azure.runs().values())
    starts = sorted(map(azure.began, sets))
    gaps = [start - end for end, start in zip(ends, starts[1:], strict=False)]
    assert max(gaps) < 2 * M, gaps
    assert len(waiting) > 12
    for name in waiting:
        assert before[name] <= 4, (name, before[name])


async def test_a_run_is_told_its_turn_and_its_forecast_comes_from_it() -> None:
    azure = Queue(Limits(scale_sets=1))
    await azure.announced(dict.fromkeys(names("set", 6), "westeurope"))
    await azure.until(START + 90 * M)
    runs = azure.runs()
    (flying,) = [name for name, run in runs.items() if run.begun]
    assert flying == "set00"
    last = runs["set05"]
    assert last.times.forecast_end is not None
    planned = last.times.forecast_end
    await azure.until(START + 3 * DAY, when=azure.over)
    came = azure.run_of("set05").ended_at
    assert abs(came - planned) < 0.25 * (came - START), (planned, came)


async def test_the_first_digests_ends_hold_where_regions_go_one_after_another_and_nights_lie_between() -> (
    None
):
    azure = Queue(Limits(regions=1, scale_sets=2), soak="40m", windows="daily 22:00-02:00 UTC")
    regions = ("westeurope", "northeurope", "eastus")
    await azure.announced({name: regions[turn % 3] for turn, name in enumerate(names("set", 12))})
    await azure.until(START + 30 * M)
    lines = await azure.wiring.runs.of_subscription(SUBSCRIPTION, fresh=True)
    placed = await queue.in_place(await azure.wiring.runs.read_listed(lines), azure.wiring)
    told = {run.target.name: run.times.forecast_end for run in placed.values()}
    await azure.until(START + 15 * DAY, when=azure.over)
    for name, run in azure.runs().items():
        came = max(batch.finished_at for batch in run.batches)
        assert abs(came - told[name]) < 2 * H, (name, told[name], came)


async def test_the_first_digest_says_who_has_a_place_in_time_who_has_none_and_what_would_make_room() -> None:
    mailbox = Mailbox()
    azure = Queue(Limits(scale_sets=2), mailbox=mailbox, soak="1h", windows="daily 22:00-02:00 UTC")
    await azure.announced(dict.fromkeys(names("set", 24), "westeurope"), days=8)
    await azure.until(START + 30 * M)
    (digest,) = mailbox.mails
    text = digest.message.text
    (places,) = [line for line in text.splitlines() if line.startswith("Places: ")]
    assert re.match(r"Places: (\d+) scale sets do not fit before the deadline", places)
    late = int(re.search(r"\d+", places)[0])
    assert 2 < late < 20
    assert f"; {24 - late} others fit." in places
    assert re.search(r"To make room: `scale-sets: [3-9]` or wider windows", places)
    typed = text.partition("What you can choose for the wave:")[2].partition("\n\n")[0]
    assert re.findall(r"  (\d)\. (.*)", typed) == [
        (
            "1",
            (
                f"Raise `scale-sets` to {re.search(r'`scale-sets: ([3-9])`', places)[1]} until the wave is over: "
                "then all fit."
            ),
        ),
        ("2", "Drop the windows of those that do not fit, or write wider ones instead of `any time`."),
        ("3", "Leave those that do not fit to Azure now."),
    ]
    assert len(digest.message.payload["choices"]) == 3
    # Each forecast is that of a place, not of a run that goes next.
    assert "One after another: the first starts Mon 23 Nov 22:00 UTC at the earliest" in text
    await azure.until(START + 30 * DAY, when=azure.over)
    missed = sum(run.state is RunState.MISSED for run in azure.runs().values())
    assert abs(missed - late) <= 2, (missed, late)


async def test_who_waits_for_approval_is_passed_and_the_record_of_the_other_says_so() -> None:
    asked = Rule(
        "asked", Match(name=("asked*",)), {**CALM, "mode": "approve", "complete-by": f"{START + DAY}"}
    )
    azure = Queue(Limits(scale_sets=1), (asked,))
    await azure.announced({"asked": "westeurope", "web": "westeurope"})
    await azure.until(START + 3 * H)
    [ahead] = [entry for entry in azure.run_of("web").story.history if entry.event == "went ahead"]
    assert ahead.reason == "Ahead of asked (waits for approval)."
    assert azure.run_of("asked").state is RunState.AWAITING_APPROVAL
    assert await azure.say("asked", "approve") == 202
    await azure.until(START + DAY, when=azure.over)
    assert azure.run_of("asked").state is RunState.COMPLETED
    assert azure.violations() == []


async def test_limits_per_region_and_by_match_hold_and_nobody_waits_who_has_room() -> None:
    databases = MatchLimit("databases", Match(name=("db*",)), 1)
    limits = Limits(regions=2, scale_sets=9, per_region=2, by_match=(databases,))
    azure = Queue(limits)
    there = dict.fromkeys([*names("web", 4), "db00"], "westeurope")
    await azure.announced({**there, **dict.fromkeys([*names("api", 2), "db01"], "northeurope")})
    await azure.until(START + 3 * DAY, when=azure.over)
    assert {run.state for run in azure.runs().values()} == {RunState.COMPLETED}
    assert broken(azure, limits=limits) == []
    # In the north two are laid beside each other, in the west two at a time.
    starts = {name: azure.began(name) for name in azure.runs()}
    first = min(starts.values())
    assert sum(start < first + 5 * M for start in starts.values()) == 4
    assert abs(starts["db00"] - starts["db01"]) > 20 * M


async def test_a_limit_by_match_that_comes_into_the_file_holds_for_who_waits() -> None:
    azure = Queue(Limits(scale_sets=2), lead="4h")
    await azure.announced(dict.fromkeys(names("db", 3), "westeurope"))
    await azure.until(START + H)
    limits = Limits(scale_sets=2, by_match=(MatchLimit("databases", Match(name=("db*",)), 1),))
    azure.policy = replace(azure.policy, limits=limits)
    await azure.until(START + 3 * DAY, when=azure.over)
    assert {run.state for run in azure.runs().values()} == {RunState.COMPLETED}
    assert broken(azure, limits=limits) == []


async def test_a_region_that_a_paused_run_keeps_out_is_told_so_on_the_first_day() -> None:
    azure = Queue(Limits(regions=1), lead="0m")
    await azure.announced({"here": "westeurope", "there": "northeurope"})
    await azure.until(START + 2 * H, when=lambda: any(run.begun for run in azure.runs().values()))
    (first,) = [name for name, run in azure.runs().items() if run.begun]
    (second,) = azure.runs().keys() - {first}
    await azure.say(first, "hold")
    await azure.until(START + DAY)
    waits = azure.run_of(second)
    assert f"No place in the queue will be free for it while {first} needs action." in waits.reason
    (told,) = [notice for notice in waits.story.notices if notice.kind is Kind.STALLED]
    assert told.at < START + 6 * H
    assert f"{first} (" in told.sentence
    # Who lets the others pass wakes them at once.
    passed = azure.clock()
    assert await azure.say(first, "let-pass") == 202
    await azure.until(passed + 5 * M)
    assert azure.run_of(second).begun
