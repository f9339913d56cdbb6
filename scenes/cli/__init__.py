"""The command line of the films: list, render, lint, check, stills, sheet, gif, gallery, new-film."""

from astrai_sim.extras import MissingExtra

try:
    from scenes.cli import check, films, render, sheet, stills
    from scenes.cli.arguments import main
except ModuleNotFoundError as error:
    if (package := str(error.name).split(".")[0]) in ("scenes", "astrai_sim"):
        raise
    raise SystemExit(f"Error: {MissingExtra(package, 'film')}") from None

__all__ = ["check", "films", "main", "render", "sheet", "stills"]
