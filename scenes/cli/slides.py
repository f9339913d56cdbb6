"""`python -m scenes slides`: a deck of films' clips, to step through in a talk."""

from dataclasses import replace
from pathlib import Path

import click

from scenes.cli.arguments import crew_options, look_options, main, progress_bar, size_named
from scenes.draw.layout import Frame
from scenes.farm.crew import Crew
from scenes.film import catalog
from scenes.film.quality import FINAL, Quality
from scenes.theme import DARK, THEMES, Theme


@main.command("slides")
@click.argument("films", nargs=-1, required=True, metavar="FILM... | TALK.toml")
@look_options
@click.option("--sections", is_flag=True, help="Of films: a slide for each section, not for each beat.")
@click.option("--size", type=size_named, default="1080p", metavar="SIZE", help="Short side: 4k, 1080p, 720p …")
@click.option("--fps", type=click.IntRange(1, 120), default=FINAL.fps)
@click.option("--beside", is_flag=True, help="Of an HTML page: the videos in a folder beside it, not inside.")
@click.option("--no-notes", is_flag=True, help="Of a .pptx: without notes, which Keynote refuses.")
@crew_options
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="A page in .html, a deck in .pptx, or a folder for manim-slides.",
)
def slides_command(
    films: tuple[str, ...],
    frame: Frame,
    theme: Theme,
    sections: bool,
    size: Quality,
    fps: int,
    beside: bool,
    no_notes: bool,
    crew: Crew,
    output: Path,
) -> None:
    """Make a deck of films, or of what a TALK.toml chooses of them: each press plays a clip, then it stands.

    The page works offline from one file: arrows, space and a clicker step, N opens the notes, R plays again, F fills
    the screen; printed, it is a page for each slide.
    """
    from scenes.decks.deck import make_deck, of_films, read_talk
    from scenes.decks.html import write_deck
    from scenes.decks.manim_slides import write_folder
    from scenes.decks.pptx import write_pptx

    kind = output.suffix.lower()
    if kind not in (".html", ".pptx", ""):
        raise click.UsageError(f"{output} is no deck: name it {output.stem}.html, {output.stem}.pptx or a folder")
    if (beside and kind != ".html") or (no_notes and kind != ".pptx"):
        raise click.UsageError("--beside is for a page in .html, --no-notes for a deck in .pptx")
    if talks := [name for name in films if name.endswith(".toml")]:
        if len(films) > 1 or sections:
            raise click.UsageError("a TALK.toml says all that there is in it: give it alone")
        path = Path(talks[0])
        talk = read_talk(path)
        theme, folder = theme if theme != DARK else THEMES[talk.theme], path.parent
    else:
        try:
            talk, folder = of_films([catalog.film(name).__name__ for name in films], sections), Path()
        except catalog.UnknownFilm as error:
            raise click.UsageError(str(error)) from None
    quality = replace(size, name=f"{size.name}{fps}", fps=fps).shaped(frame, theme)
    with progress_bar(talk.title or "slides") as progress:
        deck = make_deck(talk, folder, quality, crew=crew, progress=progress)
    if kind == ".html":
        written = write_deck(deck, output, beside)
    elif kind == ".pptx":
        written = write_pptx(deck, output, not no_notes)
    else:
        written = write_folder(deck, output, fps)
    click.echo(f"{len(deck.slides)} slides", err=True)
    click.echo(written[0])
