"""The settings of a command: those of the app, from the environment."""

from handlers.cli.exits import Failed
from handlers.wire.settings import BadSettings, Settings


def settings_of() -> Settings:
    """The settings of this process. Raises Failed with one sentence for each that is wrong."""
    try:
        return Settings.from_environment()
    except BadSettings as error:
        raise Failed(str(error)) from error
