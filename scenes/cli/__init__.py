"""The command line of the films: list, render, lint, check, stills, sheet, gif, gallery, new-film."""

from __future__ import annotations

from astrai_sim.command_line import Commands
from scenes.cli.check import check_command
from scenes.cli.gallery import gallery_command
from scenes.cli.gif import gif_command
from scenes.cli.lint import lint_command
from scenes.cli.list import list_command
from scenes.cli.new_film import new_film_command
from scenes.cli.render import render_command
from scenes.cli.sheet import sheet_command
from scenes.cli.stills import stills_command

main = Commands(
    "astrai-film",
    [
        list_command,
        render_command,
        lint_command,
        check_command,
        stills_command,
        sheet_command,
        gif_command,
        gallery_command,
        new_film_command,
    ],
    "Films of a recorded KV cache.",
)

__all__ = ["main"]
