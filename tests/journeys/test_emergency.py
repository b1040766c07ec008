"""Emergency maintenance (an alert of level Warning) pages at once; planned maintenance waits for its digest."""

from datetime import timedelta

from planner.policy.model import Policy, Receiver
from planner.record.notice import Kind, Urgency
from planner.record.states import RunState
from simulator.fleet import SUBSCRIPTION, ScaleSet, uniform
from simulator.fleet.waves import Wave, Window
from tests.world import World
from tests.world.mailbox import Mailbox

ID = "VM8T-1Q8"
SECOND, M, H, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
GROUP_WAIT = M
"""For how long messages are gathered unless somebody set it otherwise."""


def world(*scale_sets: ScaleSet, **defaults: str) -> tuple[World, Mailbox]:
    """A wave that has begun, not announced yet, and one receiver for everything."""
    mailbox = Mailbox()
    policy = Policy(
        defaults={"lead": "2h", "soak": "5m", **defaults},
        receivers=(Receiver("ops", email=("ops@example.org",)),),
    )
    made = World(policy=policy, mailbox=mailbox)
    made.fleet.add(*scale_sets)
    opens = made.clock() - H
    made.fleet.plan(
        Wave(
            tracking_id=ID,
            subscriptions=(SUBSCRIPTION,),
            regions=("westeurope",),
            self_service=Window(opens, opens + 20 * DAY),
            scheduled=Window(opens + 21 * DAY, opens + 28 * DAY),
            impacted=lambda one: one.owner.name != "quiet",
        )
    )
    return made, mailbox


async def test_an_alert_of_level_warning_is_a_page_that_is_told_at_once() -> None:
    azure, mailbox = world(uniform("web", 4, update_domains=2), **{"self-service": "always"})
    announced = azure.clock()
    await azure.alert(ID, level="Warning")
    await azure.until(announced + 10 * SECOND)
    (notice,) = azure.run_of("web").story.notices
    assert (notice.kind, notice.urgency) == (Kind.PLANNED, Urgency.PAGE)
    (page,) = mailbox.mails
    assert page.at - announced < 5 * SECOND
    assert page.receiver == "ops"
    assert page.message.urgency == "page"
    assert page.message.subject.startswith(f"Emergency maintenance {ID}: 1 scale set in ")
    assert "web" in page.message.text


async def test_an_alert_of_level_informational_waits_to_be_told_with_the_others() -> None:
    azure, mailbox = world(uniform("web", 4, update_domains=2), **{"self-service": "always"})
    announced = azure.clock()
    await azure.alert(ID)
    await azure.until(announced + GROUP_WAIT - SECOND)
    assert azure.run_of("web").state is RunState.SCHEDULED
    assert mailbox.mails == []
    await azure.until(announced + 2 * GROUP_WAIT)
    (mail,) = mailbox.mails
    assert mail.message.urgency == "know"
    assert mail.message.subject.startswith(f"{ID}: 1 scale set in ")


async def test_an_emergency_that_is_left_to_azure_pages_all_the_same() -> None:
    azure, mailbox = world(uniform("web", 4, update_domains=2))
    announced = azure.clock()
    await azure.alert(ID, level="Warning")
    await azure.until(announced + 10 * SECOND)
    assert azure.run_of("web").state is RunState.LEFT_TO_AZURE
    assert [one.split("; ")[0].partition(" in ")[0] for one in mailbox.subjects] == [
        f"Emergency maintenance {ID}: 1 scale set"
    ]


async def test_an_emergency_pages_once_for_a_wave_and_not_for_every_scale_set() -> None:
    sets = [uniform(f"set{number}", 2, update_domains=2) for number in range(20)]
    azure, mailbox = world(*sets, **{"self-service": "always"})
    announced = azure.clock()
    await azure.alert(ID, level="Warning")
    await azure.until(announced + GROUP_WAIT - SECOND)
    assert len(mailbox.mails) == 1
    await azure.until(announced + 3 * GROUP_WAIT)
    assert len(mailbox.mails) == 2
    told = "".join(one.message.text for one in mailbox.mails)
    assert all(f"set{number}" in told for number in range(20))
    assert [one.message.urgency for one in mailbox.mails] == ["page", "know"]


async def test_an_emergency_that_concerns_nobody_wakes_nobody() -> None:
    azure, mailbox = world(uniform("quiet", 2, update_domains=2))
    announced = azure.clock()
    await azure.alert(ID, level="Warning")
    await azure.until(announced + GROUP_WAIT - SECOND)
    assert azure.run_of("quiet").state is RunState.NOT_IMPACTED
    assert mailbox.mails == []
    await azure.until(announced + 3 * GROUP_WAIT)
    assert [one.message.urgency for one in mailbox.mails] == ["know"]


async def test_the_same_emergency_announced_again_pages_nobody_a_second_time() -> None:
    azure, mailbox = world(uniform("web", 4, update_domains=2), **{"self-service": "always"})
    await azure.alert(ID, level="Warning")
    await azure.until(azure.clock() + 5 * M)
    await azure.alert(ID, "Active", level="Warning")
    await azure.until(azure.clock() + 5 * M)
    assert len(mailbox.mails) == 1


async def test_a_wave_that_is_raised_to_an_emergency_pages_once_and_at_once() -> None:
    sets = [uniform(f"set{number}", 2, update_domains=2) for number in range(20)]
    azure, mailbox = world(*sets, **{"self-service": "always"})
    await azure.alert(ID)
    await azure.until(azure.clock() + 5 * M)
    assert [one.message.urgency for one in mailbox.mails] == ["know"]
    raised = azure.clock()
    await azure.alert(ID, "Active", level="Warning")
    await azure.until(raised + 10 * SECOND)
    _, page = mailbox.mails
    assert page.message.urgency == "page"
    assert page.message.subject.startswith(f"Emergency maintenance {ID}: ")
    assert "because Azure calls this maintenance an emergency" in page.message.text
    await azure.until(raised + 5 * M)
    await azure.alert(ID, "InProgress", level="Warning")
    await azure.until(azure.clock() + 5 * M)
    assert [one.message.urgency for one in mailbox.mails] == ["know", "page", "know"]
    later = "".join(one.message.text for one in mailbox.mails[1:])
    assert all(f"set{number}" in later for number in range(20))


async def test_an_emergency_raised_while_a_run_is_under_way_or_left_to_azure_pages_too() -> None:
    azure, mailbox = world(uniform("web", 4, update_domains=2), **{"self-service": "always", "lead": "1m"})
    await azure.alert(ID)
    await azure.until(azure.clock() + 2 * M)
    assert azure.run_of("web").state is RunState.RUNNING
    await azure.alert(ID, "Active", level="Warning")
    await azure.until(azure.clock() + 10 * SECOND)
    assert mailbox.mails[-1].message.urgency == "page"
    left, told = world(uniform("web", 4, update_domains=2))
    await left.alert(ID)
    await left.until(left.clock() + 5 * M)
    await left.alert(ID, "Active", level="Warning")
    await left.until(left.clock() + 10 * SECOND)
    assert told.subjects[-1].startswith(f"Emergency maintenance {ID}: 1 scale set in ")
