"""What both command lines have in common: one line for every mistake, and text of others made harmless."""

import difflib
import sys
from typing import Any, NoReturn

import click
from rich.markup import escape

from astrai_sim import __version__


def printable(text: object, keep: str = "") -> str:
    """`text` without what a terminal would obey: everything unprintable but `keep` as its escape."""
    return "".join(
        one if one.isprintable() or one in keep else one.encode("unicode_escape").decode() for one in str(text)
    )


def clear(text: object, most: int = 500) -> str:
    """`text` as one line that a terminal shows as it is, the middle of it left out beyond `most` characters."""
    line = printable(text)
    return line if len(line) <= most else f"{line[: most // 2]} … {line[3 - most // 2 :]}"


def plain_cell(text: object) -> str:
    """`text` for Rich, which reads square brackets as markup."""
    return escape(printable(text))


def did_you_mean(name: str, known: list[str]) -> str:
    """ ", did you mean …?", or nothing where no known name is near."""
    near = difflib.get_close_matches(name.lower(), [one.lower() for one in known], 1)
    return next((f", did you mean {one}?" for one in known if near and one.lower() == near[0]), "")


class Commands(click.Group):
    """A group of commands that says what is wrong in one line: exit code 2 for usage, 1 for data, 130 for Ctrl-C.

    It and its commands have -h; it has --version.
    """

    def __init__(self, program: str, commands: list[click.Command], help: str) -> None:
        super().__init__(program, commands, help=help, context_settings={"help_option_names": ["-h", "--help"]})
        click.version_option(__version__, prog_name=program)(self)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            ctx.fail(f"no command {args[0]!r}{did_you_mean(args[0], list(self.commands))}")
        return super().resolve_command(ctx, args)

    def main(self, *args: Any, **extra: Any) -> NoReturn:
        """As Click's, whose message for wrong usage takes four lines. Always raises SystemExit."""
        code = 1
        try:
            found = super().main(*args, **{**extra, "standalone_mode": False})
            code = found if isinstance(found, int) else 0
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            code = error.exit_code
        except click.ClickException as error:
            path = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else ""
            hint = f" ({path} -h says what it takes)" if path else ""
            message = " ".join(error.format_message().split()) if path else error.format_message()
            click.echo(f"Error: {printable(message, keep=chr(10))}{hint}", err=True)
            code = error.exit_code
        except click.Abort:
            click.echo("interrupted", err=True)
            code = 130
        sys.exit(code)
