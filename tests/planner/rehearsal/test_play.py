"""A rehearsal: one story for one seed, no poll left out that matters, and the promises kept in it."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from planner.azure.fleet import (
    Health,
    Instance,
    Interval,
    MaintenanceStatus,
    Orchestration,
    ScaleSet,
    domain_of,
)
from planner.azure.wave import Announcement, Stage, Wave
from planner.policy.model import Limits, Policy, Receiver
from planner.record.notice import Kind, Urgency
from planner.record.states import RunState
from planner.rehearsal.part import Snapshot
from planner.rehearsal.play import play
from planner.rehearsal.story import Played, Story
from planner.rehearsal.trouble import HOUR, MINUTE, Moved, Span, Throttling, Trouble

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SUBSCRIPTIONS = ("aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e", "bbbb0b0b-bb1b-cc2c-dd3d-eeeeee4e4e4e")

TAGS = st.fixed_dictionaries(
    {},
    optional={
        "breakwater-windows": st.sampled_from(["daily 22:00-00:30 Europe/Berlin", "Tue,Thu 01:00-05:00 UTC"]),
        "breakwater-mode": st.sampled_from(["approve", "observe"]),
        "breakwater-self-service": st.sampled_from(["never", "when-needed"]),
        "breakwater-after": st.just("set0"),
        "breakwater-soak": st.sampled_from(["0m", "45m"]),
        "breakwater-max-unavailable": st.sampled_from(["1", "50%"]),
        "breakwater-complete-by": st.just("2026-11-25T20:00:00Z"),
    },
)

SETS = st.lists(
    st.tuples(st.integers(1, 6), st.integers(1, 3), st.booleans(), st.booleans(), TAGS),
    min_size=1,
    max_size=4,
)

SPANS = st.sampled_from([None, Span(20 * MINUTE, 20 * MINUTE), Span(HOUR, 30 * HOUR)])

TROUBLES = st.builds(
    Trouble,
    reboot=st.just(Span(2 * MINUTE, 9 * MINUTE)),
    lost=st.sampled_from([0.0, 0.1]),
    slow=st.sampled_from([0.0, 0.2]),
    slow_by=st.sampled_from([3.0, 12.0]),
    approves=SPANS,
    resumes=SPANS,
    unanswered=st.sampled_from([0.0, 0.5]),
    throttled=st.sampled_from(
        [(), (Throttling(11 * HOUR, 9 * HOUR),), (Throttling(12 * HOUR, HOUR, 7 * MINUTE),)]
    ),
    unread=st.sampled_from(
        [(), (Throttling(11 * HOUR, 2 * HOUR, 3 * MINUTE),), (Throttling(29 * HOUR, 3 * HOUR),)]
    ),
    moved=st.sampled_from([(), (Moved(30 * HOUR, 2 * DAY),), (Moved(20 * HOUR, -DAY),)]),
    cancelled=st.sampled_from([None, None, 14 * HOUR, 40 * HOUR]),
)


def snapshot(
    number: int,
    count: int,
    domains: int,
    tags: dict[str, str],
    *,
    flexible: bool = False,
    reports: bool = True,
    subscription: str = SUBSCRIPTIONS[0],
    lasts: timedelta = 5 * DAY,
) -> Snapshot:
    window = Interval(START - HOUR, START - HOUR + lasts)
    status = MaintenanceStatus(
        allowed=True, self_service=window, scheduled=Interval(window.end + DAY, window.end + 4 * DAY)
    )
    name = f"set{number}"
    scale_set = ScaleSet(
        f"/subscriptions/{subscription}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachineScaleSets/{name}",
        subscription,
        "rg",
        name,
        ("westeurope", "eastus")[number % 2],
        Orchestration.FLEXIBLE if flexible else Orchestration.UNIFORM,
        tags=tags,
    )
    instances = (
        Instance(
            f"{name}_{place}" if flexible else str(place),
            update_domain=None if flexible else place % domains,
            power="running",
            provisioning="succeeded",
            health=Health.HEALTHY if reports else Health.NOT_REPORTED,
            maintenance=status,
        )
        for place in range(count)
    )
    return Snapshot(scale_set, tuple(instances))


def fleet(drawn: Sequence[tuple[int, int, bool, bool, dict[str, str]]]) -> list[Snapshot]:
    return [
        snapshot(
            number,
            count,
            domains,
            tags,
            flexible=flexible,
            reports=reports,
            subscription=SUBSCRIPTIONS[number == 3],
        )
        for number, (count, domains, flexible, reports, tags) in enumerate(drawn)
    ]


def waves() -> list[Wave]:
    return [
        Wave(
            "VM8T-1Q8", name, (Announcement("VM8T-1Q8", name, "1", Stage.PLANNED, "a", START, START, START),)
        )
        for name in SUBSCRIPTIONS
    ]


def policy(**values: str) -> Policy:
    return Policy(
        {"self-service": "always", "lead": "10h", **values},
        tags_may_loosen=frozenset({"soak", "max-unavailable"}),
        limits=Limits(regions=1, scale_sets=2),
        receivers=(Receiver("ops", email=("ops@example.org",)),),
    )


def told_by(parts: Sequence[Snapshot], trouble: Trouble, seed: int = 1, **more: Any) -> Story:
    return play(parts, waves(), policy(), trouble, seed, START, **more)


WEB = [snapshot(0, 6, 3, {}), snapshot(1, 4, 2, {"breakwater-mode": "approve"}), snapshot(3, 3, 1, {})]


def test_the_same_seed_tells_the_same_story_in_whatever_order_the_fleet_is_given() -> None:
    trouble = Trouble(lost=0.1, slow=0.2)
    story = told_by(WEB, trouble, 3)
    assert told_by(WEB, trouble, 3) == story
    assert told_by(list(reversed(WEB)), trouble, 3) == story
    assert told_by(WEB, trouble, 4) != story


def test_another_scale_set_changes_no_instances_fate() -> None:
    alone = told_by(WEB[:1], Trouble(slow=0.3))
    among = told_by(WEB, Trouble(slow=0.3))

    def lengths(story: Story) -> Any:
        return sorted(
            (each.instance, each.until and each.until - each.since) for each in story.played[0].outages
        )

    assert lengths(among) == lengths(alone)
    assert len({length for _, length in lengths(alone)}) > 1, "each instance has a fate of its own"


NIGHTLY = {"breakwater-windows": "daily 22:00-00:30 Europe/Berlin"}

REMINDED = (
    [(4, 1, False, False, {})],
    Trouble(reboot=Span(2 * MINUTE, 9 * MINUTE), lost=0.1, resumes=None),
    0,
)
"""A paused run that nobody resumes: its latest start is worked out again every hour."""

FOLLOWED = (
    [(6, 2, False, False, {}), (4, 2, False, True, {**NIGHTLY, "breakwater-after": "set0"})],
    Trouble(reboot=Span(2 * MINUTE, 9 * MINUTE), lost=0.1, resumes=Span(HOUR, 30 * HOUR), unanswered=0.5),
    2,
)
"""A paused run that another one waits for: when it should end is seen by that one."""


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example(*REMINDED)
@example(*FOLLOWED)
@given(SETS, TROUBLES, st.integers(0, 9))
def test_polls_that_are_left_out_would_have_changed_nothing(drawn: Any, trouble: Trouble, seed: int) -> None:
    quick = told_by(fleet(drawn), trouble, seed)
    slow = told_by(fleet(drawn), trouble, seed, each_poll=True)
    for one, other in zip(quick.played, slow.played, strict=True):
        assert as_read(one) == as_read(other)
    assert quick.counts["polls"] <= slow.counts["polls"]


def as_read(one: Played) -> Any:
    """Everything but when it is polled next, and what only the last poll saw."""
    run = one.run
    return (
        one.told,
        one.capacity,
        one.misses,
        run.story,
        run.batches,
        (run.state, run.ended_at, run.verdict, run.people, run.terms, run.reason),
        one.first,
    )


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SETS, TROUBLES, st.integers(0, 9))
def test_the_promises_are_kept_in_every_story(drawn: Any, trouble: Trouble, seed: int) -> None:
    parts = fleet(drawn)
    story = told_by(parts, trouble, seed)
    by_key = {part.scale_set.key: part for part in parts}
    findings = [
        finding for one in story.played for finding in broken(one, by_key[one.scale_set], story.until)
    ]
    assert not findings


def broken(one: Played, part: Snapshot, until: datetime) -> list[str]:
    """What the truth of the machines says against the promises, reckoned without the planner's rules."""
    found: list[str] = []
    tags = part.scale_set.tags
    domains = {each.id: domain_of(part.scale_set, each) for each in part.instances}
    most, ours = allowed(part), [outage for outage in one.outages if not outage.by_azure]
    for outage in ours:
        if not open_at(tags.get("breakwater-windows", ""), outage.since):
            found.append(f"{outage.instance} went down at {outage.since}, outside its windows")
        beside = {
            each.instance: domains[each.instance]
            for each in one.outages
            if each.since <= outage.since < (each.until or until)
        }
        if len(beside) > most:
            found.append(f"{sorted(beside)} were down at {outage.since}, and {most} may be")
        if len(set(beside.values())) > 1:
            found.append(f"{sorted(beside)} of several domains were down at {outage.since}")
    if ours and (tags.get("breakwater-mode") == "observe" or "never" in tags.values()):
        found.append("it was started although nobody wanted that")
    windows = [
        each.status.self_service for each in part.instances if each.status and each.status.self_service
    ]
    if any(outage.since < min(window.start for window in windows) for outage in ours):
        found.append("it was started before its self-service window")
    return found


