"""From a promo's file to its film: sections rendered once, the chosen seconds of each cut together."""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np

from astrai_sim.files import whole
from scenes.clips import formats
from scenes.clips.chosen import Chosen
from scenes.clips.making import against
from scenes.draw.layout import FRAMES
from scenes.farm.crew import HERE, Crew
from scenes.farm.run import Progress
from scenes.film import catalog
from scenes.film.audio import Sound
from scenes.film.batch import Batch
from scenes.film.cut import NoClip
from scenes.film.opening import other_trace
from scenes.film.quality import Quality
from scenes.film.rehearsal import rehearse
from scenes.film.render import MEDIA
from scenes.lint.rules.film import LEAST, differences
from scenes.promos.cards import Line, end_card, frames, title_card
from scenes.promos.moments import Excerpt, Movements, fitting, found, happening, shared
from scenes.promos.promo import Promo, read_promo
from scenes.theme import THEMES, Theme, rgb

TITLE, END = 0.09, 0.13
"""Shares of the length that the title and the end card take."""
CARD_S = (1.8, 3.2)
TURN_S = 0.6
"""Seconds in which a loop's last picture goes and its first comes."""
SHORT = 0.05
"""Share of the length by which a promo may miss it."""
NEAR = 0.2
"""Share of its time by which a moment but the last may be longer or shorter, where a sentence ends there."""
CONTRAST = 4.5
CLOCK = 0.006
"""Height of the line that shows how much of a promo has passed, of the short side."""


def branded(theme: Theme, accent: str) -> Theme:
    """`theme` with another colour of what is highlighted.

    Raises NoClip, with the figure, where that has too little contrast with the ground or is too near a request's hue
    for normal, deutan or protan sight.
    """
    if (ratio := against(accent, theme.ground)) < CONTRAST:
        floored = math.floor(ratio * 10) / 10
        raise NoClip(f"the accent {accent} has a contrast of {floored} with the ground: at least {CONTRAST}")
    for hue in theme.hues:
        for vision, apart in differences(accent, hue).items():
            if apart < LEAST:
                near = f"differs by only {apart:.1f} from the hue {hue} in {vision}"
                raise NoClip(f"the accent {accent} {near}: at least {LEAST:g}")
    return replace(theme, name=f"{theme.name}-{accent.removeprefix('#').lower()}", accent=accent)


def make_promo(
    path: Path,
    output: Path,
    quality: Quality,
    media: Path = MEDIA,
    crew: Crew = HERE,
    progress: Progress = lambda done, total: None,
) -> float:
    """Make the promo of the TOML file `path` as the MP4 file `output`; gives its length in seconds.

    `quality` says size and frame rate; frame, theme and accent are the promo's. Raises FileError, with the line, for
    what is wrong in the file, NoSound for sound that is none, and what rendering a film raises.
    """
    chosen, folder = read_promo(path), path.parent
    promo = chosen.value
    sound = Sound.of(folder / promo.audio) if promo.audio else None
    theme = THEMES[promo.theme]
    if promo.accent:
        try:
            theme = branded(theme, promo.accent)
        except NoClip as error:
            chosen.refuse("accent", str(error))
    shaped = quality.shaped(FRAMES[promo.frame], theme)
    try:
        cards = [title_card(promo, folder, shaped) if promo.title else [], end_card(promo, folder, shaped)]
    except ValueError as error:
        chosen.refuse("logo", f"logo: {error}")
    spent = [_card(card, share * promo.length) for card, share in zip(cards, (TITLE, END), strict=True)]
    room = promo.length - sum(spent) - (TURN_S if promo.loop else 0.0)
    parts = _parts(chosen, shaped, room, media, crew, progress)
    with whole(output) as partial:
        facts = "\n".join(dict.fromkeys(facts for _, _, facts in parts))
        tags = {"title": promo.title, "comment": facts}
        seen = _pictures(promo, parts, cards, spent, shaped)
        if not promo.loop:
            seen = _clocked(seen, spent[0] + sum(played.seconds for _, played, _ in parts) + spent[1], shaped)
        pictures = (av.VideoFrame.from_ndarray(picture, format="rgb24") for picture in seen)
        last = round(sum(played.seconds for _, played, _ in parts) * shaped.fps) + 2 * _turns(shaped) - 1
        count = formats.encode("mp4", pictures, partial, shaped.fps, tags, keys={last} if promo.loop else ())
        if sound:
            sound.below(partial)
    return count / shaped.fps


