"""Animations that touch only what changes: no copies of mobject families."""

from scenes.animations.base import FilmAnimation
from scenes.animations.cells import FillCells
from scenes.animations.flight import FLIGHT, Flight, Fly
from scenes.animations.motion import Glide
from scenes.animations.opacity import Appear, AppearIn, StrokeTo, Vanish
from scenes.animations.paint import Flash, FlashTo, Paint
from scenes.animations.relay import Relay
from scenes.animations.replay import Replay, replay_text
from scenes.animations.stagger import StaggerCells, StaggerLabels
from scenes.animations.text import SwapText, TickText

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
