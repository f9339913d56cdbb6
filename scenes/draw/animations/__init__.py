"""Animations that touch only what changes: no copies of mobject families."""

from scenes.draw.animations.base import FilmAnimation
from scenes.draw.animations.cells import FillCells
from scenes.draw.animations.flight import FLIGHT, Flight, Fly
from scenes.draw.animations.motion import Glide
from scenes.draw.animations.opacity import Appear, AppearIn, StrokeTo, Vanish
from scenes.draw.animations.paint import Flash, FlashTo, Paint
from scenes.draw.animations.relay import Relay
from scenes.draw.animations.replay import Replay, replay_text
from scenes.draw.animations.stagger import StaggerCells, StaggerLabels
from scenes.draw.animations.text import SwapText, TickText

__all__ = [
    "FLIGHT",
    "Appear",
    "AppearIn",
    "FillCells",
    "FilmAnimation",
    "Flash",
    "FlashTo",
    "Flight",
    "Fly",
    "Glide",
    "Paint",
    "Relay",
    "Replay",
    "StaggerCells",
    "StaggerLabels",
    "StrokeTo",
    "SwapText",
    "TickText",
    "Vanish",
    "replay_text",
]