def _card(lines: list[Line], wanted: float) -> float:
    return min(CARD_S[1], max(CARD_S[0], wanted)) if lines else 0.0


def _parts(
    chosen: Chosen[Promo], quality: Quality, room: float, media: Path, crew: Crew, progress: Progress
) -> list[tuple[Path, Excerpt, str]]:
    """The file and the excerpt of each moment, and what it is told from."""
    promo, named = chosen.value, []
    for place, shown in enumerate(promo.moment):
        trace, moving = chosen.path.parent / shown.trace if shown.trace else None, Movements()
        rehearsal = rehearse(catalog.film(shown.film), trace, observers=(moving,), quality=quality)
        try:
            played = found(rehearsal, shown.show)
        except NoClip as error:
            chosen.refuse(place, str(error))
        there = moving.of.get(played.section.key, []), happening(rehearsal, played, shown.show)
        named.append((rehearsal, played, there))
    given = shared(room, [shown.weight for shown in promo.moment], [played.seconds for _, played, _ in named])
    parts, late = [], 0.0
    for place, ((rehearsal, played, there), seconds) in enumerate(zip(named, given, strict=True), start=1):
        near = NEAR * seconds if place < len(named) else SHORT * promo.length / 2
        excerpt = fitting(played, min(seconds - late, played.seconds), near, *there)
        if place == len(named) and abs(late + excerpt.seconds - seconds) > SHORT * promo.length:
            excerpt = replace(excerpt, end=min(excerpt.start + seconds - late, played.seconds))
        late += excerpt.seconds - seconds
        key, name = played.section.key, type(rehearsal.scene).__name__
        trace = other_trace(played.section.source) if played.section.source else rehearsal.scene.trace
        parts.append((rehearsal, excerpt, f"film={name} section={key} trace_sha256={trace.computed_sha256}"))
    if (lasts := sum(excerpt.seconds for _, excerpt, _ in parts)) < room - SHORT * promo.length:
        chosen.refuse("length", f"its moments last {lasts:.1f} s of the {room:.1f} s there are: choose more of them")
    rendered = []
    with Batch(media, crew, progress) as batch:
        for rehearsal, excerpt, facts in parts:
            key = excerpt.played.section.key
            rendered.append((batch.add(rehearsal, quality, {key}).clips[key], excerpt, facts))
    return rendered


def _pictures(
    promo: Promo, parts: list[tuple[Path, Excerpt, str]], cards: list[list[Line]], spent: list[float], quality: Quality
) -> Iterator[np.ndarray]:
    """All pictures of the promo, RGB."""
    fps, first, last = quality.fps, None, None
    yield from frames(cards[0], quality, round(spent[0] * fps))
    begun = 0.0
    for source, excerpt, _ in parts:
        count = round((begun + excerpt.seconds) * fps) - round(begun * fps)
        begun += excerpt.seconds
        for frame in formats.frames(formats.Stretch(source, round(excerpt.start * fps), count, fps)):
            last = frame.to_ndarray(format="rgb24")
            first = last if first is None else first
            yield last
    if promo.loop and first is not None and last is not None:
        ground = np.array([round(255 * part) for part in rgb(quality.theme.ground)], float)
        turns = _turns(quality)
        for picture, shares in ((last, range(turns - 1, -1, -1)), (first, range(1, turns + 1))):
            for share in shares:  # over the ground, so that no text crosses another
                yield (ground + (picture - ground) * share / turns).round().astype(np.uint8)
    yield from frames(cards[1], quality, round(spent[1] * fps), goes=False)


def _turns(quality: Quality) -> int:
    """Frames in which a loop's last picture goes, and in which its first comes."""
    return round(TURN_S * quality.fps / 2)


def _clocked(pictures: Iterator[np.ndarray], seconds: float, quality: Quality) -> Iterator[np.ndarray]:
    """The pictures with one clock for all of them: a line along the lower edge that is full at the end."""
    high = max(2, round(CLOCK * min(quality.width, quality.height)))
    color = np.array([round(255 * part) for part in rgb(quality.theme.accent)], np.uint8)
    for place, picture in enumerate(pictures):
        done = picture.copy()
        done[-high:, : round(quality.width * min(1.0, (place + 1) / (seconds * quality.fps)))] = color
        yield done
