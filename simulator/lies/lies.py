"""Which lies are told in a world, how often, and by which dice."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Self

from simulator.lies.catalogue import BY_NAME, CATALOGUE

STRENGTHS = (0.3, 1.0, 3.0)
FEWEST, MOST = 1, 7


@dataclass(frozen=True, slots=True)
class Lies:
    """`shares` are chances from 0 to 1 by the name of the lie; what is not named is never told."""

    shares: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0

    @classmethod
    def parse(cls, text: str, seed: int = 0) -> Self:
        """`missing-view=0.1,stale`: a lie without a number has its usual strength.

        Raises ValueError with a sentence for a name nobody knows and a number that is no chance.
        """
        shares: dict[str, float] = {}
        for part in filter(None, (one.strip() for one in text.split(","))):
            name, _, number = (piece.strip() for piece in part.partition("="))
            if name not in BY_NAME:
                raise ValueError(f"{name!r} is no lie; known are {', '.join(BY_NAME)}.")
            try:
                share = float(number) if number else BY_NAME[name].usual
            except ValueError:
                raise ValueError(f"{name} needs a chance between 0 and 1, not {number!r}.") from None
            if not 0 <= share <= 1:
                raise ValueError(f"{name} needs a chance between 0 and 1, not {number!r}.")
            shares[name] = share
        return cls(shares, seed)

    @classmethod
    def drawn(cls, seed: int) -> Self:
        """A random handful of lies, each weaker or stronger than usual."""
        random = Random(f"lies of {seed}")
        chosen = random.sample(CATALOGUE, random.randint(FEWEST, MOST))
        shares = {one.name: round(min(0.9, one.usual * random.choice(STRENGTHS)), 4) for one in chosen}
        return cls(shares, seed)

    def __str__(self) -> str:
        """As `parse` reads it."""
        return ",".join(f"{name}={share:g}" for name, share in sorted(self.shares.items()))

    def __contains__(self, name: str) -> bool:
        return self.share(name) > 0

    def share(self, name: str) -> float:
        return self.shares.get(name, 0.0)

    def without(self, name: str) -> "Lies":
        return replace(self, shares={key: one for key, one in self.shares.items() if key != name})

    def dice(self, name: str) -> Random:
        """Dice of its own for each lie, so that one lie less leaves the others as they were."""
        return Random(f"{self.seed}/{name}")

    def marked(self, name: str, thing: str) -> bool:
        """Whether a lie is told of this thing, always or never."""
        share = self.share(name)
        return share > 0 and Random(f"{self.seed}/{name}/{thing}").random() < share


def listed() -> str:
    """The catalogue for a command line."""
    wide = max(len(one.name) for one in CATALOGUE)
    only = " (test world only)"
    lines = [
        f"  {one.name:{wide}}  {one.usual:<6g} {one.about}{only if one.where == 'storage' else ''}"
        for one in CATALOGUE
    ]
    return "\n".join(["name, usual chance, what happens:", *lines])
