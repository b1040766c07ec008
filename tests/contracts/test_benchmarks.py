"""The benchmarks run, show where time and CPU go, and judge their budgets."""

import re
import subprocess
import sys

import pytest

from benchmarks import advancing, deciding, growth, planning
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
