"""Files that a command writes: whole or not at all."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from handlers.cli.exits import Failed


@contextmanager
def written(path: Path | None, *, private: bool = False) -> Iterator[IO[str]]:
    """A text file that appears when it is complete; standard output without a path. Raises Failed.

    A `private` one only its owner may read.
    """
    if path is None:
        yield sys.stdout
        return
    part = path.with_name(f"{path.name}.part")
    try:
        part.touch(mode=0o600 if private else 0o666)
        with part.open("w", encoding="utf-8", newline="") as file:
            yield file
        part.replace(path)
    except OSError as error:
        raise Failed(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        part.unlink(missing_ok=True)
