"""`python -m tests.golden` writes the golden files anew: look at what has changed before you keep it."""

from tests.golden.files import FOLDER, forms
from tests.golden.scenes import SCENES

if __name__ == "__main__":
    for name, scene in SCENES.items():
        for suffix, text in forms(scene()).items():
            path = FOLDER / f"{name}.{suffix}"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    print(f"{len(SCENES)} messages in {FOLDER}")  # noqa: T201
