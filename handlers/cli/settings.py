"""The settings of a command: those of the app, from the environment."""

from handlers.cli.exits import Failed
from handlers.wire.clouds import Cloud
from handlers.wire.settings import BadSettings, Settings


def settings_of(cloud: Cloud | None = None) -> Settings:
    """The settings of this process, for this cloud where one is named.

    Raises Failed with one sentence for each that is wrong.
    """
    try:
        settings = Settings.from_environment()
    except BadSettings as error:
        raise Failed(str(error)) from error
    return settings if cloud is None else settings.model_copy(update={"cloud": cloud})
