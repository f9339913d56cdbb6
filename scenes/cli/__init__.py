"""The command line of the films: list, render, lint, check, stills, clips, slides, sheet, gif, gallery, new-film."""

from astrai_sim.extras import missing

try:
    from scenes.cli import check, clips, films, render, sheet, slides, stills
    from scenes.cli.arguments import main
except ModuleNotFoundError as error:
    raise SystemExit(f"Error: {missing(error, 'film')}") from None

__all__ = ["check", "clips", "films", "main", "render", "sheet", "slides", "stills"]
