"""A contact sheet: a film at a glance."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from scenes import theme
from scenes.draw import fonts
from scenes.film.frames import Shot, duration, shots

GAP = 12
LINE = 30
TEXT = 18


def contact_sheet(film: Path, output: Path, frames: int = 24, columns: int = 4, width: int = 480) -> None:
    """Write a PNG of `frames` evenly spaced frames, `width` pixels each, with their times."""
    length = duration(film)
    times = [length * (i + 0.5) / frames for i in range(frames)]
    font = ImageFont.truetype(str(fonts.FOLDER / fonts.FACES["mono"]), TEXT)
    sheet = draw = None
    for place, shot in enumerate(shots(film, times)):
        height = round(width * shot.image.height / shot.image.width)
        if sheet is None:
            rows = -(-frames // columns)
            size = (columns * (width + GAP) + GAP, rows * (height + LINE + GAP) + GAP)
            sheet = Image.new("RGB", size, theme.PANEL)
            draw = ImageDraw.Draw(sheet)
        row, column = divmod(place, columns)
        x, y = GAP + column * (width + GAP), GAP + row * (height + LINE + GAP)
        sheet.paste(shot.image.resize((width, height), Image.Resampling.LANCZOS), (x, y))
        draw.text((x, y + height + 5), _label(shot, font, width), theme.TEXT, font)
    output.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(output)


def _label(shot: Shot, font: ImageFont.FreeTypeFont, width: int) -> str:
    minutes, seconds = divmod(shot.time, 60)
    text = f"{int(minutes)}:{seconds:04.1f}  {shot.chapter}"
    while font.getlength(text) > width:
        text = text[:-2].rstrip() + "…"
    return text
