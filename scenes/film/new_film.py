"""The file of a new film, which renders as it is written."""

import keyword
import re
from pathlib import Path
from string import Template

FOLDER = Path(__file__).resolve().parents[1]
TEMPLATE = Template('''"""The film `$film`: a recorded run, from its first page to its last."""

from collections.abc import Iterator

from astrai_sim.trace import Trace
from astrai_sim.trace.events import PagesAlloc, TaskAdmitted
from scenes.film.scene import FilmScene
from scenes.measures import say
from scenes.parts.pool import Pool
from scenes.parts.question import Question, Takeaway
from scenes.parts.tape import Tape
from scenes.parts.wires import Wires
from scenes.stage.shot import Section
from scenes.stage.telling import Telling
from scenes.story.needs import PAGES, Needs

CAST, RUN_UP = 3, 5
"""Requests that have a tape of their own, and steps before the fullest moment with which the film begins."""


class ${film}Telling(Telling):
    """What `$film` tells of a trace: a question, what happens, what it comes to."""

    needs = Needs({"task_admitted": "a request that was admitted", "pages_alloc": "a page that was given"}, **PAGES)

    def __init__(self, film: str, trace: Trace) -> None:
        super().__init__(film, trace)
        self.first = self.need(TaskAdmitted, "a request that was admitted").task
        self.given = self.need(PagesAlloc, "a page that a request was given")
        self.ends = [event.seq for event in trace.find(event="step_end")] or [self.end]
        self.fullest = max(self.ends, key=lambda seq: self.ask.pool_in_use(seq).value)

    def sections(self) -> Iterator[Section]:
        yield self.question()
        yield self.run_told()
        yield self.takeaway()

    def question(self) -> Section:
        """The fullest moment, under the question that the film answers."""
        self.begin(self.ends[max(0, self.ends.index(self.fullest) - RUN_UP)])
        most, all_pages = self.ask.most_in_use(), self.ask.pool_pages()
        asked = Question(say("Who needs {} of {} pages, and for how long?", most, all_pages))
        fills = self.lapse(asked, Pool(bits=False), until=self.fullest, seconds=2.4)
        self.shot(None, fills, subject=("pool",))
        return self.section("question", "The question")

    def run_told(self) -> Section:
        """The first request gets its pages; then everything else happens, in time-lapse."""
        tape, wires, pool = Tape(tuple(self.requests)[:CAST]), Wires(self.first), Pool()
        self.begin(-1)
        arrives = self.requests[self.first].submitted.seq
        filled = self.steps.next_phase("prefill", self.given.seq, worked=False)
        self.shot(
            say("{} gets pages, because its tokens need room.", self.ask.name(self.first)),
            self.act(tape, wires, pool, until=arrives),
            self.act(tape, wires, pool, until=filled),
            subject=("pool", self.given.pages[0]),
        )
        self.shot(
            "Pages come and go, because requests grow and end.",
            self.lapse(tape, wires, pool, until=self.end, seconds=10.0),
            subject=("pool",),
        )
        return self.section("run", "The whole run", cut=True)

    def takeaway(self) -> Section:
        """One sentence and one number."""
        number = Takeaway("Pages are held while they are needed.", say("{}", self.ask.most_in_use()), "pages at most")
        self.shot("", self.act(number, Pool(bits=False).unlit()), subject=("takeaway",), rest=1.0)
        return self.section("takeaway", "What it comes to")


class $film(FilmScene):
    """Pages of a recorded run are taken, filled and given back."""

    default_trace = "promo.jsonl.gz"
    chapters = ${film}Telling
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
    for taken in (path, path.with_suffix("")):
        if taken.exists():
            raise CannotWrite(f"{taken} is there already: choose another name")
    path.write_text(TEMPLATE.substitute(film=film), encoding="utf-8")
    return film, path
