"""Manim films of a recorded trace: they read traces and never the engine.

`render` makes a film from Python, in a script or a notebook; it loads Manim when it is called.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scenes.film.render import Film
    from scenes.film.scene import FilmScene

__all__ = ["render"]


def render(
    film: str | type[FilmScene],
    trace: str | os.PathLike[str] | None = None,
    output: str | os.PathLike[str] | None = None,
    *,
    quality: str = "final",
    frame: str = "16:9",
    theme: str = "dark",
    seconds: float | None = None,
    processes: int | None = None,
    scheduler: str | None = None,
) -> Film:
    """Render `film`, by its name or class, for `trace`; what it gives shows itself in a notebook.

    All arguments are those of ``astrai-film render``, with the same defaults: `quality` final or preview, `frame` 16:9,
    9:16 or 1:1, `theme` dark or light, `seconds` the length wanted, `processes` side by side, or the workers of a Dask
    `scheduler`.

    Raises LookupError where no film has the name, ValueError for a quality, frame or theme that is not there, and
    with one line each what the command would print: `astrai_sim.trace.TraceError` for a trace that does not hold,
    `scenes.story.errors.DoesNotApply`, `scenes.film.pacing.CannotPace`, `scenes.film.join.CannotJoin`,
    `scenes.farm.task.WorkersLost`.
    """
    from scenes.draw.layout import FRAMES
    from scenes.farm.crew import Crew
    from scenes.film.catalog import film as called
    from scenes.film.quality import QUALITIES
    from scenes.film.render import render_film
    from scenes.theme import THEMES

    for what, name, values in (("quality", quality, QUALITIES), ("frame", frame, FRAMES), ("theme", theme, THEMES)):
        if name not in values:
            raise ValueError(f"no {what} is called {name!r}: choose one of {', '.join(values)}")
    return render_film(
        called(film) if isinstance(film, str) else film,
        None if trace is None else Path(trace),
        QUALITIES[quality].shaped(FRAMES[frame], THEMES[theme]),
        None if output is None else Path(output),
        crew=Crew(processes, scheduler),
        seconds=seconds,
    )
