"""`python -m scenes embed`: a film as a page, with its chapters, sentences and events."""

from pathlib import Path

import click

from scenes.cli.arguments import (
    FileNamed,
    crew_options,
    film_options,
    main,
    output_option,
    progress_bar,
    quality_option,
)
from scenes.draw.layout import Frame
from scenes.farm.crew import Crew
from scenes.film.quality import Quality
from scenes.film.scene import FilmScene
from scenes.theme import Theme


@main.command("embed")
@film_options
@quality_option
@output_option("HTML file to write; default: media/pages/FILM.html.", FileNamed(".html"))
@click.option("--beside", is_flag=True, help="The film as a file beside the page, not inside.")
@crew_options
def embed_command(
    film: type[FilmScene],
    trace: Path | None,
    seconds: float | None,
    frame: Frame,
    theme: Theme,
    quality: Quality,
    output: Path | None,
    beside: bool,
    crew: Crew,
) -> None:
    """Make a page of FILM that asks nothing of anywhere.

    Beside the picture: chapters and sentences to click, the events of the trace linked to the film's time both ways,
    and the state at each moment as text. #t=12.5 opens it there.
    """
    from scenes.film.cut import cut
    from scenes.film.rehearsal import rehearse
    from scenes.film.render import MEDIA, film_path, render_rehearsed
    from scenes.player.page import write_player
    from scenes.player.told import Told

    output = output or MEDIA / "pages" / f"{film.__name__}.html"
    shaped, told = quality.shaped(frame, theme), Told()
    rehearsal = rehearse(film, trace, observers=(told,), seconds=seconds, quality=shaped)
    path = film_path(film, shaped, trace=trace)
    with progress_bar(film.__name__) as progress:
        render_rehearsed(rehearsal, shaped, path, crew=crew, progress=progress)
    title = rehearsal.scene.trace.header.scenario.title or film.__name__
    sections = cut(rehearsal, shaped.fps)
    for written in write_player(f"{film.__name__}: {title}", path, sections, told, shaped, output, beside):
        click.echo(written)
