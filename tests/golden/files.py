"""Where the golden files are, and what is in them."""

import gzip
import json
from collections.abc import Mapping
from pathlib import Path

from handlers.render.forms import Rendered

HERE = Path(__file__).parent
FOLDER, PAGES_FOLDER, CALENDARS_FOLDER = HERE / "notices", HERE / "pages", HERE / "calendars"
COMMANDS_FOLDER = HERE / "cli"
LARGE = 300_000
"""Bytes above which a file is packed: nobody reads so many."""


def forms(made: Rendered) -> dict[str, str]:
    """A message as card, as mail and as the mail's text, by suffix; the subject stands above the text, as a mail program shows it."""
    return {
        "card.json": json.dumps(made.card, indent=1, ensure_ascii=False) + "\n",
        "html": made.html,
        "txt": f"Subject: {made.subject}\n\n{made.text}\n",
    }


def keep(folder: Path, files: Mapping[str, str]) -> None:
    """These files by name, and no others."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    for name, text in files.items():
        data = text.encode()
        if len(data) > LARGE:
            (folder / f"{name}.gz").write_bytes(gzip.compress(data, mtime=0))
        else:
            (folder / name).write_bytes(data)


def kept(folder: Path, name: str) -> str:
    """The text of a file, packed or not."""
    packed = folder / f"{name}.gz"
    data = gzip.decompress(packed.read_bytes()) if packed.exists() else (folder / name).read_bytes()
    return data.decode()


def names(folder: Path) -> set[str]:
    """The files that there are."""
    return {path.name.removesuffix(".gz") for path in folder.iterdir()}
