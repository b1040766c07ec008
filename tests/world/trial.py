"""A world of random lies by its seed, played to its end, and made smaller while a finding stays."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

from simulator.lies import Lies
from tests.world.chaos import Chaos
from tests.world.events import KINDS
from tests.world.limit import TookTooLong, limited
from tests.world.scenarios import Drawn, drawn

QUIET = "nothing fails"
REGIMES = {
    QUIET: Chaos,
    "the process dies at any step": lambda seed: Chaos(seed, kill=0.02),
    "storage and Azure fail": lambda seed: Chaos(seed, storage=0.01, azure=0.03, throttle=0.02, twice=0.03),
    "two processes on one storage": lambda seed: Chaos(seed, kill=0.01, twice=0.1, hosts=4, processes=2),
}
MOST_TRIES = 80
"""How many smaller worlds are tried for one finding."""

LONGEST = 120.0
"""Seconds after which no smaller one is tried."""


@dataclass(frozen=True, slots=True)
class Trial:
    """`leave_out` names scale sets and kinds of events; `regime` what fails beside the lies."""

    seed: int
    lies: Lies
    regime: str = QUIET
    eventful: bool = True
    people: bool = True
    leave_out: frozenset[str] = frozenset()

    @classmethod
    def of(cls, seed: int) -> "Trial":
        random = Random(f"trial {seed}")
        regime = random.choice((QUIET, QUIET, *REGIMES))
        return cls(seed, Lies.drawn(seed), regime, eventful=random.random() < 0.6)

    def world(self) -> Drawn:
        return drawn(
            self.seed,
            chaos=REGIMES[self.regime](self.seed),
            eventful=self.eventful,
            people=self.people,
            lies=self.lies,
            leave_out=self.leave_out,
        )

    def play(self, seconds: float | None = None) -> tuple[list[str], Drawn]:
        """The broken promises of this world, and the world as it is then.

        That it cannot be played, or takes longer than `seconds` (main thread only), is a finding, too.
        """
        found = self.world()
        try:
            with limited(seconds):
                asyncio.run(found.play())
                return found.broken(), found
        except TookTooLong:
            return [f"the world took longer than {seconds:g} s"], found
        except AssertionError as error:
            return [f"the wave came to no end: {str(error)[:300]}"], found
        except Exception as error:  # noqa: BLE001 - a world that cannot be played is a finding
            return [f"the world could not be played: {error!r}"], found

    def smaller(self) -> Iterator["Trial"]:
        """The same with one thing less, the largest things first."""
        if self.regime != QUIET:
            yield replace(self, regime=QUIET)
        if self.eventful:
            yield replace(self, eventful=False)
        if self.people:
            yield replace(self, people=False)
        for name in self.lies.shares:
            yield replace(self, lies=self.lies.without(name))
        names = [f"set{number}" for number in range(5)] + [*(KINDS if self.eventful else ())]
        for name in names:
            if name not in self.leave_out and not {f"set{n}" for n in range(5)} <= {*self.leave_out, name}:
                yield replace(self, leave_out=self.leave_out | {name})

    def __str__(self) -> str:
        parts = [f"seed {self.seed}", f'lies "{self.lies}"', self.regime]
        parts.append("with events" if self.eventful else "without events")
        parts.append("with people" if self.people else "without people")
        if self.leave_out:
            parts.append(f"without {', '.join(sorted(self.leave_out))}")
        return "; ".join(parts)


def kind_of(finding: str) -> str:
    """A finding without its names, times and numbers: what has to stay while a world is made smaller."""
    words = [one for one in finding.replace(",", " ").split() if not any(c.isdigit() for c in one)]
    return " ".join(words)[:60]


def shrunk(
    trial: Trial, finding: str, *, most: int = MOST_TRIES, seconds: float | None = None
) -> tuple[Trial, list[str], Drawn]:
    """The smallest world found that still has a finding of this kind, its findings, and the world.

    `seconds` is how long each world may take; no more are tried once all together have taken `LONGEST`.
    """
    wanted, left, until = kind_of(finding), most, time.monotonic() + LONGEST
    findings, world = trial.play(seconds)
    going = True
    while going:
        going = False
        for smaller in trial.smaller():
            if left <= 0 or time.monotonic() > until:
                break
            left -= 1
            found, played = smaller.play(seconds)
            if any(kind_of(one) == wanted for one in found):
                trial, findings, world, going = smaller, found, played, True
                break
    return trial, findings, world


def story(world: Drawn, names: set[str], *, most: int = 120) -> list[str]:
    """What happened to these scale sets, from the ledger and the runs' histories, in order of time."""
    lines: list[tuple[object, str]] = []
    for fact in world.world.fleet.ledger:
        owner = getattr(fact, "scale_set", "").rsplit("/", 1)[-1]
        if owner and owner not in names:
            continue
        instance = getattr(fact, "instance", "").rsplit("/", 1)[-1]
        more = [str(getattr(fact, key)) for key in ("who", "cause", "health", "what", "status", "code", "state")
                if getattr(fact, key, "")]  # fmt: skip
        said = "" if getattr(fact, "accepted", True) else " refused"
        lines.append((fact.at, f"   Azure  {owner} {instance} {type(fact).__name__}{said} {' '.join(more)}"))
    for run in world.world.runs().values():
        if run.target.name not in names:
            continue
        for each in (*world.world.archived(run), run):
            lines += [
                (entry.at, f"   run    {run.target.name} [{entry.actor}] {entry.event}: {entry.reason[:200]}")
                for entry in each.story.history
            ]
            lines += [
                (one.at, f"   told   {run.target.name} {one.urgency} {one.kind}: {one.sentence[:160]}")
                for one in each.story.notices
            ]
    lines.sort(key=lambda one: str(one[0]))
    told = [f"{at:%m-%d %H:%M:%S}{text}" for at, text in lines]
    if len(told) > most:
        told = [*told[: most // 2], f"   ... {len(told) - most} lines left out ...", *told[-most // 2 :]]
    return told


def spoken_of(finding: str, world: Drawn) -> set[str]:
    """The scale sets a finding is about; all of them when it names none."""
    names = {f"set{number}" for number in range(5)}
    found = {name for name in names if name in finding}
    return found or set(world.world.runs())
