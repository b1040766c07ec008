"""From an alert to the last plan, over a fleet, beside the scripts people use today.

`python -m benchmarks.planning [--sets 200] [--instances 20] [--rounds 7]`. The simulated Azure (50 ms a call)
and Azurite run in processes of their own. Each round plans the wave once, with storage of its own, and lists
the same fleet by a script on the asynchronous SDK, sixteen calls at a time, right before or after it: what else the
machine does disturbs both. Ends with 1 when Breakwater is slower than that script, or calls storage more than
twice a scale set.
"""

import argparse
import compileall
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from benchmarks.accounts import cpu_of
from benchmarks.trial import AZURE, HOST, OWN, REST, STORAGE, Measured, Task
from simulator import azurite

ROOT = Path(__file__).resolve().parent.parent

TARGET = 1.0
"""Breakwater's time as a share of the script's."""

CALLS = 2
"""Storage calls a scale set, from discovery to its stored plan and the message of its first poll."""

AZURITE, SIMULATED = "Azurite", "simulated Azure"


@dataclass(frozen=True, slots=True)
class Script:
    """A script's seconds, its CPU, how long it waited for a processor, and the simulated Azure's CPU."""

    wall: float
    cpu: float
    starved: float
    azure: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Play, measure, print; 1 when the target or the bound is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.planning", description=__doc__)
    parser.add_argument("--sets", type=int, default=200)
    parser.add_argument("--instances", type=int, default=20)
    parser.add_argument("--latency", type=float, default=50, help="milliseconds of each ARM call")
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args(arguments)
    for package in ("planner", "handlers", "simulator"):
        # As in a deployment, which ships compiled modules.
        compileall.compile_dir(ROOT / package, quiet=1)
    accounts = [f"round{number}" for number in range(asked.rounds)]
    size = (str(asked.sets), str(asked.instances), str(asked.latency))
    waves: list[Measured] = []
    scripts: list[Script] = []
    with _azure(*size) as (pid, said), azurite.start(accounts=accounts) as storage:
        environment = {
            "BREAKWATER_ARM_ENDPOINT": said["url"],
            "IDENTITY_ENDPOINT": said["identity"],
            "IDENTITY_HEADER": said["header"],
            "ARM": said["url"],
        }
        others = {AZURITE: storage.pid, SIMULATED: pid}
        for number, account in enumerate(accounts):
            connection = {"AzureWebJobsStorage": storage.connection_string_of(account)}
            task = Task(asked.sets, said["alert"], environment | connection, others)
            for turn in (0, 1):
                if (number + turn) % 2:
                    waves.append(_planned(task))
                else:
                    scripts.append(_script("concurrent", environment, pid))
        sequential = _script("sequential", environment, pid)
    return _print(asked, waves, scripts, sequential)


def missed(ratios: Sequence[float], calls: float) -> list[str]:
    """What was missed by more than noise: the time in three of four rounds, or the calls."""
    said = []
    if _lower_quartile(ratios) > TARGET:
        said.append(
            f"MISSED: {median(ratios):.2f} of the script's time, in three of four rounds over {TARGET:g}."
        )
    if calls > CALLS:
        said.append(f"MISSED: {calls:.2f} storage calls a scale set; {CALLS} are allowed.")
    return said


def _lower_quartile(ratios: Sequence[float]) -> float:
    return quantiles(ratios, n=4, method="inclusive")[0] if len(ratios) > 1 else ratios[0]


@contextmanager
def _azure(*size: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The simulated Azure: its process, and where it is."""
    command = [sys.executable, "-m", "benchmarks.azure", *size]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as azure:
        assert azure.stdout is not None
        assert azure.stdin is not None
        yield azure.pid, json.loads(azure.stdout.readline())
        azure.stdin.close()


def _planned(task: Task) -> Measured:
    sent = {name: getattr(task, name) for name in task.__slots__}
    return Measured(**_run("benchmarks.trial", input=json.dumps(sent)))


def _script(name: str, environment: dict[str, str], azure: int) -> Script:
    before = cpu_of(azure)
    found = _run("benchmarks.scripts", name, env={**os.environ, **environment})
    return Script(found["wall"], found["cpu"], found["starved"], cpu_of(azure) - before)


def _run(module: str, *arguments: str, **options: Any) -> dict[str, Any]:
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True, timeout=600, **options
    )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def _print(
    asked: argparse.Namespace, waves: Sequence[Measured], scripts: Sequence[Script], sequential: Script
) -> int:
    ratios = [wave.wall / script.wall for wave, script in zip(waves, scripts, strict=True)]
    print(
        f"{asked.sets} scale sets of {asked.instances} instances, {asked.latency:g} ms an ARM call; "
        f"medians of {len(waves)} rounds, seconds\n"
    )
    _line("Breakwater, alert accepted to last plan stored", [wave.wall for wave in waves])
    _line("  until the host fetched the alert, the scale sets", [wave.queued for wave in waves])
    for name in (OWN, STORAGE, AZURE, REST, HOST):
        _line(f"  CPU of {name}", [wave.cpu.get(name, 0.0) for wave in waves])
    _line("  ready, and no processor free", [wave.starved for wave in waves])
    for name in (AZURITE, SIMULATED):
        _line(f"  beside it, CPU of {name}", [wave.cpu[name] for wave in waves])
    _line("  processors that something else kept busy meanwhile", [wave.elsewhere for wave in waves])
    storage = waves[-1].storage
    calls = sum(storage.values())
    own = median(wave.cpu[OWN] for wave in waves) / asked.sets / asked.instances * 1000
    print(f"  Breakwater's own CPU is {own:.3f} ms an instance; {waves[-1].arm} ARM calls")
    print(f"  {calls} storage calls, {calls / asked.sets:.2f} a scale set: {_named(storage)}\n")
    _line("SDK script, sixteen calls at a time", [script.wall for script in scripts])
    _line("  CPU of the script", [script.cpu for script in scripts])
    _line("  ready, and no processor free", [script.starved for script in scripts])
    _line(f"  beside it, CPU of {SIMULATED}", [script.azure for script in scripts])
    _line("SDK script, one call at a time", [sequential.wall])
    print(
        f"\nBreakwater takes {median(ratios):.2f} of the time of sixteen calls at a time "
        f"(rounds: {', '.join(f'{ratio:.2f}' for ratio in sorted(ratios))}), "
        f"{median(wave.wall for wave in waves) / sequential.wall:.2f} of one call at a time."
    )
    failures = missed(ratios, calls / asked.sets)
    kept = f"Kept: {TARGET:g} of the script's time at most, {CALLS} storage calls a scale set at most."
    print("\n".join(failures or [kept]))
    return 1 if failures else 0


def _line(what: str, values: Sequence[float]) -> None:
    span = f"   {min(values):.2f} to {max(values):.2f}" if len(values) > 1 else ""
    print(f"{what:50}{median(values):6.2f}{span}")


def _named(calls: dict[str, int]) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(calls.items(), key=lambda one: -one[1]))


if __name__ == "__main__":
    sys.exit(main())
