"""A film's first frame is a picture: it stands for the film wherever that is offered."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scenes.draw.camera import FilmCamera
from scenes.draw.layout import UNIT
from scenes.lint.moment import Moment, Problem, Rule
from scenes.stage.shot import Section
from scenes.theme import rgb

LEAST, FAR = 0.08, 10.0
SHORT = 180
"""Pixels of the short side at which it is drawn."""


class FirstFrame(Rule):
    """At least 8 % of the first frame differ from the ground by more than 10 in lightness (CIE L*)."""

    name = "first-frame"

    def __init__(self) -> None:
        self._seen = False

    def section_began(self, moment: Moment, section: Section) -> Iterator[Problem]:
        if self._seen or moment.stage is None:
            return
        self._seen = True
        ink = ink_of(moment)
        if ink < LEAST:
            yield Problem(("first frame",), f"{ink:.1%} of it is ink: at least {LEAST:.0%}")


def ink_of(moment: Moment) -> float:
    """The share of a moment's picture that is lighter or darker than the ground."""
    picture = moment.picture
    frame, scale = picture.frame, SHORT / min(picture.frame.width, picture.frame.height)
    camera = FilmCamera(
        pixel_width=round(frame.width * scale),
        pixel_height=round(frame.height * scale),
        frame_width=frame.width / UNIT,
        frame_height=frame.height / UNIT,
        background_color=picture.theme.ground,
        frame_rate=15,
    )
    camera.capture_mobjects(moment.roots)
    lightness = l_star(camera.pixel_array[..., :3] / 255)
    return float(np.mean(np.abs(lightness - l_star(np.array(rgb(picture.theme.ground)))) > FAR))


def l_star(srgb: np.ndarray) -> np.ndarray:
    """CIE L* of sRGB colours 0..1, shape [..., 3]."""
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    y = linear @ np.array([0.2126, 0.7152, 0.0722])
    return np.where(y > 216 / 24389, 116 * np.cbrt(y) - 16, y * 24389 / 27)
