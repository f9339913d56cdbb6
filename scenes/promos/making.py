"""From a promo's file to its film: sections rendered once, the chosen seconds of each cut together."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from astrai_sim.files import FileError, whole
from scenes.clips import formats
from scenes.clips.making import against
from scenes.draw.layout import FRAMES
from scenes.film import catalog
from scenes.film.audio import Sound
from scenes.film.cut import NoClip
from scenes.film.opening import other_trace
from scenes.film.quality import ENCODER, Quality
from scenes.film.rehearsal import rehearse
from scenes.film.render import MEDIA, Progress, render_sections
from scenes.lint.rules.film import LEAST, differences
from scenes.promos.cards import Line, end_card, frames, title_card
from scenes.promos.moments import Stretch, fitting, found, shared
from scenes.promos.promo import Promo, line_of, read_promo
from scenes.theme import THEMES, Theme, rgb

TITLE, END = 0.09, 0.13
"""Shares of the length that the title and the end card take."""
CARD_S = (1.8, 3.2)
TURN_S = 0.6
"""Seconds in which a loop's last picture goes and its first comes."""
SHORT = 0.05
"""Share of the length by which a promo may miss it."""
CONTRAST = 4.5


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
    processes: int | None = None,
    progress: Callable[[str], Progress] = lambda name: lambda done, total: None,
) -> float:
    """Make the promo of the TOML file `path` as the MP4 file `output`; gives its length in seconds.

    `quality` says size and frame rate; frame, theme and accent are the promo's. Raises FileError, with the line, for
    what is wrong in the file, NoSound for sound that is none, and what rendering a film raises.
    """
    promo, folder = read_promo(path), path.parent
    sound = Sound.of(folder / promo.audio) if promo.audio else None
    theme = THEMES[promo.theme]
    if promo.accent:
        try:
            theme = branded(theme, promo.accent)
        except NoClip as error:
            raise FileError(path, line_of(path, "accent"), str(error)) from None
    shaped = quality.shaped(FRAMES[promo.frame], theme)
    cards = [title_card(promo, folder, shaped) if promo.title else [], end_card(promo, folder, shaped)]
    spent = [_card(card, share * promo.length) for card, share in zip(cards, (TITLE, END), strict=True)]
    room = promo.length - sum(spent) - (TURN_S if promo.loop else 0.0)
    parts = _parts(promo, path, shaped, room, media, processes, progress)
    with whole(output) as partial:
        facts = "\n".join(dict.fromkeys(facts for _, _, facts in parts))
        tags = {"title": promo.title, "comment": facts}
        count = _encode(_pictures(promo, parts, cards, spent, shaped), partial, shaped, tags)
        if sound:
            sound.below(partial)
    return count / shaped.fps


def _card(lines: list[Line], wanted: float) -> float:
    return min(CARD_S[1], max(CARD_S[0], wanted)) if lines else 0.0


def _parts(
    promo: Promo,
    path: Path,
    quality: Quality,
    room: float,
    media: Path,
    processes: int | None,
    progress: Callable[[str], Progress],
) -> list[tuple[Path, Stretch, str]]:
    """The file and the stretch of each moment, and what it is told from."""
    chosen = []
    for place, shown in enumerate(promo.moment):
        film = catalog.film(shown.film)
        rehearsal = rehearse(film, path.parent / shown.trace if shown.trace else None, quality=quality)
        try:
            chosen.append((rehearsal, found(rehearsal, shown.show)))
        except NoClip as error:
            raise FileError(path, line_of(path, place), str(error)) from None
    given = shared(room, [shown.weight for shown in promo.moment], [played.seconds for _, played in chosen])
    if (there := sum(given)) < room - SHORT * promo.length:
        few = f"its moments last {there:.1f} s of the {room:.1f} s there are"
        raise FileError(path, line_of(path, "length"), f"{few}: choose more of them")
    parts = []
    for (rehearsal, played), seconds in zip(chosen, given, strict=True):
        key, name = played.section.key, type(rehearsal.scene).__name__
        clips, _ = render_sections(rehearsal, quality, media, processes, progress(name), {key})
        trace = other_trace(played.section.source) if played.section.source else rehearsal.scene.trace
        facts = f"film={name} section={key} trace_sha256={trace.computed_sha256}"
        parts.append((clips[key], fitting(played, seconds), facts))
    return parts


def _pictures(
    promo: Promo, parts: list[tuple[Path, Stretch, str]], cards: list[list[Line]], spent: list[float], quality: Quality
) -> Iterator[np.ndarray]:
    """All pictures of the promo, RGB."""
    fps, first, last = quality.fps, None, None
    yield from frames(cards[0], quality, round(spent[0] * fps))
    begun = 0.0
    for source, stretch, _ in parts:
        count = round((begun + stretch.seconds) * fps) - round(begun * fps)
        begun += stretch.seconds
        for frame in formats.frames(formats.Stretch(source, round(stretch.start * fps), count, fps)):
            last = frame.to_ndarray(format="rgb24")
            first = last if first is None else first
            yield last
    if promo.loop and first is not None and last is not None:
        ground = np.array([round(255 * part) for part in rgb(quality.theme.ground)], float)
        turns = round(TURN_S * fps / 2)
        for picture, shares in ((last, range(turns - 1, -1, -1)), (first, range(1, turns + 1))):
            for share in shares:  # over the ground, so that no text crosses another
                yield (ground + (picture - ground) * share / turns).round().astype(np.uint8)
    yield from frames(cards[1], quality, round(spent[1] * fps))


def _encode(pictures: Iterator[np.ndarray], output: Path, quality: Quality, tags: dict[str, str]) -> int:
    count = 0
    with av.open(str(output), "w", format="mp4", options={"movflags": "faststart"}) as written:
        written.metadata.update(tags)
        stream: Any = written.add_stream("libx264", rate=quality.fps, options=ENCODER)
        stream.width, stream.height, stream.pix_fmt = quality.width, quality.height, "yuv420p"
        for picture in pictures:
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = count, Fraction(1, quality.fps)
            written.mux(stream.encode(frame))
            count += 1
        written.mux(stream.encode())
    return count
