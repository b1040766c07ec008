"""`python -m tests.golden` writes the golden files anew: look at what has changed before you keep it."""

from pathlib import Path

from tests.golden import cli_doctor, cli_waves
from tests.golden.files import CALENDARS_FOLDER, CLI_FOLDER, FOLDER, PAGES_FOLDER, forms
from tests.golden.pages import CALENDARS, PAGES
from tests.golden.scenes import SCENES


def keep(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    for name, scene in SCENES.items():
        for suffix, text in forms(scene()).items():
            keep(FOLDER / f"{name}.{suffix}", text)
    for name, made in PAGES.items():
        keep(PAGES_FOLDER / f"{name}.html", made())
    for name, made in CALENDARS.items():
        keep(CALENDARS_FOLDER / f"{name}.ics", made())
    for name in cli_waves.COMMANDS:
        keep(CLI_FOLDER / f"app-{name}", cli_waves.printed(name))
    with cli_doctor.azure_beside() as azure:
        for name in cli_doctor.DOCTOR:
            keep(CLI_FOLDER / f"app-{name}", cli_doctor.printed(name, azure))
    print(f"{len(SCENES)} messages, {len(PAGES)} pages, {len(CALENDARS)} calendars")  # noqa: T201
