"""sweep: a scale set of an open wave that nobody has planned is planned after all.

Storage stamps documents with the time it is, so these tests begin now and let their clock run ahead.
"""

from itertools import pairwise

import pytest

from handlers import discover, receive, sweep
from handlers.cloud.names import ALERTS, SCALE_SETS, archive_path, run_path, wave_path
from handlers.wire.documents import encode_run, run_metadata
from handlers.wire.http import Request
from tests.handlers.parts import SUBSCRIPTION, alert, at_present, body, later, run, scale_set


@pytest.fixture
async def wiring(storage):
    found = at_present(storage)
    found.fake.sets = [scale_set("web"), scale_set("api")]
    await announced(found, alert())
    found.spy.forget()
    yield found
    await found.close()


async def announced(wiring, raw):
    await receive.handle(Request("POST", body=body(raw)), wiring)
    await discover.handle(wiring.spy.of(ALERTS)[-1], wiring)


async def planned(wiring, name, *waves, path=None):
    one = run(name, waves=waves)
    path = path or run_path(SUBSCRIPTION, "Prod-RG", name)
    await wiring.records.create(path, encode_run(one), run_metadata(one))


def asked(wiring):
    return [one.scale_set.rsplit("/", 1)[-1] for one in wiring.spy.of(SCALE_SETS)]


async def test_a_scale_set_without_a_run_is_asked_for_at_growing_distances(wiring):
    await planned(wiring, "api", "VM12-3AB")
    await sweep.handle(wiring)
    assert asked(wiring) == []  # its message may still be on its way
    sent_after = []
    for minute in range(240):
        wiring.clock.forward(minutes=1)
        await sweep.handle(wiring)
        if len(asked(wiring)) > len(sent_after):
            sent_after.append(minute)
    assert set(asked(wiring)) == {"web"}
    assert {one.reason for one in wiring.spy.of(SCALE_SETS)} == {"swept"}
    assert [b - a for a, b in pairwise(sent_after)] == [6, 12, 24, 48, 60, 60]


async def test_a_run_that_has_not_joined_the_wave_is_asked_for_as_well(wiring):
    await planned(wiring, "api", "VM12-3AB")
    await planned(wiring, "web", "OLD-1")
    wiring.clock.forward(minutes=4)
    await sweep.handle(wiring)
    assert asked(wiring) == ["web"]


async def test_who_went_through_the_wave_in_an_earlier_run_is_left_alone(wiring):
    await planned(wiring, "api", "VM12-3AB")
    await planned(wiring, "web", "NEW-1")
    earlier = archive_path(SUBSCRIPTION, "Prod-RG", "web", wiring.now())
    await planned(wiring, "web", "VM12-3AB", path=earlier)
    wiring.clock.forward(minutes=4)
    await sweep.handle(wiring)
    assert asked(wiring) == []


async def test_a_wave_that_is_over_asks_for_nothing(wiring):
    await announced(wiring, later(alert(), hours=1, communication="2", stage="Canceled"))
    wiring.spy.forget()
    wiring.clock.forward(minutes=10)
    await sweep.handle(wiring)
    assert asked(wiring) == []


async def test_a_wave_that_cannot_be_read_does_not_end_the_sweep(wiring):
    await wiring.records.create(wave_path("BAD-1", SUBSCRIPTION), b"{", {"open": "true"})
    wiring.clock.forward(minutes=4)
    await sweep.handle(wiring)
    assert sorted(asked(wiring)) == ["api", "web"]
