"""What a cold start imports: `python -m benchmarks.importing [--rounds 9]`.

In fresh processes, in turn, the CPU and the wall time of three things: importing `function_app`, which is what
the worker's indexer does; importing all that stands between a fresh process and the answer to its first alert
(`function_app`, the stage behind the webhook, the clients of storage); and importing what no webhook that
stores an alert in a blob and sends a message can do without (`UNAVOIDABLE`), and nothing else.

Ends with 1 when the middle of either is more than 1.15 times the unavoidable one's by more than the noise, half of
what lies between the quartiles of the rounds' ratios. The CPU is judged: on a busy machine the wall time says
more about the others. Modules are compiled beforehand, as in a deployment.
"""

import argparse
import compileall
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.growth import noise_of, table

ROOT = Path(__file__).resolve().parent.parent
TIMES = 1.15

UNAVOIDABLE = (
    ("azure.functions", "the worker reads functions and their triggers from its decorators"),
    ("azure.storage.blob.aio", "an alert is stored before it is answered; brings azure.core and aiohttp"),
    ("azure.storage.queue.aio", "its name is queued, with a delay the output binding cannot send"),
    ("pydantic.main", "settings and messages are models: `BaseModel`"),
    ("pydantic.fields", "their fields: `Field`"),
    ("pydantic.functional_validators", "and what is checked of them: `field_validator`, `AfterValidator`"),
    ("pydantic.types", "secrets that are not logged, times with a zone: `SecretStr`, `AwareDatetime`"),
)
"""Every module that counts as unavoidable, and why; what they import themselves comes with them."""

NEEDED = (*(name for name, _ in UNAVOIDABLE),)
INDEXED = ("function_app",)
ANSWERED = ("function_app", "handlers.stages.receive", "azure.storage.blob.aio", "azure.storage.queue.aio")

TIMED = """
import time
wall, cpu = time.perf_counter(), time.process_time()
{imports}
print(time.process_time() - cpu, time.perf_counter() - wall)
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Import, measure, print, judge."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.importing", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--times", type=float, default=TIMES, help="allowed, in unavoidable ones")
    asked = parser.parse_args(arguments)
    for package in ("planner", "handlers"):
        compileall.compile_dir(ROOT / package, quiet=1)
    compileall.compile_file(ROOT / "function_app.py", quiet=1)
    sides = {"unavoidable": NEEDED, "function_app": INDEXED, "until an alert is answered": ANSWERED}
    rounds = [{name: _timed(modules) for name, modules in sides.items()} for _ in range(asked.rounds)]
    print(f"Importing in a fresh process, the middle of {asked.rounds} rounds\n")
    rows, missed = [], []
    for name in sides:
        ratios = [each[name][0] / each["unavoidable"][0] for each in rounds]
        middle, noise = median(ratios), noise_of(ratios)
        cpu, wall = (median(each[name][what] for each in rounds) * 1000 for what in (0, 1))
        rows.append((name, f"{cpu:.0f}", f"{wall:.0f}", f"{middle:.2f}", f"{noise:.2f}"))
        if middle - noise > asked.times:
            missed.append(name)
    print(table(("", "CPU ms", "wall ms", "of unavoidable", "noise"), rows))
    print("\nUnavoidable:")
    for module, why in UNAVOIDABLE:
        print(f"  {module:32} {why}")
    print(f"\nTarget: at most {asked.times:g} times the unavoidable; {'MISSED' if missed else 'kept'}.")
    return 1 if missed else 0


def _timed(modules: Sequence[str]) -> tuple[float, float]:
    """Seconds of CPU and of wall time that a fresh process takes to import these."""
    source = TIMED.format(imports="\n".join(f"import {name}" for name in modules))
    done = subprocess.run(
        [sys.executable, "-c", source], cwd=ROOT, capture_output=True, text=True, check=True
    )
    cpu, wall = map(float, done.stdout.split())
    return cpu, wall


if __name__ == "__main__":
    raise SystemExit(main())
