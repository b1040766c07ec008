"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from handlers.wire.clouds import Cloud

SubscriptionOption = Annotated[
    list[str] | None,
    typer.Option(
        "--subscription",
        metavar="ID",
        help="A subscription to read; may be repeated. Without it, every subscription your sign-in sees.",
    ),
]

ScaleSetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--scale-set",
        metavar="NAME",
        help="Show only this scale set: name, group/name or ARM id, with `*` for anything; may be repeated.",
    ),
]

PolicyOption = Annotated[
    Path | None,
    typer.Option(
        "--policy",
        metavar="FILE",
        help="The policy file. Without it the one that BREAKWATER_POLICY names, else the built-in policy.",
    ),
]

FromOption = Annotated[
    Path | None,
    typer.Option(
        "--from", metavar="FILE", help="Read a snapshot instead of Azure (see breakwater snapshot)."
    ),
]

CloudOption = Annotated[
    Cloud | None,
    typer.Option(
        "--cloud", help="Azure's cloud. Without it the one that BREAKWATER_CLOUD names, else public."
    ),
]
