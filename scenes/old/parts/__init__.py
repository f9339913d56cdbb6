"""The parts that a stage can show, one module each, in drawing order."""

from __future__ import annotations

from scenes.old.parts.cards import CardsPart
from scenes.old.parts.census import CensusPart
from scenes.old.parts.chart import ChartPart
from scenes.old.parts.clock import ClockPart
from scenes.old.parts.lens import LensPart
from scenes.old.parts.lru import LruPart
from scenes.old.parts.map import MapPart
from scenes.old.parts.mask import MaskPart
from scenes.old.parts.meters import MetersPart
from scenes.old.parts.part import Part
from scenes.old.parts.phases import PhasesPart
from scenes.old.parts.pool import PoolPart
from scenes.old.parts.queue import QueuePart
from scenes.old.parts.shelf import ShelfPart
from scenes.old.parts.tables import TablesPart
from scenes.old.parts.tiles import TilesPart
from scenes.old.parts.transcript import TranscriptPart

PARTS: dict[str, type[Part]] = {
    part.name: part
    for part in (
        PoolPart,
        MapPart,
        MaskPart,
        CensusPart,
        LruPart,
        ClockPart,
        TablesPart,
        QueuePart,
        PhasesPart,
        MetersPart,
        ShelfPart,
        ChartPart,
        LensPart,
        TilesPart,
        TranscriptPart,
        CardsPart,
    )
}
