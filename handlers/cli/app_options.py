"""The options of every command that speaks with a deployed app."""

import os
from typing import Annotated

import typer

from handlers.cli.app_client import Where, app_at

WAVES = "The deployed app's waves"
"""Under which heading the help lists commands about them."""

AppOption = Annotated[
    str, typer.Option("--app", metavar="URL", help="Where the app is; BREAKWATER_PUBLIC_URL without it.")
]
KeyFileOption = Annotated[
    str,
    typer.Option("--key-file", metavar="FILE", help="Holds the app's key; BREAKWATER_KEY without it."),
]
AudienceOption = Annotated[
    str,
    typer.Option(
        "--audience",
        metavar="URI",
        help="Sign in (az login) for this application, where App Service authentication guards the app; "
        "BREAKWATER_AUDIENCE without it.",
    ),
]
WaveArgument = Annotated[str, typer.Argument(metavar="WAVE", help="The tracking id, as in VM8T-1Q8.")]
SetArgument = Annotated[
    str, typer.Argument(metavar="SET", help="A scale set: its name, group/name or ARM id.")
]


def where_is(app: str, key_file: str, audience: str) -> Where:
    """The app that options and environment name. Raises Failed."""
    return app_at(app, key_file, audience, os.environ)
