"""Where the golden files are, and what is in them."""

import json
from pathlib import Path

from handlers.render.forms import render
from handlers.render.letter import Letter

HERE = Path(__file__).parent
FOLDER, PAGES_FOLDER, CALENDARS_FOLDER = HERE / "notices", HERE / "pages", HERE / "calendars"
CLI_FOLDER = HERE / "cli"


def forms(letter: Letter) -> dict[str, str]:
    """A message as card, as mail and as the mail's text, by suffix; the subject stands above the text, as a mail program shows it."""
    made = render(letter, "0" * 32, "wave")
    return {
        "card.json": json.dumps(made.card, indent=1, ensure_ascii=False) + "\n",
        "html": made.html,
        "txt": f"Subject: {made.subject}\n\n{made.text}\n",
    }
