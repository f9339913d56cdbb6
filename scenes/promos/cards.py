"""The cards of a promo: its title, and its end with an address and the QR code of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import segno
from PIL import Image, ImageDraw, ImageFont, UnidentifiedImageError
from resvg_py import svg_to_bytes

from scenes.draw import fonts, motion
from scenes.film.quality import Quality
from scenes.promos.promo import Promo

IN, OUT = 0.5, 0.25
"""Seconds in which a card comes and goes."""
RISE = 0.03
"""How far its lines rise on the way, of the picture's height."""


@dataclass(frozen=True)
class Line:
    """A picture with alpha on a card, its middle at `y` of the height; it comes `late` seconds after the first."""

    image: Image.Image
    y: float
    late: float = 0.0


def title_card(promo: Promo, folder: Path, quality: Quality) -> list[Line]:
    """Logo, title and subtitle."""
    lines, theme = [], quality.theme
    if promo.logo:
        lines.append(Line(_fitted(logo(folder / promo.logo, quality), quality, 0.5, 0.22), 0.3))
    lines.append(Line(text(promo.title, "sans-bold", 0.13, theme.accent, quality), 0.52))
    if promo.subtitle:
        lines.append(Line(text(promo.subtitle, "sans", 0.055, theme.muted, quality), 0.66, 0.25))
    return lines


def end_card(promo: Promo, folder: Path, quality: Quality) -> list[Line]:
    """Text, QR code and address."""
    lines, theme, end = [], quality.theme, promo.end
    if end is None:
        return []
    if end.text:
        lines.append(Line(text(end.text, "sans-bold", 0.075, theme.text, quality), 0.2 if end.url else 0.5))
    if end.url:
        lines.append(Line(_fitted(qr(end.url), quality, 0.5, 0.38, sharp=True), 0.54, 0.1))
        shown = end.url.removeprefix("https://").removeprefix("http://").rstrip("/")
        lines.append(Line(text(shown, "mono", 0.05, theme.accent, quality), 0.84, 0.2))
    return lines


def frames(lines: list[Line], quality: Quality, count: int, goes: bool = True) -> Iterator[np.ndarray]:
    """A card as `count` RGB pictures: what is first stands there from the beginning, so that the first picture says
    what it is; the other lines come one after another, all stand, and go where it `goes`."""
    ground = Image.new("RGB", (quality.width, quality.height), quality.theme.ground)
    for place in range(count):
        now, left = place / quality.fps, (count - 1 - place) / quality.fps
        picture = ground.copy()
        for line in lines:
            there = motion.out_cubic(min(1.0, max(0.0, (now - line.late) / IN))) if line.late else 1.0
            shown = there * (min(1.0, left / OUT) if goes else 1.0)
            y = line.y + RISE * (1 - there)
            image = line.image.copy()
            image.putalpha(image.getchannel("A").point([round(alpha * shown) for alpha in range(256)]))
            at = ((quality.width - image.width) // 2, round(y * quality.height - image.height / 2))
            picture.paste(image, at, image)
        yield np.asarray(picture)


def text(words: str, face: str, share: float, color: str, quality: Quality) -> Image.Image:
    """A line of text whose letters are `share` of the short side high, smaller where it would be too wide."""
    size = round(share * min(quality.width, quality.height))
    font = ImageFont.truetype(str(fonts.FOLDER / fonts.FACES[face]), size)
    wide = font.getlength(words)
    if wide > 0.86 * quality.width:
        font = ImageFont.truetype(
            str(fonts.FOLDER / fonts.FACES[face]), max(8, int(size * 0.86 * quality.width / wide))
        )
    left, top, right, bottom = font.getbbox(words)
    image = Image.new("RGBA", (int(right - left) + 4, int(bottom - top) + 4), (0, 0, 0, 0))
    ImageDraw.Draw(image).text((2 - left, 2 - top), words, color, font)
    return image


def qr(url: str) -> Image.Image:
    """The QR code of `url`, a pixel a module, dark on white with the quiet zone that readers need."""
    code = segno.make(url, error="m", micro=False)
    rows = np.array([[not module for module in row] for row in code.matrix_iter(border=4)], np.uint8) * 255
    return Image.fromarray(rows).convert("RGBA")


def logo(path: Path, quality: Quality) -> Image.Image:
    """A PNG as it is, an SVG drawn at half the short side's height. Raises ValueError for what is neither."""
    try:
        if path.suffix.lower() == ".png":
            with Image.open(path) as image:
                return image.convert("RGBA")
        side = min(quality.width, quality.height) // 2
        drawn = svg_to_bytes(
            svg_path=str(path), height=side, font_dirs=[str(fonts.FOLDER)], font_family="Inter", resources_dir=None
        )
        image = Image.open(BytesIO(drawn)).convert("RGBA")
    except (UnidentifiedImageError, ValueError) as error:
        raise ValueError(f"{path.name} cannot be drawn: {error}".splitlines()[0]) from None
    box = image.getbbox()
    if box is None:
        raise ValueError(f"{path.name} draws nothing")
    return image.crop(box)


def _fitted(image: Image.Image, quality: Quality, wide: float, high: float, sharp: bool = False) -> Image.Image:
    scale = min(wide * quality.width / image.width, high * quality.height / image.height)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    if sharp:
        whole = max(1, int(scale))
        size = (image.width * whole, image.height * whole)
    return image.resize(size, Image.Resampling.NEAREST if sharp else Image.Resampling.LANCZOS)
