"""The benchmarks run, show where time and CPU go, and judge what they have measured."""

import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import pytest

from benchmarks import advancing, burst, deciding, growth, importing, pages, planning, rehearsing
from benchmarks.fleets import CASES
from benchmarks.whole_runs import play
from tests.places import ROOT


@pytest.fixture(scope="module")
def quick() -> subprocess.CompletedProcess[str]:
    # A budget nobody misses: how fast this machine is, is no test's business.
    command = [sys.executable, "-m", "benchmarks.deciding", "--quick", "--budget", "100000"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_the_benchmark_prints_a_table_for_decisions_and_runs_of_one_scale_set_and_of_a_wave(quick) -> None:
    assert quick.returncode == 0, quick.stderr
    titles = [part.splitlines()[0] for part in quick.stdout.split("\n\n")[1:]]
    assert titles[:-1] == [
        "decide, one scale set",
        "decide and begin the run, one scale set",
        "decide, a wave of scale sets of 20 instances",
        "advance, one scale set from its plan to its end",
        "advance, a wave of scale sets of 20 instances to its end",
    ]
    assert titles[-1].startswith("Budget: decide for 1,000 instances in under 100000 ms of CPU; kept with ")


def test_every_table_is_aligned_and_has_a_line_for_each_policy_and_size(quick) -> None:
    for part in quick.stdout.split("\n\n")[1:-1]:
        heads, *rows = [line for line in part.splitlines()[1:] if "linear" not in line]
        median = heads.index("median ms") + len("median ms")
        for case in CASES:
            mine = [row for row in rows if row.startswith(f"{case.name} ")]
            assert len(mine) >= 2
            for row in mine:
                assert float(row[:median].split()[-1]) > 0


def test_a_missed_budget_ends_with_1(monkeypatch, capsys) -> None:
    monkeypatch.setattr(advancing, "measure", lambda *_: None)
    assert deciding.main(["--quick", "--budget", "0"]) == 1
    assert "MISSED" in capsys.readouterr().out


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_invented_run_is_played_to_its_end_and_every_poll_is_booked(case) -> None:
    played = play(case, 2, 7)
    assert played.batches == 14
    assert played.polls > 5 * played.batches
    assert 0 < played.advance < played.poll


def test_growth_beyond_linear_is_told_and_linear_growth_is_not() -> None:
    assert growth.worse_than_linear("it", (1.0, 10.0), (10, 100)) == ""
    assert growth.worse_than_linear("it", (1.0, 40.0), (10, 100)) == (
        "Worse than linear: it, from 10 to 100 instances x40.0 for x10."
    )


def test_what_a_report_costs_is_judged_and_every_scale_set_looked_for(capsys) -> None:
    assert pages.main(["--sets", "60", "--seconds", "100"]) == 0
    shown = capsys.readouterr().out
    for form in ("overview, page", "wave, JSON", "scale set, page", "wave, calendar", "2 pages"):
        assert form in shown
    assert "0 scale sets are on none of the pages." in shown
    assert "0 scale sets are on none of the parts." in shown


def test_a_report_that_is_slow_large_or_incomplete_ends_with_1(capsys) -> None:
    good = pages.Cost("wave, page", 0.5, 0.4, 100_000)
    slow, large = replace(good, first=1.5), replace(good, size=600_000)

    assert pages.judged(1, [good], {"pages": 0}, 1.0) == 0
    assert pages.judged(1, [good, replace(slow, judged=False)], {"pages": 0}, 1.0) == 0
    for costs, missing in (([slow], 0), ([large], 0), ([good], 1)):
        assert pages.judged(1, costs, {"pages": missing}, 1.0) == 1
    assert capsys.readouterr().out.count("MISSED") == 5


def test_a_burst_is_posted_to_both_sides_and_nothing_of_it_is_lost(capsys) -> None:
    assert burst.main(["--alerts", "40", "--rounds", "2", "--times", "1000"]) == 0
    shown = capsys.readouterr().out
    assert "Answers: 80 x 202" in shown
    assert "Lost: 0 records, 0 messages" in shown
    assert "the first alert in " in shown


@pytest.mark.parametrize(
    ("seconds", "status", "lost", "ends"),
    [(1.0, 202, 0, 0), (2.0, 202, 0, 1), (1.0, 503, 0, 1), (1.0, 202, 1, 1)],
)
def test_a_burst_that_is_late_refused_or_lost_ends_with_1(seconds, status, lost, ends, capsys) -> None:
    app = burst.Burst((seconds, seconds), Counter({status: 2}))
    bare = burst.Burst((1.0, 1.0), Counter({202: 2}))
    cold = [burst.Cold(1.0, 0.2, 0.01)]

    rounds = [{"app": app, "bare": bare}] * 3
    assert burst.judged(rounds, {"records": lost, "messages": 0}, cold, 1.5) == ends
    assert ("MISSED" in capsys.readouterr().out) == bool(ends)


def test_rounds_on_a_busy_machine_are_not_judged(capsys) -> None:
    slow = burst.Burst((burst.SLOWEST * 2,) * 2, Counter({503: 2}))
    good = burst.Burst((1.0, 1.0), Counter({202: 2}))
    cold, lost = [burst.Cold(1.0, 0.2, 0.01)], {"records": 0, "messages": 0}

    busy, calm = {"app": slow, "bare": slow}, {"app": good, "bare": good}
    assert burst.judged([busy, calm], lost, cold, 1.5) == 0
    assert burst.judged([busy], lost, cold, 1.5) == 1
    assert "too busy" in capsys.readouterr().out


def test_importing_is_measured_and_judged(capsys) -> None:
    assert importing.main(["--rounds", "1", "--times", "100"]) == 0
    shown = capsys.readouterr().out
    for module, why in importing.UNAVOIDABLE:
        assert f"{module:32} {why}" in shown
    assert importing.main(["--rounds", "1", "--times", "0.1"]) == 1


def test_the_webhook_imports_nothing_that_it_does_not_need() -> None:
    listed = "import sys; print(*sys.modules)"
    source = "\n".join([*(f"import {name}" for name in importing.ANSWERED), listed])
    done = subprocess.run(
        [sys.executable, "-c", source], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = {".".join(name.split(".")[:3]) for name in done.stdout.split()}
    others = {
        "jinja2",
        "yaml",
        "nh3",
        "icalendar",
        "css_inline",
        "aiosmtplib",
        "azure.identity",
        "azure.mgmt",
    }
    ours = {
        "handlers.render",
        "handlers.repository",
        "planner.record.run",
        "planner.decision",
        "planner.policy",
    }
    assert loaded.isdisjoint(others | ours)


def test_noise_is_how_far_equal_rounds_differ() -> None:
    assert growth.noise_of([1.0]) == 0
    assert growth.noise_of([1.0, 1.0, 1.0]) == 0
    assert growth.noise_of([1.0, 2.0, 3.0]) == 0.5


@pytest.fixture(scope="module")
def planned() -> subprocess.CompletedProcess[str]:
    # Two scale sets share the storage calls that every wave costs, which is more than two for each.
    command = [
        sys.executable,
        "-m",
        "benchmarks.planning",
        "--sets",
        "2",
        "--instances",
        "2",
        "--rounds",
        "2",
    ]
    return subprocess.run(
        [*command, "--latency", "1"], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )


def test_a_planned_wave_is_measured_beside_the_scripts_with_who_spent_the_cpu(planned) -> None:
    assert planned.stdout, planned.stderr
    found = re.findall(r"^ *(.+?) +(\d+\.\d\d)(?:   |$)", planned.stdout, re.MULTILINE)
    seconds = {what: float(value) for what, value in found}
    assert seconds["Breakwater, alert accepted to last plan stored"] > 0
    assert seconds["SDK script, sixteen calls at a time"] > 0
    spent = [
        seconds[f"CPU of {name}"]
        for name in ("Breakwater", "storage's SDK", "Azure's SDK", "HTTP, event loop", "local host")
    ]
    assert sum(spent) > 0
    assert {"beside it, CPU of Azurite", "ready, and no processor free"} < seconds.keys()
    assert "storage calls," in planned.stdout
    assert "write runs 2" in planned.stdout


def test_more_than_two_storage_calls_a_scale_set_end_with_1(planned) -> None:
    assert "MISSED:" in planned.stdout
    assert "storage calls a scale set; 2 are allowed." in planned.stdout
    assert planned.returncode == 1


@pytest.mark.parametrize(
    ("ratios", "calls", "said"),
    [
        ([0.7, 0.8, 0.9], 1.2, 0),
        ([0.9, 0.99, 1.4, 1.5], 2.0, 0),
        ([1.01, 1.2, 1.3, 1.4], 1.2, 1),
        ([1.3], 1.2, 1),
        ([0.7], 2.01, 1),
        ([1.1, 1.2], 3.0, 2),
    ],
)
def test_a_plan_slower_than_the_script_by_more_than_noise_is_a_miss_and_so_is_a_call_too_many(
    ratios: list[float], calls: float, said: int
) -> None:
    assert len(planning.missed(ratios, calls)) == said


def test_a_rehearsal_is_timed_and_judged_by_its_budget(monkeypatch, capsys) -> None:
    assert rehearsing.main(6, 5) == 0
    said = capsys.readouterr().out
    assert said.startswith("6 scale sets of 5 instances, 35 days: ")
    assert "{'completed': 6}" in said
    monkeypatch.setattr(rehearsing, "SECONDS", 0.0)
    assert rehearsing.main(2, 2) == 1
