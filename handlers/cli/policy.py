"""`breakwater policy`: what a policy file says, before anything is deployed."""

from pathlib import Path
from typing import Annotated

import typer

from handlers.cli import policy_explaining as explaining
from handlers.cli.exits import Failed
from handlers.cli.output import Format, Out, OutputOption

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Check a policy file, and explain what it means for a scale set. Reads only.",
    epilog="Example: breakwater policy check policy.yaml",
)

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The policy file (YAML).")]


@app.command(epilog="Example: breakwater policy check policy.yaml")
def check(file: FileArgument, output: OutputOption = Format.TABLE) -> None:
    """Say whether the file is valid, and each fault with its line."""
    from handlers.cli.policy_source import AnySetting, text_of  # noqa: PLC0415
    from handlers.wire.policy_file import PolicyError, load  # noqa: PLC0415
    from planner.text.phrases import many  # noqa: PLC0415

    out = Out(output)
    try:
        policy = load(text_of(file), environment=AnySetting())
    except PolicyError as error:
        out.json({"valid": False, "problems": list(error.problems)})
        raise Failed(f"{file} is not valid. {error}") from error
    out.json({"valid": True, "rules": len(policy.rules), "receivers": len(policy.receivers)})
    out.say(
        f"{file} is valid: {many(len(policy.rules), 'rule')}, {many(len(policy.receivers), 'receiver')}.",
        "green",
    )


app.command(epilog="Example: breakwater policy explain web-prod --policy policy.yaml")(explaining.explain)
app.command(epilog="Example: breakwater policy windows web-prod --policy policy.yaml --next 5")(
    explaining.windows
)
app.command(
    epilog="Example: breakwater policy routes web-prod --policy policy.yaml --tag breakwater-owner=dba"
)(explaining.routes)


@app.command(epilog="Example: breakwater policy schema > policy.schema.json")
def schema() -> None:
    """Print the JSON Schema of the policy file, for editors."""
    import json  # noqa: PLC0415

    from handlers.wire.policy_file import schema as of_policy  # noqa: PLC0415

    Out().raw(json.dumps(of_policy(), indent=2))
