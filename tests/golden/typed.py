"""Every command that a golden file shows, by the file's name: what is typed, and in which world."""

from collections.abc import Mapping
from functools import cache

from tests.golden import cli_doctor, cli_files, cli_help, cli_records, cli_waves
from tests.golden.shell import Typed, in_a_terminal, kept_as, piped

TYPED: Mapping[str, Typed] = {
    **cli_files.TYPED,
    **cli_waves.TYPED,
    **cli_records.TYPED,
    **cli_doctor.TYPED,
    **cli_help.TYPED,
}

IN_A_TERMINAL = (
    *("plan", "plan-that-does-not-fit", "diff", "policy-explain", "rehearse"),
    *("show-everything-went-wrong", "doctor-much-to-mend"),
)
"""What people read most is kept as a terminal gets it, too."""

NAMES = (*(f"{name}.txt" for name in TYPED), *(f"{name}.ansi" for name in IN_A_TERMINAL))


@cache
def output(name: str) -> str:
    """The text that the golden file of this name has to have."""
    stem, _, kind = name.rpartition(".")
    typed = TYPED[stem]
    with typed.world():
        words = typed.words()
        return kept_as(words, in_a_terminal(words) if kind == "ansi" else piped(words))
