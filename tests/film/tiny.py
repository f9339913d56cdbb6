"""A film of a few seconds for tests, told from any trace, and films with something wrong."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import ClassVar

from scenes.film.quality import Quality
from scenes.film.scene import FilmScene
from scenes.parts.pool import Pool
from scenes.stage.shot import Section
from scenes.stage.telling import Telling

TINY = Quality("tiny", 320, 180, 10)


class TinyTelling(Telling):
    """Three sections, each bringing the pool a third of the trace further."""

    captions: ClassVar[tuple[str | None, ...]] = ("First.", "Second.", "Third.")

    def sections(self) -> Iterator[Section]:
        for part, (key, caption) in enumerate(zip(("one", "two", "three"), self.captions, strict=True), start=1):
            until = len(self.trace) * part // 3 - 1
            self.shot(caption, self.act(Pool(), until=until, seconds=0.4), subject=("pool",))
            yield self.section(key, f"Part {key}")


class RewordedTelling(TinyTelling):
    """The same with another caption in the second section."""

    captions = ("First.", "Another.", "Third.")


class HastyTelling(TinyTelling):
    """A caption that takes time."""

    captions = ("A caption that nobody can read in so short a time.", "Second.", "Third.")


class SilentTelling(TinyTelling):
    """Says nothing in its first section."""

    captions = (None, "Second.", "Third.")


class TinyFilm(FilmScene):
    """The pool in three sections."""

    default_trace = "promo.jsonl.gz"
    chapters: ClassVar[type[Telling]] = TinyTelling


class Reworded(TinyFilm):
    """The same film with another caption in its second section."""

    chapters = RewordedTelling


class Silent(TinyFilm):
    """A film that begins without a sentence."""

    chapters = SilentTelling


class Broken(TinyFilm):
    """Fails in its second section, but only when it is drawn."""

    def play_section(self, section) -> None:
        if section.key == "two" and not self.rehearsing:
            raise RuntimeError("the second section cannot be drawn")
        super().play_section(section)


class Killed(TinyFilm):
    """Ends its process in its second section, as a machine without memory does, but only when it is drawn."""

    def play_section(self, section) -> None:
        if section.key == "two" and not self.rehearsing:
            os._exit(9)
        super().play_section(section)


class Hasty(TinyFilm):
    """Takes its captions away before they can be read."""

    chapters = HastyTelling

    def hold(self, seconds: float) -> None:
        pass
