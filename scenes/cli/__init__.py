"""The command line of the films: list, render, lint, check, stills, clips, slides, embed, sheet, gif and more."""

from astrai_sim.extras import missing

try:
    from scenes.cli import bench, check, clips, embed, films, findings, promo, render, sheet, slides, stills
    from scenes.cli.arguments import main
except ModuleNotFoundError as error:
    raise SystemExit(f"Error: {missing(error, 'film')}") from None

__all__ = [
    "bench",
    "check",
    "clips",
    "embed",
    "films",
    "findings",
    "main",
    "promo",
    "render",
    "sheet",
    "slides",
    "stills",
]
