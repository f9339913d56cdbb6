"""A deck as manim-slides keeps one: a JSON file beside a folder of videos, each forwards and backwards.

The form is that of manim-slides 5.7 (`PresentationConfig` in its `config.py`): paths are relative to the folder above
that of the JSON file.
"""

import json
import re
from pathlib import Path
from typing import Any

import av
from PIL import Image, ImageDraw, ImageFont

from astrai_sim.files import whole
from scenes.clips.formats import Stretch, encode, frames, length
from scenes.decks.deck import Deck, Slide
from scenes.draw import fonts

HELD = 120
"""Pictures that are held at a time to be turned round."""
TITLE_S = 1.0
"""Seconds of the video that stands for a title of one's own."""


def write_folder(deck: Deck, folder: Path, fps: int) -> list[Path]:
    """Write `deck` to `folder`, to be presented with `manim-slides present NAME --folder FOLDER`; gives the files.

    Raises OSError where a file cannot be written.
    """
    name = re.sub(r"\W+", "", deck.title) or "Talk"
    written: dict[Path, Path] = {}
    slides: list[dict[str, Any]] = []
    for place, slide in enumerate(deck.slides):
        source = slide.video
        ahead = written.get(source) if source else None
        if ahead is None:
            ahead = folder / "files" / f"{place + 1:03}.mp4"
            with whole(ahead) as partial:
                if source:
                    partial.write_bytes(source.read_bytes())
                else:
                    _still(slide, deck, partial, fps)
            with whole(back := ahead.with_stem(f"{ahead.stem}_reversed")) as partial:
                _backwards(ahead, partial, fps)
            if source:
                written[source] = ahead
        back = ahead.with_stem(f"{ahead.stem}_reversed")
        files = {key: path.relative_to(folder.parent).as_posix() for key, path in (("file", ahead), ("rev_file", back))}
        slides.append({**files, "loop": slide.looped, "notes": slide.notes, "type": "video"})
    page = {"slides": slides, "resolution": [deck.width, deck.height], "background_color": deck.ground}
    with whole(folder / f"{name}.json") as partial:
        partial.write_text(json.dumps(page, indent=2), encoding="utf-8")
    return [folder / f"{name}.json", *sorted((folder / "files").iterdir())]


def _backwards(video: Path, output: Path, fps: int) -> None:
    """Write `video` from its last picture to its first, of which a few are held at a time."""
    count = length(video)
    stretches = (Stretch(video, max(0, end - HELD), min(HELD, end), fps) for end in range(count, 0, -HELD))
    encode("mp4", (frame for stretch in stretches for frame in [*frames(stretch)][::-1]), output, fps, {})


def _still(slide: Slide, deck: Deck, output: Path, fps: int) -> None:
    image = Image.new("RGB", (deck.width, deck.height), deck.ground)
    draw, y = ImageDraw.Draw(image), deck.height * 0.36
    for text, face, share in ((slide.title, "sans-bold", 0.09), (slide.text, "sans", 0.04)):
        size = round(deck.height * share)
        font = ImageFont.truetype(str(fonts.FOLDER / fonts.FACES[face]), size)
        draw.multiline_text((deck.width * 0.08, y), text, deck.ink, font)
        y += size * 1.6 * (text.count("\n") + 1)
    frame = av.VideoFrame.from_image(image)
    encode("mp4", [frame] * max(1, round(TITLE_S * fps)), output, fps, {})
