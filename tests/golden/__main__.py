"""`python -m tests.golden` writes the golden files anew: look at what has changed before you keep it.

`python -m tests.golden record [WAVE ...]` plays the waves anew first, or these; `python -m tests.golden.pictures
FOLDER` takes a picture of everything.
"""

import logging
import sys

from tests.golden.files import (
    CALENDARS_FOLDER,
    COMMANDS_FOLDER,
    FOLDER,
    PAGES_FOLDER,
    forms,
    keep,
)
from tests.golden.pages import CALENDARS, PAGES
from tests.golden.record import record
from tests.golden.scenes import SCENES
from tests.golden.typed import NAMES, output

if __name__ == "__main__":
    logging.disable()
    if sys.argv[1:2] == ["record"]:
        record(*sys.argv[2:])
    messages = {
        f"{name}.{suffix}": text for name, made in SCENES.items() for suffix, text in forms(made()).items()
    }
    keep(FOLDER, messages)
    keep(PAGES_FOLDER, {f"{name}.html": made() for name, made in PAGES.items()})
    keep(CALENDARS_FOLDER, {f"{name}.ics": made() for name, made in CALENDARS.items()})
    keep(COMMANDS_FOLDER, {name: output(name) for name in NAMES})
    made = f"{len(SCENES)} messages, {len(PAGES)} pages, {len(CALENDARS)} calendars, {len(NAMES)} outputs"
    print(made)  # noqa: T201
