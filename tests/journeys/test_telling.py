"""What people are told over a whole wave, whatever becomes of the runs."""

from dataclasses import replace
from datetime import timedelta

from planner.record.states import RunState
from simulator.fleet import uniform
from tests.journeys.test_emergency import ID, world

DAY = timedelta(days=1)


async def test_a_scale_set_that_is_due_again_in_its_wave_is_told_anew() -> None:
    azure, mailbox = world(uniform("web", 4, update_domains=2), **{"self-service": "always"})
    await azure.alert(ID)
    await azure.until(azure.clock() + 2 * DAY)
    assert azure.run_of("web").state is RunState.COMPLETED
    before = len(mailbox.mails)
    wave = azure.fleet.world.waves[ID]
    first = replace(wave.self_service, end=wave.self_service.end + 3 * DAY)
    later = replace(wave.scheduled, start=first.end, end=wave.scheduled.end + 3 * DAY)
    azure.fleet.reschedule(ID, first, later, again=True)
    await azure.alert(ID, "Rescheduled")
    await azure.until(azure.clock() + 2 * DAY)
    assert [one.split(" web")[0].split(":")[0] for one in mailbox.subjects[before:]] == [
        ID,
        "Rebooting",
        f"{ID} is over for your 1 scale set",
    ]
