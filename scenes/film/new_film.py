"""The file of a new film, which renders as it is written."""

from __future__ import annotations

import keyword
import re
from pathlib import Path
from string import Template

FOLDER = Path(__file__).resolve().parents[1]
TEMPLATE = Template('''"""The film `$film`: a recorded run, from its first page to its last."""

from __future__ import annotations

from collections.abc import Iterator

from astrai_sim.trace import Trace
from scenes.film.scene import FilmScene
from scenes.measures import say
from scenes.story.beats import Section, Storyboard
from scenes.story.chapters import Chapters, requests_finished
from scenes.story.words import counted


class ${film}Chapters(Chapters):
    """What `$film` tells of a trace, chapter by chapter."""

    def __init__(self, film: str, trace: Trace) -> None:
        super().__init__(film, trace)
        self.need_single_pages()

    def sections(self) -> Iterator[Section]:
        yield self.run()
        yield self.figures([requests_finished(self.ask)])

    def run(self) -> Section:
        """From the empty pool to the end of the recording: every number is a measure of the trace."""
        self.begin(-1)
        self.say(say("A pool of {} for this run.", counted(self.ask.pool_pages(), "page")))
        self.advance(self.end, "Requests take pages, fill them with tokens, and give them back.", 8.0)
        return self.section("run", "The whole run")


class $film(FilmScene):
    """Pages of a recorded run are taken, filled and given back."""

    default_trace = "promo.jsonl.gz"
    summary = "Pages of a recorded run are taken, filled and given back."

    @classmethod
    def tell(cls, trace: Trace) -> Storyboard:
        return ${film}Chapters(cls.__name__, trace).storyboard()
''')


class CannotWrite(ValueError):
    """No film can have that name; the message says why."""


def write_film(name: str) -> tuple[str, Path]:
    """Write the file of a film called `name`, in words with capitals or underscores; gives its class and the file.

    Raises `CannotWrite` for what is no name of a class, and where something has that name.
    """
    film = "".join(word[:1].upper() + word[1:] for word in name.split("_"))
    module = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", film).lower()
    if not (film.isidentifier() and film.isascii()) or keyword.iskeyword(module) or keyword.iskeyword(film):
        raise CannotWrite(f"{name!r} cannot name a film: write words without blanks, as MyFilm or my_film")
    path = FOLDER / f"{module}.py"
    taken = next((place for place in (path, path.with_suffix("")) if place.exists()), None)
    if taken is not None:
        raise CannotWrite(f"{taken} is there already: choose another name")
    path.write_text(TEMPLATE.substitute(film=film), encoding="utf-8")
    return film, path
