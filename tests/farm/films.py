"""Films of a few seconds for farms: several beats, another trace within, one that kills who renders it; and rests."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from scenes.film.opening import other_trace
from scenes.film.scene import FilmScene
from scenes.parts.pool import Pool
from scenes.stage.shot import Section
from scenes.stage.telling import Telling
from tests.film.tiny import TinyFilm

MARK = "FARM_TEST_MARK"
"""The environment variable that names the file which says that a worker was killed already."""


class BeatsTelling(Telling):
    """A section of four beats, and one of one."""

    def sections(self) -> Iterator[Section]:
        for part, caption in enumerate(("First.", "Second.", None, "Third."), start=1):
            until = len(self.trace) * part // 5 - 1
            self.shot(caption, self.act(Pool(), until=until, seconds=0.4), subject=("pool",))
        yield self.section("long", "Nearly all of it")
        self.shot("Done.", self.act(Pool(), until=len(self.trace) - 1, seconds=0.4), subject=("pool",))
        yield self.section("short", "The rest")


class Beats(FilmScene):
    """The pool in a long section and a short one."""

    default_trace = "promo.jsonl.gz"
    chapters: ClassVar[type[Telling]] = BeatsTelling


class BridgedTelling(Telling):
    """A section of the film's own trace, and one of a shipped one."""

    def sections(self) -> Iterator[Section]:
        for key, source in (("own", None), ("other", "paging")):
            teller = Telling(self.film, other_trace(source)) if source else self
            teller.shot("Here.", teller.act(Pool(), until=len(teller.trace) // 2, seconds=0.4), subject=("pool",))
            yield replace(teller.section(key, key, cut=True), source=source)


class Bridged(FilmScene):
    """The pool of two runs."""

    default_trace = "promo.jsonl.gz"
    chapters: ClassVar[type[Telling]] = BridgedTelling


class Deadly(TinyFilm):
    """Kills who renders its second section, in the middle of it, the first time."""

    def play_section(self, section: Section) -> None:
        if section.key == "two" and not self.rehearsing and os.environ.get(MARK):
            to_time = self.update_to_time

            def update_to_time(t: float) -> None:
                mark = Path(os.environ[MARK])
                if t > 0.2 and not mark.exists():
                    mark.touch()
                    os.kill(os.getpid(), signal.SIGKILL)
                to_time(t)

            self.update_to_time = update_to_time  # type: ignore[method-assign]
        super().play_section(section)


def rest(seconds: float, files: object, output: Path) -> None:
    """Work that takes its time and nothing else."""
    time.sleep(seconds)
    output.write_text("rested")


READ: list[str] = []


def what_was_read(files, output):
    """What this process has in `READ`."""
    output.touch()
    return READ
