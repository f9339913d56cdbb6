"""The command line of the films: list, render, lint, check, stills, clips, slides, embed, sheet, gif and more."""

import gc

from astrai_sim.extras import missing

gc.disable()  # nothing that is loaded is ever thrown away; looking for what may be takes a tenth of the time
try:
    from scenes.cli import bench, check, clips, embed, films, findings, promo, render, sheet, slides, stills
    from scenes.cli.arguments import main
except ModuleNotFoundError as error:
    raise SystemExit(f"Error: {missing(error, 'film')}") from None
gc.freeze()
gc.enable()

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
