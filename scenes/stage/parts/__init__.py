"""The parts that a stage can show, one module each, in drawing order."""

from __future__ import annotations

from scenes.stage.part import Part
from scenes.stage.parts.cards import CardsPart
from scenes.stage.parts.census import CensusPart
from scenes.stage.parts.chart import ChartPart
from scenes.stage.parts.clock import ClockPart
from scenes.stage.parts.lanes import LanesPart
from scenes.stage.parts.lens import LensPart
from scenes.stage.parts.lru import LruPart
from scenes.stage.parts.map import MapPart
from scenes.stage.parts.mask import MaskPart
from scenes.stage.parts.memory import MemoryPart
from scenes.stage.parts.meters import MetersPart
from scenes.stage.parts.phases import PhasesPart
from scenes.stage.parts.pool import PoolPart
from scenes.stage.parts.queue import QueuePart
from scenes.stage.parts.shelf import ShelfPart
from scenes.stage.parts.tables import TablesPart
from scenes.stage.parts.tiles import TilesPart
from scenes.stage.parts.transcript import TranscriptPart

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