def allowed(part: Snapshot) -> int:
    """A share of the instances that run, at least one: the tag's, else a fifth, of a Flexible set one."""
    said = part.scale_set.tags.get("breakwater-max-unavailable", "")
    if said:
        return 1 if said == "1" else max(1, len(part.instances) // 2)
    return 1 if part.scale_set.flexible else max(1, len(part.instances) // 5)


def open_at(windows: str, at: datetime) -> bool:
    """The two windows that are drawn here, by the clock on the wall."""
    berlin = (at + HOUR).time()
    if "Berlin" in windows:
        return berlin >= time(22) or berlin < time(0, 30)
    return not windows or (at.strftime("%a") in {"Tue", "Thu"} and time(1) <= at.time() < time(5))


def test_one_that_does_not_come_back_stops_its_scale_set_and_pages_until_somebody_repairs_it() -> None:
    key = WEB[0].scale_set.id
    trouble = Trouble(lost_ones=frozenset({(key, "3")}), resumes=Span(2 * HOUR, 2 * HOUR))
    (played,) = told_by(WEB[:1], trouble).played
    (page,) = [told for told in played.told if told.notice.urgency is Urgency.PAGE]
    lost = next(outage for outage in played.outages if outage.instance == "3")
    assert lost.until == page.at + 2 * HOUR
    assert all(outage.since >= lost.until for outage in played.outages if outage.since > lost.since)
    assert (played.run.state, page.receiver) == (RunState.COMPLETED, "ops")


def test_nobody_answers_and_what_is_missed_says_what_would_have_avoided_it() -> None:
    asks = [snapshot(0, 4, 2, {"breakwater-mode": "approve"})]
    story = told_by(asks, Trouble(approves=None))
    (miss,) = story.misses
    assert miss.instances == ("0", "1", "2", "3") or set(miss.instances) == {"0", "1", "2", "3"}
    assert "self-service window closed" in miss.why
    assert [choice.name for choice in miss.choices][-1] == "resume"
    assert all(outage.by_azure for outage in story.played[0].outages)


def test_what_is_left_to_azure_goes_down_in_its_scheduled_window_domain_by_domain() -> None:
    left = [snapshot(0, 6, 3, {"breakwater-self-service": "never"})]
    story = told_by(left, Trouble(), 3)
    (played,) = story.played
    assert played.run.state is RunState.LEFT_TO_AZURE
    opens = START - HOUR + 6 * DAY
    downs: dict[datetime, list[int]] = {}
    for outage in played.outages:
        assert outage.by_azure
        assert opens <= outage.since < opens + 3 * DAY
        downs.setdefault(outage.since, []).append(int(outage.instance) % 3)
    assert [set(together) for _, together in sorted(downs.items())] == [{0}, {1}, {2}]
    assert story.until >= max(downs) + HOUR
    assert [told.notice.kind for told in story.told][-1] is Kind.COMPLETED
    assert played.run.settled
    assert told_by(left, Trouble(), 3) == story
    assert told_by(left, Trouble(), 4).played[0].outages != played.outages


def test_azure_takes_nothing_of_a_wave_that_is_called_off_and_later_what_is_moved() -> None:
    left = [snapshot(0, 6, 3, {"breakwater-self-service": "never"})]
    off = told_by(left, Trouble(cancelled=2 * DAY))
    assert off.played[0].outages == ()
    moved = told_by(left, Trouble(moved=(Moved(DAY, 2 * DAY),)))
    assert min(outage.since for outage in moved.played[0].outages) >= START - HOUR + 8 * DAY


def test_starts_wait_while_azure_throttles_and_go_on_afterwards() -> None:
    throttled = Throttling(9 * HOUR, 6 * HOUR, 5 * MINUTE)
    calm, busy = told_by(WEB[:1], Trouble()), told_by(WEB[:1], Trouble(throttled=(throttled,)))
    assert min(outage.since for outage in calm.played[0].outages) == START + 10 * HOUR
    first = min(outage.since for outage in busy.played[0].outages)
    assert START + 15 * HOUR <= first < START + 15 * HOUR + 10 * MINUTE
    assert busy.played[0].run.state is RunState.COMPLETED


def test_while_reads_are_throttled_nothing_starts_people_hear_of_it_and_it_goes_on_afterwards() -> None:
    unread = Throttling(9 * HOUR, 6 * HOUR, 5 * MINUTE)
    (played,) = told_by(WEB[:1], Trouble(unread=(unread,))).played
    first = min(outage.since for outage in played.outages)
    assert START + 15 * HOUR <= first < START + 15 * HOUR + 15 * MINUTE
    (trouble,) = (told.notice for told in played.told if told.notice.kind is Kind.TROUBLE)
    assert START + 10 * HOUR + 30 * MINUTE <= trouble.at <= START + 11 * HOUR
    assert played.run.state is RunState.COMPLETED


def test_a_batch_under_way_while_reads_are_throttled_is_found_done_afterwards() -> None:
    unread = Throttling(10 * HOUR + 2 * MINUTE, HOUR)
    (played,) = told_by(WEB[:1], Trouble(unread=(unread,))).played
    first = min(batch.verified_at for batch in played.run.batches if batch.verified_at)
    assert START + 11 * HOUR <= first < START + 11 * HOUR + 20 * MINUTE
    assert played.run.state is RunState.COMPLETED


def test_a_wave_moved_while_reads_are_throttled_is_planned_once_it_can_be_read() -> None:
    busy = Trouble(moved=(Moved(5 * HOUR, 3 * DAY),), unread=(Throttling(5 * HOUR, HOUR),))
    (played,) = told_by(WEB[:1], busy).played
    assert min(outage.since for outage in played.outages) >= START - HOUR + 3 * DAY
    assert played.run.state is RunState.COMPLETED


def test_a_moved_wave_starts_in_its_new_window_and_a_cancelled_one_starts_nothing_more() -> None:
    moved = told_by(WEB[:1], Trouble(moved=(Moved(5 * HOUR, 3 * DAY),)))
    assert min(outage.since for outage in moved.played[0].outages) >= START - HOUR + 3 * DAY
    off = told_by(WEB[:1], Trouble(cancelled=11 * HOUR))
    (played,) = off.played
    assert played.outages
    assert all(outage.since < START + 11 * HOUR for outage in played.outages)
    assert played.run.state is RunState.CANCELLED


def test_day_0_says_when_each_scale_set_should_be_done_with_its_place_in_the_queue() -> None:
    calm = Trouble(reboot=Span(8 * MINUTE, 8 * MINUTE), approves=Span(HOUR, HOUR))
    several = [snapshot(number, 3, 3, {}) for number in (0, 2, 4, 6)]
    story = play(several, waves()[:1], policy(), calm, 1, START)
    for one in story.played:
        assert one.forecast is not None
        assert one.run.ended_at is not None
        assert abs(one.run.ended_at - one.forecast) <= 5 * MINUTE
    assert len({one.forecast for one in story.played}) == 2, "two of them go at once"
    (outlook,) = story.outlooks
    assert (outlook.in_time, outlook.late) == (4, ())


def paged(story: Story, again: bool) -> list[datetime]:
    """When the page came, for the first time or again."""
    return [
        message.at
        for message in story.messages
        if message.loudness is Urgency.PAGE and all(item.again is again for item in message.items)
    ]


LOST = {"lost": 1.0, "resumes": Span(HOUR, HOUR)}


def test_a_page_comes_again_until_somebody_takes_it() -> None:
    one = [snapshot(0, 1, 1, {})]
    at_once = told_by(one, Trouble(**LOST, acknowledges=Span(10 * MINUTE, 10 * MINUTE)))
    assert len(paged(at_once, again=False)) == 1
    assert paged(at_once, again=True) == []
    late = told_by(one, Trouble(**LOST, acknowledges=Span(40 * MINUTE, 40 * MINUTE)))
    (first,) = paged(late, again=False)
    assert paged(late, again=True) == [first + 15 * MINUTE, first + 30 * MINUTE]


def test_a_page_that_nobody_takes_comes_again_until_it_is_repaired() -> None:
    story = told_by([snapshot(0, 1, 1, {})], Trouble(**LOST, acknowledges=None))
    (first,) = paged(story, again=False)
    assert paged(story, again=True)
    assert max(paged(story, again=True)) < first + HOUR


def test_plans_of_one_moment_share_a_message_for_each_receiver_over_all_subscriptions() -> None:
    parts = [snapshot(0, 2, 1, {}), snapshot(3, 2, 1, {}, subscription=SUBSCRIPTIONS[1])]
    story = told_by(parts, Trouble())
    first, *_ = story.messages
    assert {item.scale_set for item in first.items} == {part.scale_set.key for part in parts}
    assert {item.notice.kind for item in first.items} == {Kind.PLANNED}
    assert [message.closes for message in story.messages].count(True) == 1
