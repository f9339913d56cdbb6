"""Animations that touch only what changes: no copies of mobject families."""

from scenes.animations.base import FilmAnimation
from scenes.animations.cells import FillCells
from scenes.animations.motion import Glide
from scenes.animations.opacity import Appear, AppearIn, StrokeTo, Vanish
from scenes.animations.paint import Flash, Paint
from scenes.animations.text import SwapText, TickText

__all__ = [
    "Appear",
    "AppearIn",
    "FillCells",
    "FilmAnimation",
    "Flash",
    "Glide",
    "Paint",
    "StrokeTo",
    "SwapText",
    "TickText",
    "Vanish",
]
