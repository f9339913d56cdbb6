"""A deck: which clips of which films, in which order, with slides of one's own between them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from astrai_sim.files import whole
from scenes.clips.chosen import Chosen, read_choice
from scenes.clips.formats import Stretch, length, picture
from scenes.clips.making import Cutting, Wanted
from scenes.farm.crew import HERE, Crew
from scenes.farm.run import Progress
from scenes.film import catalog
from scenes.film.batch import Batch
from scenes.film.quality import Quality
from scenes.film.render import MEDIA
from scenes.theme import THEMES

EVERY = "*"
"""Instead of names of beats: all of them."""


@dataclass(frozen=True)
class Slide:
    """A clip that a press starts: the MP4 `video`, its pictures, what is said; or, without one, a title and a text.

    One that is `looped` begins again until the next press, else it stands on its `last` picture. Pictures are PNG.
    """

    title: str
    notes: str = ""
    text: str = ""
    video: Path | None = None
    first: Path | None = None
    last: Path | None = None
    looped: bool = False
    alt: str = ""


@dataclass(frozen=True)
class Deck:
    """Slides in order, in pixels of `width` and `height`, on the ground of a theme."""

    title: str
    slides: tuple[Slide, ...]
    width: int
    height: int
    ground: str
    ink: str


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One `[[slide]]` of a talk: clips of a `film`, or a `title` of one's own with a `text` below it.

    Of a film all sections are taken, or those called in `sections` or `beats` (as `KEY-2`); `trace` is the file it
    is told from, beside the talk. `loop` has each begin again until the next press, though its ends do not meet.
    """

    film: str = ""
    sections: tuple[str, ...] = ()
    beats: tuple[str, ...] = ()
    trace: str = ""
    loop: bool | None = None
    title: str = ""
    text: str = ""
    notes: str = ""


class Talk(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A talk as TOML: its `title`, a `theme`, and its slides."""

    title: str = ""
    theme: str = "dark"
    slide: tuple[Item, ...] = ()


def read_talk(path: Path) -> Talk:
    """The talk in a TOML file. Raises FileError, with the line where one is known, for one that is not right."""
    chosen: Chosen[Talk] = read_choice(path, Talk, "slide", "docs/talk.md")
    talk = chosen.value
    for place, item in enumerate(talk.slide):
        if bool(item.film) == bool(item.title):
            chosen.refuse(place, "a slide has a film or a title of its own: give one of them")
        if item.film:
            chosen.check_film(place, item.film, item.trace)
        if item.beats and item.sections:
            chosen.refuse(place, "give sections or beats of a film, not both")
    if not talk.slide:
        chosen.refuse(None, "it has no [[slide]]: see docs/talk.md")
    if talk.theme not in THEMES:
        chosen.refuse("theme", f"no theme is called {talk.theme!r}: choose from {', '.join(THEMES)}")
    return talk


def make_deck(
    talk: Talk,
    beside: Path,
    quality: Quality,
    media: Path = MEDIA,
    crew: Crew = HERE,
    progress: Progress = lambda done, total: None,
) -> Deck:
    """The slides of `talk`, whose traces lie in the folder `beside`; clips are made below `media`, or kept there.

    `progress` is told of the rendering of all of them. Raises what `make_clips` raises.
    """
    films = [item.film for item in talk.slide if item.film]
    with Batch(media, crew, progress) as batch:
        cuttings = []
        for item in talk.slide:
            cuttings.append(_of_film(item, beside, quality, media, batch) if item.film else None)
            batch.go_on(item is not talk.slide[-1])
    slides: list[Slide] = []
    for item, cutting in zip(talk.slide, cuttings, strict=True):
        slides += _slides(item, cutting) if cutting else [_of_text(item)]
    title = talk.title or " · ".join(dict.fromkeys(films)) or "A talk"
    return Deck(title, tuple(slides), quality.width, quality.height, quality.theme.ground, quality.theme.text)


def of_films(names: Sequence[str], sections: bool) -> Talk:
    """A talk of whole films, one slide for each beat or section."""
    return Talk(slide=tuple(Item(film=name, beats=() if sections else (EVERY,)) for name in names))


def _of_text(item: Item) -> Slide:
    return Slide(item.title, item.notes, item.text, alt=f"{item.title}: {item.text}" if item.text else item.title)


def _of_film(item: Item, beside: Path, quality: Quality, media: Path, batch: Batch) -> Cutting:
    film = catalog.film(item.film)
    trace = beside / item.trace if item.trace else None
    name = "-".join([film.__name__, *([trace.name.split(".jsonl")[0]] if trace else []), quality.name])
    wanted = Wanted(("mp4",), tuple(one for one in item.beats or item.sections if one != EVERY), bool(item.beats))
    return Cutting(batch, film, media / "decks" / name, wanted, quality, trace)


def _slides(item: Item, cutting: Cutting) -> list[Slide]:
    slides = []
    for entry in cutting.write().clips:
        video = cutting.folder / entry.file
        first, last = _pictures(video, cutting.quality.fps)
        notes = item.notes or "\n".join(caption.text for caption in entry.captions)
        looped = entry.loops if item.loop is None else item.loop
        slides.append(Slide(entry.title, notes, "", video, first, last, looped, entry.alt))
    return slides


def _pictures(video: Path, fps: int) -> tuple[Path, Path]:
    """PNG files of the first and the last picture of `video`, beside it; made anew where they are older."""
    first, last = (video.with_suffix(f".{which}.png") for which in ("first", "last"))
    if not last.is_file() or last.stat().st_mtime < video.stat().st_mtime:
        stretch = Stretch(video, 0, length(video), fps)
        for path, place in ((first, 0), (last, stretch.count - 1)):
            with whole(path) as partial:
                picture(stretch, place).save(partial, format="png")
    return first, last
