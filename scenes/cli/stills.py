"""`python -m scenes stills`."""

import math
import tempfile
from pathlib import Path

import click

from astrai_sim.files import whole
from scenes.cli.arguments import film_options, main, size_named
from scenes.draw.layout import WIDE, Frame
from scenes.film.quality import Quality
from scenes.film.revision import Other
from scenes.film.scene import FilmScene
from scenes.film.sheet import Sheet
from scenes.film.stills import Chosen, NoStill, Still, draw_stills, file_name
from scenes.theme import DARK, Theme


def times(text: str) -> tuple[float, ...]:
    """Film seconds between commas, in rising order. Raises click.BadParameter."""
    try:
        found = tuple(sorted({float(word) for word in text.split(",")}))
    except ValueError:
        found = (math.nan,)
    if not all(0 <= time < math.inf for time in found):
        raise click.BadParameter(f"{text!r} is no list of film seconds: write 12.5,13.2")
    return found


@main.command("stills")
@film_options
@click.option("--at", type=times, metavar="SECONDS", help="Film seconds, as 12.5,13.2.")
@click.option("--every", type=click.FloatRange(0.01), metavar="SECONDS", help="A still every so many seconds.")
@click.option("--beats", is_flag=True, help="A still at the end of every beat.")
@click.option("--size", type=size_named, metavar="SIZE", default="1080p", help="Short side of the picture.")
@click.option("--digests", is_flag=True, help="Print time, section and a digest of the pixels, one still a line.")
@click.option("--diff", "revision", metavar="REV", help="Set the same stills of another commit beside them.")
@click.option("--columns", type=click.IntRange(1), help="Pictures side by side in a sheet; default: 4, with --diff 2.")
@click.option("--width", type=click.IntRange(64), default=480, help="Pixels of each in a sheet.")
@click.option("--within", is_flag=True, help="Pass over times past the film's end.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Folder for a PNG each, or a file in .png for a sheet."
)
def stills_command(
    film: type[FilmScene],
    trace: Path | None,
    seconds: float | None,
    at: tuple[float, ...] | None,
    every: float | None,
    beats: bool,
    size: Quality,
    frame: Frame,
    theme: Theme,
    digests: bool,
    revision: str | None,
    columns: int | None,
    width: int,
    within: bool,
    output: Path | None,
) -> None:
    """Draw chosen moments of FILM straight from the scene, without encoding.

    Moments may lie in the middle of movements. With --diff the places that differ
    are marked, and the last line counts the stills that do.
    """
    if (at is not None) + (every is not None) + beats != 1:
        raise click.UsageError("choose the moments with one of --at, --every and --beats")
    if output is None and (revision or not digests):
        raise click.UsageError("say with -o where to: a folder, or a file in .png for a contact sheet")
    chosen = Chosen(at or (), every, beats, within)
    across = 2 if revision else 1
    sheet = Sheet(columns or 4 // across, width * across) if output and output.suffix.lower() == ".png" else None
    if output:
        (output.parent if sheet else output).mkdir(parents=True, exist_ok=True)
    counts = {"drawn": 0, "differ": 0}
    with tempfile.TemporaryDirectory() as theirs:
        other = None
        if revision:
            path = film.trace_for(trace).resolve()
            words = [film.__name__, "--trace", str(path), "--size", size.name]
            words += ["--frame", frame.name] if frame != WIDE else []
            words += ["--theme", theme.name] if theme != DARK else []
            moments = ["--every", repr(every)] if every else ["--at", ",".join(map(repr, chosen.at))]
            words += ["--beats"] if beats else moments
            words += ["--seconds", repr(seconds)] if seconds else []
            other = Other(revision, words, Path(theirs))

        def take(still: Still) -> None:
            counts["drawn"] += 1
            if digests:
                click.echo(f"{still.time:.3f} {still.section} {still.digest}")
            if other:
                still, differs = other.beside(still)
                counts["differ"] += differs
            if sheet:
                sheet.add(still)
            elif output:
                with whole(output / file_name(still.time)) as partial:
                    still.image.save(partial, compress_level=1)

        draw_stills(film, chosen, take, trace, seconds, size.shaped(frame, theme))
        if not counts["drawn"]:
            raise NoStill(f"{film.__name__} has no moment like that")
        if sheet and output:
            sheet.save(output)
    if other:
        more = f"; {other.left} are in {revision} only" if other.left else ""
        click.echo(f"{counts['differ'] or 'none'} of {counts['drawn']} stills differ from {revision}{more}", err=True)
    if output:
        click.echo(output, err=digests)
