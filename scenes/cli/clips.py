"""`python -m scenes clips`: a film cut into files for talks, pages and video editors."""

import re
from dataclasses import replace
from pathlib import Path

import click

from scenes.cli.arguments import (
    FilmName,
    audio_option,
    crew_options,
    main,
    progress_bar,
    size_named,
    tell_busy,
    told_options,
)
from scenes.clips.formats import FORMATS
from scenes.clips.manifest import Entry
from scenes.draw.layout import Frame
from scenes.farm.crew import Crew
from scenes.film.quality import FINAL, Quality
from scenes.film.scene import FilmScene
from scenes.theme import Theme


def ground_named(text: str) -> str:
    """`transparent`, or a colour as `#RRGGBB`. Raises click.BadParameter."""
    if text == "transparent" or re.fullmatch(r"#[0-9A-Fa-f]{6}", text):
        return text
    raise click.BadParameter(f"{text!r} is no colour: write transparent, or a colour as '#0D1117'")


@main.command("clips")
@click.argument("films", type=FilmName(), nargs=-1, required=True, metavar="FILM...")
@told_options
@click.option("--only", multiple=True, metavar="KEY|TITLE", help="A section, or with --beats a beat as KEY-2; again.")
@click.option("--beats", is_flag=True, help="A clip for each beat, not for each section.")
@click.option(
    "--format", "formats", type=click.Choice(FORMATS), multiple=True, default=("mp4",), help="Again for more."
)
@click.option("--background", "ground", type=ground_named, metavar="COLOUR", help="transparent, or as '#0D1117'.")
@click.option("--size", type=size_named, default="1080p", metavar="SIZE", help="Short side: 4k, 1080p, 720p …")
@click.option("--fps", type=click.IntRange(1, 120), default=FINAL.fps)
@audio_option
@crew_options
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder, of several films with one for each; default: media/clips/FILM.",
)
def clips_command(
    films: tuple[type[FilmScene], ...],
    trace: Path | None,
    seconds: float | None,
    frame: Frame,
    theme: Theme,
    only: tuple[str, ...],
    beats: bool,
    formats: tuple[str, ...],
    ground: str | None,
    size: Quality,
    fps: int,
    audio: Path | None,
    crew: Crew,
    output: Path | None,
) -> None:
    """Cut each FILM into clips, one for each section, that can be watched alone.

    Each begins with the picture that it starts from and ends at rest. Beside the clips lie subtitles and a
    manifest.json with times, captions, descriptions and the digest of the trace.
    """
    from scenes.clips.making import Cutting, Wanted, on_ground
    from scenes.film.batch import Batch
    from scenes.film.render import MEDIA

    if ground not in (None, "transparent"):
        theme = on_ground(theme, ground)
    quality = replace(size, name=f"{size.name}{fps}", fps=fps).shaped(frame, theme)
    if ground == "transparent":
        quality = replace(quality, name=f"{quality.name}-clear", clear=True)
    wanted = Wanted(tuple(dict.fromkeys(formats)), only, beats, audio)
    cuttings = []
    named = films[0].__name__ if len(films) == 1 else f"{len(films)} films"
    with progress_bar(named) as progress, Batch(MEDIA, crew, progress) as batch:
        for film in films:
            folder = output if output and len(films) == 1 else (output or MEDIA / "clips") / film.__name__
            cuttings.append(Cutting(batch, film, folder, wanted, quality, trace, seconds))
            batch.go_on(film is not films[-1])

    for cutting in cuttings:

        def written(entry: Entry, kept: bool, folder: Path = cutting.folder) -> None:
            less = f"  ({entry.less}, to be small)" if entry.less else ""
            click.echo(f"{folder / entry.file}{'  (kept: made of the same frames)' if kept else less}")

        cutting.write(written)
        click.echo(cutting.folder / "manifest.json")
    tell_busy(batch.sheet)
