"""Animations that touch only what changes: no copies of mobject families."""

from scenes.draw.animation import FilmAnimation
from scenes.old.animations.cells import FillCells
from scenes.old.animations.flight import FLIGHT, Flight, Fly
from scenes.old.animations.motion import Glide
from scenes.old.animations.opacity import Appear, AppearIn, StrokeTo, Vanish
from scenes.old.animations.paint import Flash, FlashTo, Paint
from scenes.old.animations.relay import Relay
from scenes.old.animations.replay import Replay, replay_text
from scenes.old.animations.stagger import StaggerCells, StaggerLabels
from scenes.old.animations.text import SwapText, TickText

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
