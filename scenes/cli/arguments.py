"""What several commands take, and how they fail: in one line."""

import errno
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import click
import rich.progress
from click.shell_completion import CompletionItem
from rich.console import Console

from astrai_sim.command_line import Commands
from astrai_sim.extras import MissingExtra, missing
from astrai_sim.files import FileError
from scenes.clips.examine import BadClip
from scenes.draw.layout import FRAMES, WIDE
from scenes.farm.crew import Crew
from scenes.farm.run import Progress, Sheet
from scenes.farm.task import WorkersLost
from scenes.film import catalog
from scenes.film.audio import NoSound
from scenes.film.cut import NoClip
from scenes.film.gif import TooLarge
from scenes.film.join import CannotJoin
from scenes.film.new_film import CannotWrite
from scenes.film.pacing import CannotPace
from scenes.film.quality import FINAL, QUALITIES, Quality
from scenes.film.render import film_path
from scenes.film.scene import SECONDS_VARIABLE, FilmScene
from scenes.film.sheet import NoVideo
from scenes.film.stills import NoStill
from scenes.film.vouched import UNVERIFIED_VARIABLE
from scenes.story.errors import DoesNotApply
from scenes.theme import DARK, THEMES


class FilmName(click.ParamType):
    """The name of a film; converts to its class."""

    name = "film"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(name) for name in catalog.films() if name.lower().startswith(incomplete.lower())]

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> type[FilmScene]:
        try:
            return catalog.film(value)
        except catalog.UnknownFilm as error:
            self.fail(str(error), param, ctx)


