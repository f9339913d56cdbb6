"""A film of a few seconds for tests, told from any trace, and films with something wrong."""

from __future__ import annotations

from scenes.film.quality import Quality
from scenes.film.scene import FilmScene
from scenes.story.beats import Advance, OpenCode, Section, Storyboard

TINY = Quality("tiny", 320, 180, 10)


class TinyFilm(FilmScene):
    """Three sections, each bringing the stage a third of the trace further."""

    default_trace = "promo.jsonl.gz"
    summary = "A film for tests."
    captions = ("First.", "Second.", "Third.")

    @classmethod
    def tell(cls, trace) -> Storyboard:
        stops = [-1, *(len(trace) * part // 3 - 1 for part in (1, 2, 3))]
        sections = []
        for key, start, stop, caption in zip(("one", "two", "three"), stops[:-1], stops[1:], cls.captions, strict=True):
            beats = [Advance(stop, caption, seconds=0.4)]
            if key == "three":
                beats.append(OpenCode(stop, title="code", lines=(("x = y",),)))
            sections.append(Section(key, f"Part {key}", start, tuple(beats)))
        return Storyboard(cls.__name__, tuple(sections))


class Reworded(TinyFilm):
    """The same film with another caption in its second section."""

    captions = ("First.", "Another.", "Third.")


class Broken(TinyFilm):
    """Fails in its second section, but only when it is drawn."""

    def play_section(self, section) -> None:
        if section.key == "two" and not self.rehearsing:
            raise RuntimeError("the second section cannot be drawn")
        super().play_section(section)


class Hasty(TinyFilm):
    """Takes its captions away before they can be read."""

    captions = ("A caption that nobody can read in so short a time.", "Second.", "Third.")

    def hold(self, seconds: float) -> None:
        pass
