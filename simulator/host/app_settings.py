"""App settings, which locally are the environment."""

import os
import re


class MissingSettingError(Exception):
    """A binding names an app setting that the environment lacks; the message says which."""


def resolve(text: str) -> str:
    """Replace every %NAME% by the app setting of that name.

    Raises:
        MissingSettingError: there is no such setting.
    """

    def value(found: re.Match[str]) -> str:
        if found[1] not in os.environ:
            raise MissingSettingError(f"'%{found[1]}%' does not resolve to a value: set {found[1]}.")
        return os.environ[found[1]]

    return re.sub(r"%([^%]+)%", value, text)


def connection(name: str) -> str:
    """The storage connection string a binding's `connection` names.

    Raises:
        MissingSettingError: it is missing, or says an identity, which an emulator has no use for.
    """
    if value := os.environ.get(name):
        return value
    if any(key.startswith(f"{name}__") for key in os.environ):
        raise MissingSettingError(
            f"{name} is an identity-based connection; the local host wants a connection string in {name}."
        )
    raise MissingSettingError(f"The setting {name} is missing: put a storage connection string there.")
