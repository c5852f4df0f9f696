"""The command line: a command is a module of this folder with a function `command`; its name is the module's."""

from __future__ import annotations

import os
import pkgutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import version
from io import TextIOWrapper
from typing import Annotated, Any

import typer
from typer.core import TyperArgument, TyperCommand

from flywheel_log.wording import plain

from ._file_errors import explained
from ._screen import many_lines

EPILOG = "Exit codes: 0 done, 1 nothing found or a problem, 2 wrong usage."


class Problem(Exception):
    """What a command cannot do, in words for the user; ends the program with exit code *code*."""

    def __init__(self, why: object, code: int = 1) -> None:
        super().__init__(why)
        self.code = code


@contextmanager
def wrong(what: str | None = None) -> Iterator[None]:
    """Make of the block's ValueError a mistake in *what* was given, an option or an argument.

    Raises:
        typer.BadParameter: there was one.
    """
    try:
        yield
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=what) from None


@contextmanager
def failing(*errors: type[Exception], code: int = 1) -> Iterator[None]:
    """Make of the block's *errors* a problem that says the same.

    Raises:
        Problem: there was one.
    """
    try:
        yield
    except errors as error:
        raise Problem(error, code) from None


def run(arguments: Sequence[str]) -> int:
    """Run the command line with *arguments* and return its exit code.

    A problem is one line on standard error; a reader that has gone away (`| head`) ends the command in silence.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # whatever a prompt holds, and whatever the terminal can show
            stream.reconfigure(errors="backslashreplace")
    try:
        code = app(wanted(arguments))(args=list(arguments), prog_name="flywheel-log", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        # The interpreter would flush, and complain, once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Problem as problem:
        _complain(str(problem))
        return problem.code
    except OSError as error:
        _complain(explained(error))
        return 1
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except Exception as error:
        if not hasattr(error, "show"):  # wrong usage: click's exceptions, which some releases of typer carry themselves
            raise
        if hasattr(error, "message"):
            error.message = plain(error.message)
        error.show()
        return int(getattr(error, "exit_code", 2))
    return code if isinstance(code, int) else 0


def _complain(why: str) -> None:
    """Say on standard error what went wrong; ids and names in it are those of the log."""
    typer.echo(many_lines(f"flywheel-log: {why}"), err=True)


def wanted(arguments: Sequence[str]) -> list[str]:
    """Return the command that *arguments* name, if they do; else all, for the help, or for what is misspelt."""
    return [arguments[0]] if arguments and arguments[0] in commands() else commands()


def app(names: Sequence[str] | None = None) -> typer.Typer:
    """Build the command line from the modules of this folder, or only from those of *names*, which takes less time."""
    made = typer.Typer(
        help="Read what flywheel_log has recorded, analyse it, and turn it into datasets.",
        epilog=EPILOG,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    made.callback()(_options)
    for name in commands() if names is None else names:
        made.command(name, cls=_Command)(import_module(f"{__name__}.{name.replace('-', '_')}").command)
    return made


class _Command(TyperCommand):
    """A command whose help names an argument as the usage does, and not also its type of Python's."""

    def get_params(self, ctx: Any) -> list[Any]:
        found = super().get_params(ctx)
        for one in found:
            if isinstance(one, TyperArgument):
                vars(one)["display_type_rich"] = lambda **_: ""  # releases of typer before 0.29 do not ask
        return found


def commands() -> list[str]:
    """Return the names of all commands; a module with a leading underscore is none."""
    modules = (module.name for module in pkgutil.iter_modules(__path__))
    return sorted(name.replace("_", "-") for name in modules if not name.startswith("_"))


def _options(
    *,
    show_version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Show the version and exit.",
            is_eager=True,
            callback=lambda value: _version() if value else None,
        ),
    ] = False,
) -> None:
    del show_version


def _version() -> None:
    typer.echo(f"flywheel-log {version('flywheel-log')}")
    raise typer.Exit
