"""The command `breakwater`: what it offers, and how whatever goes wrong is told.

Every command ends with one of `handlers.cli.exits`. What a command needs is imported when it runs, so that
`breakwater --help` answers at once.
"""

import logging
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any

import typer

from handlers.cli import (
    acting,
    diffing,
    doctor,
    drilling,
    exporting,
    planning,
    policy,
    rehearsing,
    rendering,
    replaying,
    snapshotting,
    watching,
    waves,
)
from handlers.cli.exits import ExitCode, Failed
from handlers.cli.output import Out

app = typer.Typer(
    name="breakwater",
    help="Carries Virtual Machine Scale Sets through Azure's planned maintenance.",
    epilog="Example: breakwater plan --policy policy.yaml\n\n"
    "Exit codes: 0 done, 1 failed, 2 done and something asks for a look, 3 done in part, 64 usage.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
READING = "Your fleet, read only, with your own sign-in"
APP = "The deployed app, and what it needs"

app.command("plan", epilog=planning.EXAMPLE, rich_help_panel=READING)(planning.plan)
app.command("snapshot", epilog=snapshotting.EXAMPLE, rich_help_panel=READING)(snapshotting.snapshot)
app.command("diff", epilog=diffing.EXAMPLE, rich_help_panel=READING)(diffing.diff)
app.command("rehearse", epilog=rehearsing.EXAMPLE, rich_help_panel=READING)(rehearsing.rehearse)
app.add_typer(policy.app, name="policy", rich_help_panel=READING)
waves.register(app)
watching.register(app)
acting.register(app)
app.command("doctor", epilog=doctor.EXAMPLE, rich_help_panel=APP)(doctor.doctor)
app.command("drill", epilog=drilling.EXAMPLE, rich_help_panel=APP)(drilling.drill)
app.command("export", epilog=exporting.EXAMPLE, rich_help_panel=APP)(exporting.export)
app.command("render", epilog=rendering.EXAMPLE, rich_help_panel=APP)(rendering.render)
app.command("replay", epilog=replaying.EXAMPLE, rich_help_panel=APP)(replaying.replay)


def _version(asked: bool) -> None:
    if asked:
        try:
            installed = version("breakwater")
        except PackageNotFoundError:
            installed = "from a source folder, not installed"
        sys.stdout.write(f"breakwater {installed}\n")
        raise typer.Exit


@app.callback()
def _options(
    shown: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    del shown


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code. Raises nothing that a person would have to read as a traceback."""
    out = Out()
    # What the app logs for its operators is no part of an answer; without a handler Python prints warnings.
    logging.getLogger().addHandler(logging.NullHandler())
    typed = list(arguments) if arguments is not None else None
    try:
        code: Any = app(typed, prog_name="breakwater", standalone_mode=False)
    except Failed as failed:
        out.error(failed.sentence)
        return failed.code
    except typer.TyperException as wrong:
        if said := wrong.format_message():
            out.error(said)
            out.errors.print(f"See {_typed(wrong)} --help.")
        return ExitCode.USAGE
    except (typer.Abort, KeyboardInterrupt):
        out.errors.print("Stopped.")
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # The reader (head, less) has seen enough; closing now keeps Python from complaining at exit.
        sys.stderr.close()
        return ExitCode.DONE
    return int(code or ExitCode.DONE)


def _typed(wrong: typer.TyperException) -> str:
    """The command that was typed wrong, as far as it was understood."""
    context = getattr(wrong, "ctx", None)
    return context.command_path if context is not None else "breakwater"


def run() -> None:
    """The entry point of the installed command."""
    sys.exit(main())


if __name__ == "__main__":
    run()
