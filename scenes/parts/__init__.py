"""The parts that a stage can show, one module each, in drawing order."""

from __future__ import annotations

from scenes.parts.cards import CardsPart
from scenes.parts.census import CensusPart
from scenes.parts.chart import ChartPart
from scenes.parts.clock import ClockPart
from scenes.parts.lanes import LanesPart
from scenes.parts.lens import LensPart
from scenes.parts.lru import LruPart
from scenes.parts.map import MapPart
from scenes.parts.mask import MaskPart
from scenes.parts.memory import MemoryPart
from scenes.parts.meters import MetersPart
from scenes.parts.part import Part
from scenes.parts.phases import PhasesPart
from scenes.parts.pool import PoolPart
from scenes.parts.queue import QueuePart
from scenes.parts.shelf import ShelfPart
from scenes.parts.tables import TablesPart
from scenes.parts.tiles import TilesPart
from scenes.parts.transcript import TranscriptPart

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
        MemoryPart,
        ChartPart,
        LensPart,
        LanesPart,
        TilesPart,
        TranscriptPart,
        CardsPart,
    )
}
