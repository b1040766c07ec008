"""Records as JSON: every version stays readable, a newer one is left alone."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from handlers.wire.documents import (
    BadRecord,
    NewerRecord,
    decode,
    encode,
    run_metadata,
    wave_metadata,
    waves_of,
)
from planner.azure.usage import Evidence, Habits, Source
from planner.azure.wave import Stage, Wave
from planner.notices.delivery import Delivery
from planner.record.cause import Cause
from planner.record.run import Run
from planner.record.states import InstanceState, RunState
from planner.record.waits import Stalled, Waited
from tests.altered import altered
from tests.handlers.parts import NOW, SUBSCRIPTION, run
from tests.places import SAMPLES

KINDS = {"run": Run, "wave": Wave, "delivery": Delivery}


def sample(kind, version=1):
    return (SAMPLES / "records" / f"v{version}" / f"{kind}.json").read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_the_records_of_version_1_are_read_without_loss(kind):
    raw = json.loads(sample(kind))
    written = json.loads(encode(decode(KINDS[kind], sample(kind))))
    assert contains(written, raw)


def contains(whole, part):
    """Whether everything of the sample is in what is written today; newer fields may have joined."""
    if isinstance(part, dict):
        return all(key in whole and contains(whole[key], value) for key, value in part.items())
    if isinstance(part, list):
        return len(whole) == len(part) and all(map(contains, whole, part))
    return whole == part


def test_the_sample_of_a_run_means_what_it_meant():
    found = decode(Run, sample("run"))
    assert found.state is RunState.SCHEDULED
    assert found.times.slack == timedelta(hours=5)
    assert found.waves == ("VM12-3AB", "VM13-4CD")
    (first, second) = found.instances
    assert first.state is InstanceState.REBOOTING
    assert first.before.self_service.end == NOW + timedelta(days=9)
    assert second.before is None


def test_the_sample_of_a_wave_means_what_it_meant():
    found = decode(Wave, sample("wave"))
    assert found.stage is Stage.PLANNED
    assert found.member(found.roster[0].scale_set.id.upper()).after == ("api",)
    assert found.discovered == (found.current.alert,)


def test_a_wave_from_before_there_were_look_ups_is_read_and_says_nothing_of_them():
    assert b"evidence" not in sample("wave")
    found = decode(Wave, sample("wave"))
    assert found.evidence is None
    scale_set = found.roster[0].scale_set
    assert (scale_set.habits, scale_set.unread, scale_set.created) == (None, {}, None)
    assert found.informed(scale_set) == scale_set


def test_what_the_look_ups_showed_is_read_as_it_was_written():
    found = decode(Wave, sample("wave"))
    key = found.roster[0].scale_set.key
    lately = Habits(
        stops=3, last_stop=NOW, stopped_by="ana", stopped={"1": NOW}, healed={"0": NOW}, resizes=1,
        last_resize=NOW, scaled_in=7, autoscale="a", scales_in=True, to_zero="night", shutdown="s",
        group_managed_by="/m",
    )  # fmt: skip
    evidence = Evidence(NOW, NOW - timedelta(days=14), {Source.GROUPS: "No role."}, {key: lately})
    wave = decode(Wave, encode(replace(found, evidence=evidence)))
    assert wave.evidence == evidence
    informed = wave.informed(wave.roster[0].scale_set)
    assert (informed.habits, informed.unread) == (lately, {Source.GROUPS: "No role."})
    grown = json.loads(encode(wave))
    grown["evidence"]["new"] = grown["evidence"]["scale_sets"][key]["new"] = 1
    assert decode(Wave, json.dumps(grown).encode()) == wave


@pytest.mark.parametrize("kind", KINDS)
def test_unknown_fields_are_ignored_at_any_depth(kind):
    def grown(value):
        if isinstance(value, list):
            return [grown(one) for one in value]
        return {key: grown(one) for key, one in value.items()} if isinstance(value, dict) else value

    raw = grown(json.loads(sample(kind))) | {"new": [1]}
    for nested in ("target", "batches", "announcements", "roster", "messages"):
        for one in [raw[nested]] if isinstance(raw.get(nested), dict) else raw.get(nested, []):
            one["new"] = {"x": 1}
    assert decode(KINDS[kind], json.dumps(raw).encode()) == decode(KINDS[kind], sample(kind))


@pytest.mark.parametrize("kind", KINDS)
def test_a_newer_record_is_left_alone_whether_it_can_be_read_or_not(kind):
    raw = json.loads(sample(kind))
    for newer in (raw | {"v": 2}, {"v": 2, "all": "different"}):
        with pytest.raises(NewerRecord, match="version 2"):
            decode(KINDS[kind], json.dumps(newer).encode())


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"v": 1}', b"\xff", b"[" * 9999])
def test_a_broken_record_says_what_is_wrong(body):
    with pytest.raises(BadRecord, match="Run"):
        decode(Run, body)


def test_the_same_run_is_written_byte_for_byte_the_same():
    assert encode(decode(Run, encode(run()))) == encode(run())


def test_the_metadata_is_short_and_ascii_and_answers_the_overview():
    one = altered(run("wéb", receiver="Größe", slack=timedelta(seconds=-90.5)), deadline=NOW)
    metadata = run_metadata(one)
    assert metadata["state"] == "scheduled"
    assert metadata["generation"] == "3"
    assert metadata["due"] == "2026-11-22T13:00:00Z"
    assert metadata["deadline"] == "2026-11-22T12:00:00Z"
    assert metadata["slack"] == "-90"
    assert metadata["needs_person"] == "false"
    assert metadata["last_notice"] == "0"
    assert waves_of(metadata) == ("VM12-3AB",)
    assert all(value and value.isascii() and key.isidentifier() for key, value in metadata.items())


def test_the_metadata_says_what_a_run_waits_for_until_when_it_fits_and_whether_it_lets_others_pass():
    stalled = Stalled(Cause.LIMIT, "größe is in flight", NOW, waited=(Waited(Cause.LIMIT, NOW),))
    metadata = run_metadata(altered(run(), stalled=stalled, start_by=NOW, lets_pass=True))
    assert metadata["waits"] == "limit"
    assert metadata["start_by"] == "2026-11-22T12:00:00Z"
    assert metadata["lets_pass"] == "true"
    assert not {"waits", "start_by", "lets_pass"} & run_metadata(run()).keys()


def test_what_is_not_known_is_not_in_the_metadata():
    metadata = run_metadata(run(waves=(), state=RunState.PAUSED))
    assert not {"slack", "deadline", "receiver", "waves"} & metadata.keys()
    assert metadata["needs_person"] == "true"
    assert waves_of(metadata) == ()


def test_a_listing_shows_where_a_wave_stands():
    wave = decode(Wave, sample("wave"))
    assert wave_metadata(wave) == {
        "v": "1",
        "generation": "4",
        "stage": "Planned",
        "open": "true",
        "announced": ",".join(at.isoformat() for at in wave.current.order),
        "members": "1",
    }
    assert decode(Wave, encode(wave)) == wave
    assert wave.subscription == SUBSCRIPTION
