"""How a command ends: the exit codes, the same for every command."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What a script may rely on."""

    DONE = 0
    """Done, and nothing in the answer asks for anything."""

    FAILED = 1
    """Not done; standard error says what happened and what to do next."""

    LOOK = 2
    """Done, and something in the answer asks for a look: a change, a finding, a scale set that needs you."""

    PARTLY = 3
    """Done as far as it could be read; what is missing is named."""

    USAGE = 64
    """The command was typed wrong (EX_USAGE of sysexits.h)."""

    INTERRUPTED = 130
    """Ctrl-C."""


class Failed(Exception):
    """The command cannot go on. The text is one or more sentences: what happened, why, what to do next."""

    def __init__(self, sentence: str, code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code