class Named(click.Choice):
    """The name of one of `values`; converts to it."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__(list(values))
        self.values = values

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return self.values[super().convert(value, param, ctx)]


FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
film_argument = click.argument("film", type=FilmName())


class FileNamed(click.Path):
    """A file to write, whose name ends as its format asks."""

    def __init__(self, suffix: str) -> None:
        super().__init__(dir_okay=False, path_type=Path)
        self.suffix = suffix

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        path = Path(str(super().convert(value, param, ctx)))
        if path.suffix.lower() != self.suffix:
            self.fail(f"{path} does not end in {self.suffix}: name it {path.with_suffix(self.suffix).name}", param, ctx)
        return path


def output_option(says: str, place: click.Path, **more: Any) -> Callable:
    """`-o FILE`, or a folder."""
    return click.option("-o", "--output", type=place, help=says, **more)


def _let_through(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        os.environ[UNVERIFIED_VARIABLE] = "1"
        ctx.call_on_close(lambda: os.environ.pop(UNVERIFIED_VARIABLE, None))


def trace_option(command: Callable) -> Callable:
    """`--trace FILE` and `--unverified`."""
    says = f"For debugging: do not verify the trace, and say so on every frame; or ${UNVERIFIED_VARIABLE}=1."
    command = click.option("--unverified", is_flag=True, expose_value=False, callback=_let_through, help=says)(command)
    says = "Trace to tell; default: the film's own, or $ASTRAI_TRACE."
    return click.option("--trace", type=FILE, help=says)(command)


seconds_option = click.option(
    "--seconds",
    type=click.FloatRange(1),
    envvar=SECONDS_VARIABLE,
    metavar="N",
    help=f"Length of the film, met within a tenth; default: what it takes, or ${SECONDS_VARIABLE}.",
)
quality_option = click.option(
    "--quality", type=Named(QUALITIES), default=FINAL.name, help="final is 1080p60, preview 480p15."
)


audio_option = click.option(
    "--audio", type=FILE, help="Sound to lay below: cut or filled up, at -16 LUFS, faded out at the end."
)


theme_option = click.option("--theme", type=Named(THEMES), default=DARK.name, help="Its colours.")


def look_options(command: Callable) -> Callable:
    """`--frame` and `--theme`: how a film looks."""
    says = "Shape of the picture."
    return click.option("--frame", type=Named(FRAMES), default=WIDE.name, help=says)(theme_option(command))


def told_options(command: Callable) -> Callable:
    """What is told and how: `--trace`, `--unverified`, `--seconds`, `--frame` and `--theme`."""
    return trace_option(seconds_option(look_options(command)))


def film_options(command: Callable) -> Callable:
    """FILM, and `told_options`."""
    return film_argument(told_options(command))


def crew_options(command: Callable) -> Callable:
    """`--processes` and `--scheduler`: who renders, as the argument `crew`."""

    @wraps(command)
    def with_crew(*args: Any, processes: int | None, scheduler: str | None, **named: Any) -> Any:
        if processes and scheduler:
            raise click.UsageError("--processes are those of this machine, --scheduler has workers: give one of them")
        return command(*args, crew=Crew(processes, scheduler), **named)

    says = "Have the workers of a Dask cluster render, as tcp://host:8786 (docs/render-farm.md)."
    taking = click.option("--scheduler", metavar="ADDRESS", help=says)(with_crew)
    return click.option("--processes", type=click.IntRange(1), help="Default: one for each core.")(taking)


def size_named(text: str) -> Quality:
    """Pictures with a short side as in 1080p; 4k is 2160p. Raises click.BadParameter."""
    match = re.fullmatch(r"(\d+)p", text.lower().replace("4k", "2160p"))
    if not match or not 90 <= int(match[1]) <= 4320 or int(match[1]) % 2:
        raise click.BadParameter(f"{text!r} is no size: write 480p, 1080p, 4k or another even height up to 4320p")
    height = int(match[1])
    return Quality(f"{height}p", round(height * 8 / 9) * 2, height, 15)


@contextmanager
def progress_bar(what: str, quiet: bool = False) -> Iterator[Progress]:
    """A bar of the seconds of film that are rendered, on standard error, for as long as there are any to render."""
    bar = rich.progress.Progress(
        "{task.description}",
        rich.progress.BarColumn(),
        "{task.completed:.0f} of {task.total:.0f} s of film",
        rich.progress.TimeElapsedColumn(),
        rich.progress.TimeRemainingColumn(),
        console=Console(stderr=True, quiet=quiet),
    )
    task = bar.add_task(what, total=None, visible=False)

    def tell(done: float, total: float) -> None:
        if total:
            bar.start()
        bar.update(task, completed=done, total=total, visible=total > 0)

    try:
        yield tell
    finally:
        if bar.live.is_started:
            bar.stop()


def tell_busy(sheet: Sheet) -> None:
    """Say on standard error which share of their time those who rendered were at it."""
    if sheet.spans:
        whole, queued = (round(100 * sheet.busy(until)) for until in (None, sheet.given_out))
        click.echo(f"{sheet.workers} workers, busy {whole} % of the time, {queued} % while work was waiting", err=True)


def rendered_option(purpose: str) -> Callable:
    """`--from FILE`: the rendered film to read."""
    says = f"Rendered film to {purpose}; default: the film's own under media/films."
    return click.option("--from", "source", type=FILE, help=says)


def rendered(film: type[FilmScene], source: Path | None) -> Path:
    """The rendered film to read: `source`, else the final one, else the preview."""
    places = [source] if source else [film_path(film, quality) for quality in QUALITIES.values()]
    if (found := next((place for place in places if place.is_file()), None)) is None:
        raise click.ClickException(f"{places[0]} is not there: render it with `make film FILM={film.__name__}`")
    return found


NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


ONE_LINE = (
    FileError,
    BadClip,
    CannotJoin,
    CannotPace,
    CannotWrite,
    MissingExtra,
    NoClip,
    NoSound,
    NoStill,
    NoVideo,
    TooLarge,
    WorkersLost,
)
"""What a user can put right."""


class OneLine(Commands):
    """Commands that turn what a user can put right into one line and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except DoesNotApply as reason:
            raise click.ClickException(f"this film does not apply to the trace: {reason}") from None
        except ONE_LINE as error:
            raise click.ClickException(str(error)) from None
        except ModuleNotFoundError as error:
            raise click.ClickException(str(missing(error, "film"))) from None
        except BrokenPipeError:
            raise
        except OSError as error:
            what = os.strerror(errno.ENOTDIR) if error.errno == errno.EEXIST else error.strerror
            named = f"{error.filename}: {what}" if what and error.filename else str(error)
            to_do = "free some space" if error.errno in NO_ROOM else "choose a place where files can be written"
            raise click.ClickException(f"{named}: {to_do}") from None


main = OneLine("astrai-film", [], "Films of a recorded KV cache.")
main.context_settings["show_default"] = True
