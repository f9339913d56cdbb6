"""The command line of the films: list, render, lint, check, stills, sheet, gif, gallery, new-film."""

from scenes.cli import check, films, render, sheet, stills
from scenes.cli.arguments import main

__all__ = ["check", "films", "main", "render", "sheet", "stills"]
