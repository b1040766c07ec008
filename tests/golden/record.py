"""`python -m tests.golden record [WAVE ...]`: play the waves anew and keep the moments that they are recorded for."""

import asyncio
from collections.abc import Iterator

from tests.golden.recorded import save
from tests.golden.recorder import Recorder, Telling
from tests.golden.waves import WAVES, Recording


async def played(recording: Recording) -> tuple[Recorder, str]:
    """The wave as it went, and the address that its Azure had."""
    world = Recorder(recording.policy)
    async with world.open() as azure:
        await recording.play(world)
    assert world.errors == [], world.errors
    return world, azure


def kept_of(recording: Recording, world: Recorder) -> dict[str, Telling]:
    """The messages that it is recorded for. Raises AssertionError where the wave went another way."""
    return dict(_kept(recording, world))


def _kept(recording: Recording, world: Recorder) -> Iterator[tuple[str, Telling]]:
    for name, (receiver, kind, nth) in recording.moments.items():
        found = [each for each in world.tellings if (each.receiver, each.message.kind) == (receiver, kind)]
        assert -len(found) <= nth < len(found), (name, [each.message.subject for each in world.tellings])
        yield name, found[nth]


def record(*names: str) -> None:
    """These waves, or all of them."""
    for name in names or WAVES:
        recording = WAVES[name]
        world, azure = asyncio.run(played(recording))
        save(name, recording.policy, kept_of(recording, world), azure)
