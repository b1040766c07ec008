"""The sample fleet, `make azure` and its control face."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from datetime import timedelta

from simulator.arm import serve
from simulator.fleet import VirtualClock
from simulator.fleet.ledger import Maintained
from simulator.fleet.sample import sample_fleet, sample_wave, span
from simulator.oracle import violations
from tests.simulator.support import START


def test_the_sample_shows_every_case_of_the_guidance() -> None:
    fleet = sample_fleet(VirtualClock(START))
    sample_wave(fleet)
    sets = {s.name: s for s in fleet.scale_sets()}
    assert len(sets) == 13
    assert {s.location for s in sets.values()} == {"westeurope", "northeurope"}
    assert len({i.update_domain for i in sets["web-prod"].instances.values()}) == 5
    assert len({i.placement_group for i in sets["cache-prod"].instances.values()}) == 2
    assert sets["db-prod"].zones == ("1", "2", "3")
    assert sets["api-prod"].mode == "Flexible"
    assert sets["batch-dev"].spot
    assert sets["fabric-prod"].service_fabric
    assert sets["aks-pool1-24680135-vmss"].managed_by
    assert sets["aks-pool1-24680135-vmss"].resource_group.startswith("MC_")
    assert sets["render-prod"].ephemeral_os_disk
    assert not sets["legacy-prod"].reports_health
    assert all(i.ticket is None for i in sets["quiet-prod"].instances.values())
    assert not any(i.ticket.eligible for i in sets["pinned-prod"].instances.values())
    assert sets["reports-dev"].tags == {}


def test_left_alone_the_sample_is_maintained_by_azure_at_every_scale() -> None:
    for scale in (1.0, 0.001):
        clock = VirtualClock(START)
        fleet = sample_fleet(clock, scale=scale)
        wave = sample_wave(fleet, scale=scale)
        clock.to(wave.scheduled.end)
        assert fleet.wave(wave.tracking_id).state == "complete"
        assert len(fleet.ledger.of(Maintained)) == len(wave.tickets)
        assert violations(fleet) == []


def test_durations_in_tags_are_scaled() -> None:
    assert span(timedelta(minutes=45), 1) == "45m"
    assert span(timedelta(minutes=45), 0.01) == "27s"
    assert span(timedelta(minutes=45), 0.00001) == "1s"


async def test_two_simulated_azures_take_free_ports_side_by_side() -> None:
    fleet = sample_fleet(VirtualClock(START))
    first, second = await serve(fleet), await serve(fleet)
    assert first.url != second.url
    await first.close()
    await second.close()


def ask(address: str, body: object = None) -> tuple[int, object]:
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(address, data=data, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


def test_make_azure_serves_until_it_is_told_to_stop() -> None:
    command = [sys.executable, "-m", "simulator.azure", "--port", "0"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as azure:
        said = []
        for line in azure.stdout:
            said.append(line)
            if "_simulator/ledger" in line:
                break
        exported = dict(line.split("export ")[1].strip().split("=", 1) for line in said if "export " in line)
        assert set(exported) == {
            "BREAKWATER_ARM_ENDPOINT",
            "BREAKWATER_SUBSCRIPTIONS",
            "IDENTITY_ENDPOINT",
            "IDENTITY_HEADER",
        }
        control = exported["BREAKWATER_ARM_ENDPOINT"] + "/_simulator"
        status, payload = ask(f"{control}/alert", {"stage": "Rescheduled", "schema": "legacy"})
        assert status == 200
        assert payload["data"]["context"]["activityLog"]["properties"]["stage"] == "Rescheduled"
        assert ask(f"{control}/alert", {"stage": "Nonsense"})[0] == 400
        status, facts = ask(f"{control}/ledger")
        assert [fact["fact"] for fact in facts] == ["WaveBecame"]
        assert ask(f"{control}/ledger?after=1") == (200, [])
        assert ask(f"{control}/calls") == (200, {})
        azure.send_signal(signal.SIGTERM)
        assert azure.wait(timeout=20) == 0
